"""Reads a folder of lexicons: YAML that people edit, checked as a whole, hashed.

Here: the shape of the files and what is refused. Not here: the phrases' language (``.phrases``), finding (``.engine``).

A folder has ``common.yaml`` (fillers, sets, spelling, negators, groups), ``kazakh.yaml`` (endings) and one file an
intent, named after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

Side: TypeAlias = Literal["customer", "manager"]
INTENTS: dict[str, tuple[Side, ...]] = {
    "price": ("customer",),
    "availability": ("customer",),
    "wish_to_buy": ("customer",),
    "size_variant": ("customer",),
    "delivery": ("customer",),
    "refusal": ("customer",),
    "paid": ("customer", "manager"),
    "clarifying_question": ("manager",),
    "offer": ("manager",),
    "next_step": ("manager",),
    "closing": ("customer", "manager"),
}
"""Every intent and whose messages can have it (metric contract, section 5)."""

PURCHASE_INTENTS = ("price", "availability", "wish_to_buy", "size_variant", "delivery")
"""What makes a session one with purchase intent (metric contract, section 5, ``asked_clarifying``)."""

SPEECH: dict[str, tuple[Side, ...]] = {
    "greeting": ("manager",),
    "introduction": ("manager",),
    "farewell": ("manager",),
    "politeness": ("manager",),
    "rudeness": ("manager",),
    "voicemail": ("customer", "manager"),
    "wrong_number": ("customer", "manager"),
    "order_to_judge": ("customer", "manager"),
}
"""What scoring by rules looks for beside the intents: no figure of behaviour depends on it."""

_Model = TypeVar("_Model", bound=BaseModel)


class LexiconError(ValueError):
    """A lexicon cannot be used; the text names the file, the entry and what is wrong."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_phrases(value: Any) -> Any:
    return {"ru": value} if isinstance(value, list) else value


class Phrases(_Part):
    """Phrases by language; a mere list is Russian."""

    ru: tuple[str, ...] = ()
    kk: tuple[str, ...] = ()

    def each(self) -> Iterator[tuple[Literal["ru", "kk"], str]]:
        yield from (("ru", text) for text in self.ru)
        yield from (("kk", text) for text in self.kk)


Listed = Annotated[Phrases, BeforeValidator(_as_phrases)]


