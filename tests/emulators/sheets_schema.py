"""The shape of every request and answer of the Sheets API, from the discovery document that Google's client ships.

Here: bodies and query parameters checked as Google's front end checks them (a name that is not in the document, a value
of another type), and the ``fields`` masks, of answers and of updates. Not here: what a request means (``sheets_batch``,
``sheets_values``). Stricter than Google in one thing: names are accepted as the document spells them (camelCase) only.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Problem = tuple[str, str]
"""Field and description of one violation."""


class Refused(Exception):
    """An answer other than 200, as Google spells errors."""

    def __init__(self, status: int, message: str, code: str = "INVALID_ARGUMENT", details: Any = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.details = status, message, code, details

    @property
    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.status, "message": self.message, "status": self.code}
        if self.details:
            error["details"] = self.details
        return {"error": error}


@cache
def document() -> dict[str, Any]:
    """The discovery document of Sheets v4."""
    found = find_spec("googleapiclient")
    assert found is not None and found.submodule_search_locations, "google-api-python-client is not installed"
    folder = Path(next(iter(found.submodule_search_locations)))
    path = folder / "discovery_cache" / "documents" / "sheets.v4.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


@cache
def method(name: str) -> dict[str, Any]:
    """The document's entry of a method, e.g. ``spreadsheets.values.batchUpdate``."""
    *resources, last = name.split(".")
    node = document()
    for resource in resources:
        node = node["resources"][resource]
    found: dict[str, Any] = node["methods"][last]
    return found


def parsed(body: bytes, schema: str) -> dict[str, Any]:
    """The body as Google would understand it; enumerations and numbers come out in one spelling.

    Raises:
        Refused: no JSON (``NaN`` is none), an unknown name, a value of another type; all problems at once.
    """
    if not body:
        return {}
    if _HALF.search(body):
        raise Refused(400, "Invalid JSON payload received. Illegal unicode code point.")
    try:
        loaded = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except ValueError as error:
        raise Refused(400, f"Invalid JSON payload received. {error}") from None
    problems: list[Problem] = []
    checked = _checked(loaded, {"$ref": schema}, "", problems)
    if problems:
        shown = "\n".join(description for _, description in problems)
        violations = [{"field": field, "description": text} for field, text in problems]
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}]
        raise Refused(400, shown, details=details)
    result: dict[str, Any] = checked
    return result


# one half of a surrogate pair, as JSON escapes it
_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


def _no_constant(text: str) -> Any:
    raise ValueError(f"Unexpected token.\n{text}\n^")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("Duplicate name in an object.")
    return found


def _snake(path: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda hit: "_" + hit[1].lower(), path)


def _checked(value: Any, schema: dict[str, Any], path: str, problems: list[Problem]) -> Any:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    kind = schema.get("type", "any")
    if value is None or kind == "any":
        return value
    if kind == "object":
        return _checked_object(value, schema, path, problems)
    if kind == "array":
        if not isinstance(value, list):
            # proto JSON reads a lone value as no list; the front end says so of the field
            problems.append((path, f"Invalid value at '{_snake(path)}' (list), {_shown(value)}"))
            return value
        if schema["items"].get("type") == "array" and schema["items"]["items"].get("type") == "any":
            # rows of values, a million cells perhaps: what a cell may hold is looked at when it is written
            for n, item in enumerate(value):
                if not isinstance(item, list):
                    shown = f"Invalid value at '{_snake(path)}[{n}]' (type.googleapis.com/google.protobuf.ListValue)"
                    problems.append((f"{path}[{n}]", f"{shown}, {_shown(item)}"))
            return value
        return [_checked(item, schema["items"], f"{path}[{n}]", problems) for n, item in enumerate(value)]
    good, result = _scalar(value, schema)
    if not good:
        named = _type_name(schema, path)
        problems.append((path, f"Invalid value at '{_snake(path)}' ({named}), {_shown(value)}"))
    return result


def _checked_object(value: Any, schema: dict[str, Any], path: str, problems: list[Problem]) -> Any:
    name = schema.get("id", "object")
    if not isinstance(value, dict):
        problems.append(
            (
                path,
                f"Invalid value at '{_snake(path)}' "
                f"(type.googleapis.com/google.apps.sheets.v4.{name}), {_shown(value)}",
            )
        )
        return value
    known = schema.get("properties", {})
    extra = schema.get("additionalProperties")
    result: dict[str, Any] = {}
    for field, item in value.items():
        if field in known:
            inner = f"{path}.{field}" if path else field
            checked = _checked(item, known[field], inner, problems)
            if checked is not None:
                result[field] = checked
        elif extra is not None:
            result[field] = _checked(item, extra, f"{path}[{field}]", problems)
        else:
            where = f" at '{_snake(path)}'" if path else ""
            problems.append((path, f'Invalid JSON payload received. Unknown name "{field}"{where}: Cannot find field.'))
    kinds = _ONE_OF.get(name)
    if kinds is not None:
        given = [field for field in result if field in kinds] if kinds else list(result)
        if len(given) > 1:
            problems.append(
                (
                    path,
                    f"Invalid value at '{_snake(path)}' (oneof), oneof field '{_ONE_OF_NAMES[name]}' is already set. "
                    f"Cannot set '{given[1]}'",
                )
            )
    return result


