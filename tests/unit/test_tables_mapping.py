"""The mapping file: what it refuses, by name; the examples in the documentation can be read."""

from __future__ import annotations

import pytest

from conversations.imports.tables import MappingError, TableMapping
from conversations.messages.names import REASONS
from tests.unit.tabling import EXAMPLES, mapped

SOUND = """
columns: {conversation: c, time: t, author: a, text: x}
"""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_can_be_read(path) -> None:  # type: ignore[no-untyped-def]
    mapping = TableMapping.parse(path.read_text("utf-8"))
    assert mapping.version() == TableMapping.parse(path.read_text("utf-8")).version()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns: {time: t, author: a, text: x, texxt: y}", "columns.texxt: there is no such setting"),
        ("columns: {author: a, text: x}", "columns.time: is missing"),
        ("columns: {time: t, author: a, text: x}\nuntimed: true", "untimed: columns.time"),
        ("columns: {date: d, author: a, text: x}", "columns.date and columns.clock belong together"),
        ("columns: {time: t, date: d, clock: k, author: a, text: x}", "columns.time: columns.date"),
        ("columns: {time: t, text: x}", "columns.author: is missing"),
        ("columns: {time: t, author: a}", "columns.text: is missing"),
        (SOUND + "time: {format: '%d.%m.%Y'}", "time.format: a format without hours"),
        (SOUND + "time: {format: '%d.%m.%Y %I:%M'}", "%I without %p"),
        (SOUND + "time: {format: '%H:%M'}", "a format without a day"),
        (SOUND + "time: {format: '%d.%m %H:%M'}", "a format without a year"),
        (SOUND + "time: {format: 'dd.mm.yyyy'}", "time.format: one of iso"),
        (SOUND + "time: {zone: Moscow}", "time.zone: there is no such time zone"),
        (SOUND + "values: {role: {client: customer}}", "values.role: columns.role is missing"),
        (SOUND + "values: {role: {client: buyer}}", "values.role.client"),
        (SOUND + "constants: {author: x}", "constants.author: columns.author says the same"),
        (SOUND + "columns: {time: t}", "line 3: 'columns' is written twice"),
        ("a: &a [1]\nb: *a", "aliases are not used here"),
        ("- 1", "a mapping file is a mapping of settings"),
        ("a: [", "line 1"),
        ("[" * 1500, "nested too deeply"),
        ("time: 2026-02-30", "a date or a number that there is not"),
        ("time: " + "9" * 5000, "a date or a number that there is not"),
        ("x" * 70_000, "at most 65536 characters"),
        ("!!python/object/apply:os.system [true]", "line 1"),
        (SOUND + "file: {kind: log}", "log: goes with file.kind log"),
        (SOUND + "log: {message: '(?P<t>.*)'}", "columns.conversation: log.message has no group"),
        (SOUND + "log: {message: '(?=x)'}", "log.message: not a regular expression of RE2"),
        ("columns: {conversation: /c, time: t, author: a, text: x}", "a path that begins with / needs file.each"),
    ],
)
def test_what_a_mapping_cannot_say_is_named(text: str, said: str) -> None:
    with pytest.raises(MappingError) as found:
        mapped(text)
    assert said in str(found.value)


def test_every_setting_makes_another_version() -> None:
    plain = mapped(SOUND).version()
    assert mapped(SOUND + "staff: [Ольга]").version() != plain
    assert mapped(SOUND + "time: {zone: UTC}").version() != plain
    assert mapped("{columns: {text: x, author: a, time: t, conversation: c}}").version() == plain


def test_every_reason_of_a_row_has_words() -> None:
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    source = "".join(
        path.read_text("utf-8")
        for path in [*(root / "conversations/imports/tables").glob("*.py"), *(root / "resources/imports").glob("*.py")]
    )
    import re

    codes = set(re.findall(r'(?:Odd|Unreadable)\(\s*"([a-z_]+)"', source)) | {"no_match", "repeated_id", "no_messages"}
    assert len(codes) > 12
    assert codes <= REASONS.keys()
