"""The mapping file: what the columns of somebody's table mean, declared by whoever brings it.

Here: its shape, its defaults and how it is read (YAML). Not here: reading tables by it.

Every setting is checked before the table is opened; an unknown, missing or contradictory one is refused and named.
Nothing is taken from the names of columns: a column means what the mapping says, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from conversations.imports.survey import Side
from conversations.imports.tables.patterns import LogPattern, PatternError
from conversations.imports.tables.times import problem_of_format
from conversations.records import ContentKind

LARGEST_MAPPING = 64 * 1024
"""Characters."""

FileKind: TypeAlias = Literal["csv", "xlsx", "jsonl", "json", "parquet", "log"]
PEOPLE = ("author", "author_id", "role", "direction")
TIMES = ("time", "date", "clock")


class MappingError(ValueError):
    """The mapping cannot be used; the text names the setting and what is wrong with it."""


def _as_name(value: Any) -> Any:
    """Columns of a table without a header have numbers; YAML reads ``text: 3`` as one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(_as_name), Field(min_length=1, max_length=500)]
Several = Annotated[tuple[Name, ...], BeforeValidator(_as_list)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileShape(_Part):
    """How the file is taken apart."""

    kind: FileKind | None = None
    """``None``: by its content (Parquet and XLSX by their first bytes, JSON by its first sign, else CSV)."""
    encoding: Literal["utf-8", "utf-16", "cp1251", "cp866", "koi8-r", "latin-1"] | None = None
    """Of text; ``None``: UTF-8, or what a byte order mark proves. Nothing else can be proved, so it is declared."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """Of CSV; ``None``: the one of ``, ; TAB |`` that makes the first line hold all the mapped columns."""
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    header: bool | tuple[Name, ...] = True
    """``false``: the first line is a row, columns are named "1", "2" ...; a list: it is a row, and these are names."""
    skip: Annotated[int, Field(ge=0, le=1000)] = 0
    """Lines or rows above the header that are no part of the table."""
    sheet: str | None = None
    """Of XLSX; ``None``: the only one with rows, more than one must be named."""
    items: str | None = None
    """Of JSON: path of the list of rows, where the file is an object."""
    each: str | None = None
    """Path of a list inside each row: its elements are the messages, the row is the conversation around them."""


class Columns(_Part):
    """Column names, or paths in JSON: ``from.name``; ``0`` is the first of a list; with ``each``, a path that begins
    with ``/`` is one of the object around the list."""

    conversation: Name | None = None
    """Id of the conversation."""
    title: Name | None = None
    message_id: Name | None = None
    time: Name | None = None
    date: Name | None = None
    clock: Name | None = None
    """``date`` and ``clock`` together instead of ``time``."""
    zone: Name | None = None
    """A zone name or an offset per row, for times without one."""
    author: Name | None = None
    author_id: Name | None = None
    role: Name | None = None
    direction: Name | None = None
    text: Name | None = None
    kind: Name | None = None
    reply_to: Name | None = None
    edited: Name | None = None
    """When it was edited, or a truth value."""
    deleted: Name | None = None
    phone: Name | None = None
    """The customer's."""
    answered: Name | None = None
    """Of calls: a truth value."""
    talk_seconds: Name | None = None

    def declared(self) -> Iterator[tuple[str, str]]:
        """Meaning and column of all that are mapped."""
        for meaning in type(self).model_fields:
            column = getattr(self, meaning)
            if column is not None:
                yield meaning, column


class Times(_Part):
    """How times are written."""

    format: Several = ("iso",)
    """``iso``, ``unix``, ``unix_ms``, ``excel``, or patterns as Python's ``strptime`` has them. Of several, the ones
    that fit have to agree: a row that can be read in two ways is not understood."""
    zone: str | None = None
    """Of times without one; ``None``: what the import was given."""

    @field_validator("format")
    @classmethod
    def _check_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if problem := problem_of_format(one):
                raise ValueError(problem)
        if not value:
            raise ValueError("at least one is needed")
        return value

    @field_validator("zone")
    @classmethod
    def _check_zone(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                raise ValueError("there is no such time zone; write it as Europe/Moscow") from None
        return value


def _folded_keys(value: Any) -> Any:
    return {str(key).strip().casefold(): one for key, one in value.items()} if isinstance(value, Mapping) else value


class Values(_Part):
    """What the words in a column mean. Upper and lower case do not matter."""

    role: Annotated[dict[str, Side], BeforeValidator(_folded_keys)] = Field(default_factory=dict)
    direction: Annotated[dict[str, Literal["in", "out"]], BeforeValidator(_folded_keys)] = Field(default_factory=dict)
    kind: Annotated[dict[str, ContentKind], BeforeValidator(_folded_keys)] = Field(default_factory=dict)


class Log(_Part):
    """A log: a message per line, taken apart by regular expressions (RE2) whose named groups are the columns."""

    message: str
    system: Several = ()
    """Lines that are no messages of anybody: joins, topics."""
    day: str | None = None
    """Lines that say on which day the next ones are: their group ``date`` is the column ``date`` of all that follow."""
    continues: bool = False
    """Whether a line that fits nothing goes on with the message above it; else it is not understood."""

    @field_validator("message", "day", "system")
    @classmethod
    def _check_patterns(cls, value: Any) -> Any:
        for one in (value,) if isinstance(value, str) else value or ():
            try:
                LogPattern(one)
            except PatternError as error:
                raise ValueError(str(error)) from None
        return value


class TableMapping(_Part):
    """A mapping file. ``columns`` is the only section that is always needed."""

    file: FileShape = FileShape()
    log: Log | None = None
    columns: Columns
    constants: dict[Literal["conversation", "title", "author", "role", "direction", "text", "kind"], str] = Field(
        default_factory=dict
    )
    """The same for all rows, instead of a column."""
    time: Times = Times()
    untimed: bool = False
    """The table has no times: said aloud, so that a forgotten column is not taken for one."""
    values: Values = Values()
    staff: tuple[Name, ...] = ()
    """Managers, by name or id; whoever else writes is a customer. Added to those whom the import was given."""
    chats: Literal["private", "group"] | None = None
    """``None``: private where at most two people write, bots and notices aside."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a mapping file's text.

        Raises:
            MappingError: it is no mapping; names the line or the setting.
        """
        if len(text) > LARGEST_MAPPING:
            raise MappingError(f"a mapping has at most {LARGEST_MAPPING} characters")
        try:
            content = yaml.load(text, _StrictLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}: " if mark else ""
            raise MappingError(f"{where}{getattr(error, 'problem', None) or 'not YAML'}") from None
        except RecursionError:
            raise MappingError("nested too deeply") from None
        except ValueError:
            # the library's own, of a date or a number: it may quote what stands there
            raise MappingError("a date or a number that there is not") from None
        if not isinstance(content, dict):
            raise MappingError("a mapping file is a mapping of settings: columns, time, values ...")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise MappingError(
                "; ".join(f"{_place(one['loc'])}{_problem(one)}" for one in error.errors()[:10])
            ) from None

    def version(self) -> str:
        """All that it says, as one text: another mapping reads a file anew."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)

    def has(self, *meanings: str) -> bool:
        """Whether one of the meanings is a column or a constant."""
        return any(getattr(self.columns, one, None) is not None or one in self.constants for one in meanings)

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [*self._of_times(), *self._of_people(), *self._of_files(), *self._of_values()]
        for meaning in self.constants:
            if getattr(self.columns, meaning) is not None:
                problems.append(f"constants.{meaning}: columns.{meaning} says the same")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _of_times(self) -> Iterator[str]:
        columns = self.columns
        has_time = any(getattr(columns, one) is not None for one in TIMES)
        if not has_time and not self.untimed:
            yield "columns.time: is missing (or columns.date and columns.clock); without times, untimed: true"
        if has_time and self.untimed:
            yield "untimed: columns.time, date or clock says the opposite"
        if columns.time is not None and (columns.date is not None or columns.clock is not None):
            yield "columns.time: columns.date and columns.clock say it again"
        elif (columns.date is None) != (columns.clock is None):
            yield "columns.date and columns.clock belong together"
        if has_time and columns.time is None and {"unix", "unix_ms", "excel"} & set(self.time.format):
            yield "time.format: date and clock are joined by a blank: use a pattern"
        if self.untimed and columns.zone is not None:
            yield "columns.zone: the table is untimed"

    def _of_people(self) -> Iterator[str]:
        if not self.has(*PEOPLE):
            yield "columns.author: is missing (or author_id, role, direction): nothing says who wrote"
        if not self.has("text", "kind"):
            yield "columns.text: is missing"

    def _of_values(self) -> Iterator[str]:
        if self.has("role"):
            sides = self.values.role.keys() | set(get_args(Side))
            if (role := self.constants.get("role")) is not None and role.strip().casefold() not in sides:
                yield "constants.role: values.role does not say what it means"
        for meaning in ("role", "direction", "kind"):
            if getattr(self.values, meaning) and not self.has(meaning):
                yield f"values.{meaning}: columns.{meaning} is missing"

    def _of_files(self) -> Iterator[str]:
        file, columns = self.file, dict(self.columns.declared())
        if (self.log is not None) != (file.kind == "log") and file.kind is not None:
            yield "log: goes with file.kind log"
        if file.each is None and (wrong := [key for key, name in columns.items() if name.startswith("/")]):
            yield f"columns.{wrong[0]}: a path that begins with / needs file.each"
        if self.log is not None:
            patterns = [LogPattern(self.log.message)]
            groups = set().union(*(one.groups for one in patterns)) | ({"date"} if self.log.day else set())
            for meaning, name in columns.items():
                if name not in groups:
                    yield f"columns.{meaning}: log.message has no group of this name"
            if file.each or file.items:
                yield "file.each and file.items are of JSON"
            if self.log.day and ("date" not in LogPattern(self.log.day).groups or columns.get("date") != "date"):
                yield "log.day: its group date has to be columns.date"


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses keys written twice, and aliases: a few lines of them unfold into gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not used here", problem_mark=self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} is written twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _place(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{text.removeprefix('.')}: " if text else ""


def _problem(item: Any) -> str:
    message = item["msg"].removeprefix("Value error, ")
    return "there is no such setting" if item["type"] == "extra_forbidden" else message