_ONE_OF: dict[str, tuple[str, ...]] = {
    # empty: every field of the message
    "Request": (),
    "ExtendedValue": (),
    "UpdateCellsRequest": ("start", "range"),
    "DataFilter": (),
}
_ONE_OF_NAMES = {"Request": "kind", "ExtendedValue": "value", "UpdateCellsRequest": "area", "DataFilter": "filter"}


def _scalar(value: Any, schema: dict[str, Any]) -> tuple[bool, Any]:
    """Whether proto JSON accepts the value for this type, and what it reads."""
    kind = schema["type"]
    if kind == "boolean":
        return (True, value) if isinstance(value, bool) else (value in ("true", "false"), value == "true")
    if kind == "string":
        if "enum" in schema:
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(schema["enum"]):
                return True, schema["enum"][value]
            return value in schema["enum"], value
        return isinstance(value, str), value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False, value
    try:
        number = float(value)
    except ValueError:
        return False, value
    if kind == "integer":
        return number.is_integer() and -(2**31) <= number < 2**31, int(number) if math.isfinite(number) else value
    return math.isfinite(number), number


def _type_name(schema: dict[str, Any], path: str) -> str:
    if "enum" in schema:
        last = re.sub(r"\[\d+\]", "", path).rpartition(".")[2]
        return f"type.googleapis.com/google.apps.sheets.v4.{last[:1].upper()}{last[1:]}"
    names = {"boolean": "TYPE_BOOL", "string": "TYPE_STRING", "integer": "TYPE_INT32", "number": "TYPE_DOUBLE"}
    return names[schema["type"]]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "..."


def query(name: str, params: list[tuple[str, str]]) -> dict[str, Any]:
    """The query parameters of a method by name, lists where the document repeats them.

    Raises:
        Refused: a parameter that the method does not have, twice where once belongs, a value of another type.
    """
    known = {**document()["parameters"], **method(name).get("parameters", {})}
    found: dict[str, Any] = {}
    for key, text in params:
        schema = known.get(key)
        if schema is None or schema.get("location") == "path":
            raise Refused(
                400,
                f'Invalid JSON payload received. Unknown name "{key}": Cannot bind query parameter. '
                f"Field '{key}' could not be found in request message.",
            )
        good, value = _scalar(text, schema)
        if not good:
            raise Refused(400, f"Invalid value at '{_snake(key)}' ({_type_name(schema, key)}), {_shown(text)}")
        if schema.get("repeated"):
            found.setdefault(key, []).append(value)
        elif key in found:
            raise Refused(400, f"Invalid value at '{_snake(key)}', Proto field is not repeating, cannot start list.")
        else:
            found[key] = value
    return found


# ---- masks --------------------------------------------------------------------------------------------------------

Mask = dict[str, "Mask"]
"""Names with what is wanted inside them; an empty one wants everything below."""


def mask(text: str, schema: str) -> Mask:
    """A mask as ``a,b.c,d(e,f)`` (``/`` is as good as ``.``), checked against a schema.

    Raises:
        ValueError: the first part that is no field; its text is that part.
    """
    tokens = re.findall(r"[A-Za-z0-9_]+|[(),./*]", text.replace(" ", ""))
    if "".join(tokens) != text.replace(" ", "") or not tokens:
        raise ValueError(text)
    found, rest = _mask(tokens)
    if rest:
        raise ValueError(text)
    _known(found, {"$ref": schema}, "")
    return found


def _mask(tokens: list[str]) -> tuple[Mask, list[str]]:
    result: Mask = {}
    while tokens:
        name, tokens = tokens[0], tokens[1:]
        if name in "(),./":
            raise ValueError(name)
        inside: Mask = {}
        node = result.setdefault(name, {})
        while tokens[:1] and tokens[0] in "./":
            if len(tokens) < 2 or tokens[1] in "(),./":
                raise ValueError(name)
            node, tokens = node.setdefault(tokens[1], {}), tokens[2:]
        if tokens[:1] == ["("]:
            inside, tokens = _mask(tokens[1:])
            if tokens[:1] != [")"]:
                raise ValueError(name)
            node.update(inside)
            tokens = tokens[1:]
        if tokens[:1] != [","]:
            break
        tokens = tokens[1:]
    return result, tokens


def _known(found: Mask, schema: dict[str, Any], path: str) -> None:
    while "$ref" in schema or schema.get("type") == "array":
        schema = document()["schemas"][schema["$ref"]] if "$ref" in schema else schema["items"]
    for name, inside in found.items():
        here = f"{path}.{name}" if path else name
        if name == "*":
            if inside:
                raise ValueError(here)
            continue
        if name not in schema.get("properties", {}):
            raise ValueError(here)
        _known(inside, schema["properties"][name], here)


def picked(value: Any, wanted: Mask) -> Any:
    """What a mask leaves of an answer."""
    if not wanted or "*" in wanted:
        return value
    if isinstance(value, list):
        return [picked(item, wanted) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: picked(item, wanted[name]) for name, item in value.items() if name in wanted}


def merged(old: dict[str, Any], new: dict[str, Any], wanted: Mask) -> dict[str, Any]:
    """``old`` with the masked fields taken from ``new``; a masked field that ``new`` lacks is cleared."""
    if "*" in wanted:
        return dict(new)
    result = dict(old)
    for name, inside in wanted.items():
        if inside and isinstance(result.get(name, {}), dict):
            part = merged(result.get(name, {}), new.get(name, {}), inside)
            if part:
                result[name] = part
            else:
                result.pop(name, None)
        elif name in new:
            result[name] = new[name]
        else:
            result.pop(name, None)
    return result
