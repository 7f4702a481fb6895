"""Reads docker-compose.yml as Docker does: variables put in, merges done, services in the order of their needs.

Here: the part of the compose specification that our file uses, written for these tests. Not here: running (``stage``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|\{(?P<name>\w+)(?:(?P<kind>:[?-])(?P<word>[^}]*))?\})")


class MissingVariable(Exception):
    """A ``${NAME:?message}`` without a value; Docker prints the message and does nothing."""


@dataclass(frozen=True)
class Service:
    """One service, as it would be started."""

    name: str
    given: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """Entry point and command; of an image with an entry point of its own, the command."""
        return [*self.given.get("entrypoint", []), *self.given.get("command", [])]

    @property
    def needs(self) -> dict[str, str]:
        """Service to the condition that it must meet first."""
        return {name: need["condition"] for name, need in self.given.get("depends_on", {}).items()}

    @property
    def ports(self) -> list[int]:
        """Ports that other containers may reach."""
        return [int(port) for port in self.given.get("expose", [])]

    @property
    def mounts(self) -> dict[str, str]:
        """Path in the container to a volume's name or a path of the project."""
        parts = [volume.split(":") for volume in self.given.get("volumes", [])]
        return {part[1]: part[0] for part in parts}

    @property
    def profiles(self) -> set[str]:
        """Profiles without which it is not started; none: always."""
        return set(self.given.get("profiles", []))


def raw(path: Path = FILE) -> dict[str, Any]:
    """The file with its anchors and merges resolved and its variables as they are written."""
    return yaml.safe_load(path.read_text("utf-8"))


def variables(text: str) -> Iterator[tuple[str, str | None, str]]:
    """Every variable of a text: name, ``:?``, ``:-`` or nothing, and what follows it."""
    for match in _VARIABLE.finditer(text):
        if match["name"]:
            yield match["name"], match["kind"], match["word"] or ""


def services(values: Mapping[str, str], path: Path = FILE) -> dict[str, Service]:
    """The services with the variables of ``values`` put in.

    Raises:
        MissingVariable: a variable that must be set is not.
    """
    filled = _fill(raw(path)["services"], values)
    return {
        name: Service(name, given, {key: str(value) for key, value in given.get("environment", {}).items()})
        for name, given in filled.items()
    }


def in_order(chosen: Mapping[str, Service]) -> list[Service]:
    """The services, each after all that it depends on."""
    ordered: list[Service] = []
    waiting = dict(chosen)
    while waiting:
        ready = [service for service in waiting.values() if not set(service.needs) & set(waiting)]
        if not ready:
            raise ValueError(f"a circle of dependencies: {', '.join(waiting)}")
        ordered += ready
        for service in ready:
            del waiting[service.name]
    return ordered


def read_env(text: str) -> dict[str, str]:
    """A ``.env`` as compose reads it: NAME=value, values in single quotes as they are and over several lines."""
    found = {}
    for match in re.finditer(r"^(\w+)=(?:'([^']*)'|([^\n]*))$", text, re.M):
        found[match[1]] = match[2] if match[2] is not None else match[3]
    return found


def _fill(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _fill(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill(value, values) for value in node]
    return _VARIABLE.sub(lambda match: _value(match, values), node) if isinstance(node, str) else node


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    if match["escaped"]:
        return "$"
    value = values.get(match["name"], "")
    if value or match["kind"] is None:
        return value
    if match["kind"] == ":?":
        raise MissingVariable(f"{match['name']}: {match['word']}")
    return match["word"]