class Entry(_Part):
    """One thing that people say, in all its wordings, with the examples that hold it."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    note: str = ""
    side: Side | None = None
    """Only messages of this side; without it, of every side that the intent has."""
    ru: tuple[str, ...] = ()
    kk: tuple[str, ...] = ()
    unless: Listed = Phrases()
    """Does not count in a sentence with one of these."""
    unless_anywhere: Listed = Phrases()
    """Does not count in a message with one of these."""
    unless_intents: tuple[str, ...] = ()
    """Does not count in a message that has one of these intents."""
    negated: bool = False
    """Counts also behind "не", "без" or before "емес"."""
    question: bool | None = None
    """True: only where the sentence ends with a question mark; False: only where it does not."""
    max_words: Annotated[int, Field(gt=0)] | None = None
    """Only in messages of at most so many words, fillers not counted."""
    found: Annotated[tuple[str, ...], Field(min_length=1)]
    """Messages in which the entry is found; a test holds them."""
    not_found: Annotated[tuple[str, ...], Field(min_length=1)]
    """Messages, like enough to be mistaken, in which it is not found; a test holds them."""


class IntentFile(_Part):
    """All entries of one intent."""

    version: Annotated[int, Field(gt=0)]
    intent: str
    title: str
    entries: Annotated[tuple[Entry, ...], Field(min_length=1)]


class Negators(_Part):
    before: Listed
    after: Listed


class Common(_Part):
    """What all lexicons share."""

    version: Annotated[int, Field(gt=0)]
    fillers: Listed
    negators: Negators
    spelling: dict[str, Annotated[tuple[str, ...], BeforeValidator(lambda v: v.split() if isinstance(v, str) else v)]]
    """A usual way to write: the ways in which it is also written."""
    sets: dict[str, Listed]
    groups: dict[str, Listed]


class Kazakh(_Part):
    """The endings that the stemmer takes off."""

    version: Annotated[int, Field(gt=0)]
    shortest: Annotated[int, Field(gt=0)]
    endings: dict[str, tuple[str, ...]]
    voiced: dict[str, str]


class Source(_Part):
    """A folder of lexicons as it was read. Equal content has an equal ``hash``, whatever the order of keys, the
    comments and the layout of the files."""

    common: Common
    kazakh: Kazakh
    intents: tuple[IntentFile, ...]
    hash: str
    sides: dict[str, tuple[Side, ...]] = INTENTS
    """Every intent and whose messages can have it."""


def read(folder: Path, intents: dict[str, tuple[Side, ...]] = INTENTS, shared: Path | None = None) -> Source:
    """Read and check a folder.

    Args:
        intents: what it must tell of, one file each.
        shared: where ``common.yaml`` and ``kazakh.yaml`` are; without it, in the folder.

    Raises:
        LexiconError: a file is missing, cannot be read, or says something that is not a lexicon.
    """
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    wanted = sorted([*intents, *(() if shared else ("common", "kazakh"))])
    if names != wanted:
        wrong = sorted(set(names) ^ set(wanted))
        raise LexiconError(f"{folder}: there must be one file for each of {', '.join(wanted)}; see {', '.join(wrong)}")
    of_all = shared or folder
    files = []
    for name in intents:
        path = folder / f"{name}.yaml"
        read_file = _validate(IntentFile, _load(path), path)
        _check(read_file, name, path, intents)
        files.append(read_file)
    common = _validate(Common, _load(of_all / "common.yaml"), of_all / "common.yaml")
    kazakh = _validate(Kazakh, _load(of_all / "kazakh.yaml"), of_all / "kazakh.yaml")
    content = {
        "common": common.model_dump(mode="json"),
        "kazakh": kazakh.model_dump(mode="json"),
        "intents": [one.model_dump(mode="json") for one in files],
    }
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return Source(common=common, kazakh=kazakh, intents=tuple(files), hash=digest, sides=intents)


def _check(read_file: IntentFile, name: str, path: Path, intents: dict[str, tuple[Side, ...]]) -> None:
    if read_file.intent != name:
        raise LexiconError(f"{path}: intent must be {name!r}, as the file is named, not {read_file.intent!r}")
    seen: set[str] = set()
    for entry in read_file.entries:
        place = f"{path}, entry {entry.id}"
        if entry.id in seen:
            raise LexiconError(f"{place}: two entries have this id")
        seen.add(entry.id)
        if not entry.ru and not entry.kk:
            raise LexiconError(f"{place}: there are no phrases; write some under ru or kk")
        if entry.side is not None and entry.side not in intents[name]:
            raise LexiconError(f"{place}: {name} is said by {' or '.join(intents[name])} only")
        wrong = [intent for intent in entry.unless_intents if intent not in intents or intent == name]
        if wrong:
            raise LexiconError(f"{place}: unless_intents names {wrong[0]!r}, which is no other intent")


def _load(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise LexiconError(f"{path}{where}: {getattr(error, 'problem', None) or 'not YAML'}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"{path}: the file cannot be read ({type(error).__name__})") from error


def _validate(model: type[_Model], content: Any, path: Path) -> _Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {_place(item['loc'], content)}: {_problem(item)}" for item in error.errors())
        raise LexiconError(f"{path}: the file says what cannot be used\n{problems}") from error


def _place(location: tuple[int | str, ...], content: Any) -> str:
    """``entries[3] (how_much).yes`` from pydantic's location."""
    text = ""
    for part in location:
        content = content[part] if _has(content, part) else None
        name = content.get("id") if isinstance(part, int) and isinstance(content, dict) else None
        text += (f"[{part}]" + (f" ({name})" if name else "")) if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the file"


def _has(content: Any, part: int | str) -> bool:
    if isinstance(content, dict):
        return part in content
    return isinstance(content, list) and isinstance(part, int) and part < len(content)


def _problem(item: Any) -> str:
    return "there is no such setting" if item["type"] == "extra_forbidden" else item["msg"]


# the C loader is ten times as fast and not on every machine
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key written twice instead of taking the last one silently."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} is written twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
