"""Tables of anything: no crash, every row in exactly one raw row, ids that do not collide."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.imports.survey import Choices, NotThisFormat, Undecided, settle
from conversations.imports.tables import TableReader
from conversations.imports.tables.seen import Seen
from conversations.imports.tables.units import as_json, as_text
from conversations.records import Message, Quarantined
from conversations.source import RawRecord
from resources.clients.errors import BadFile
from resources.warehouse.raw_rows import canonical_json
from tests.unit.tabling import example, mapped, parser, units
from tests.unit.test_tables_reader import NOW

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
MAPPING = mapped("""
columns: {conversation: chat, title: title, message_id: id, time: at, author: who, author_id: own, role: role,
  direction: way, text: text, kind: kind, phone: phone, edited: edited, deleted: deleted, answered: answered,
  talk_seconds: seconds, reply_to: reply, zone: zone}
time: {format: [iso, unix, '%d.%m.%Y %H:%M']}
""")
NAMES = [name for _, name in MAPPING.columns.declared()]
CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.datetimes(), st.times(), st.dates(),
    st.timedeltas(), st.decimals(), st.binary(max_size=4), st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(["1", "5", "2026-03-01T09:00:00", "customer", "manager", "in", "call", "02.03.2026 09:15", "UTC"]),
)  # fmt: skip
ROWS = st.lists(st.dictionaries(st.sampled_from(NAMES), CELLS, max_size=len(NAMES)), max_size=12)


def take(found: list[Any], mapping: Any) -> list[Any] | None:
    reader, choices = TableReader(mapping), Choices(staff=frozenset({"Ольга"}), chat="x")
    try:
        settled = settle(reader.survey(found, choices), choices)
    except (NotThisFormat, Undecided):
        return None
    return list(reader.rows(found, settled, choices))


@QUICK
@given(ROWS)
def test_any_cells_give_a_raw_row_each_and_each_is_a_message_or_a_reason(rows: list[dict[str, Any]]) -> None:
    # one row that has every column, so that the survey does not refuse the table
    whole = dict.fromkeys(NAMES, "1") | {"role": "customer", "way": "in", "kind": "text"}
    read = take(list(enumerate([whole, *rows], 1)), MAPPING)
    assert read is not None
    assert [row.payload["position"] for row in read] == list(range(1, len(rows) + 2))
    assert [row.payload["original"] for row in read] == [as_json(row) for row in [whole, *rows]]
    assert len({row.external_id for row in read}) == len(read)
    for row in read:
        canonical_json(row)
        (record,) = parser().parse("messages", RawRecord("c", row.external_id, row.payload, NOW, None))
        assert isinstance(record, Message | Quarantined)
        assert isinstance(record, Quarantined) or record.sent_at == row.event_at


@QUICK
@given(st.lists(st.text(max_size=40).filter(lambda text: "\n" not in text), min_size=1, max_size=30), st.booleans())
def test_every_line_of_any_log_is_in_one_original(lines: list[str], continues: bool) -> None:
    mapping = example("irssi.yaml")
    assert mapping.log is not None
    mapping = mapping.model_copy(update={"log": mapping.log.model_copy(update={"continues": continues})})
    sound = ["--- Day changed Wed Sep 04 2019", "09:00 < anna> hi"]
    found = [(number, {"line": line}) for number, line in enumerate([*sound, *lines], 1)]
    read = take(found, mapping)
    assert read is not None
    kept = [line for row in read for line in row.payload["original"].split("\n") if line.strip()]
    assert kept == [line for line in [*sound, *lines] if line.strip()]
    positions = [row.payload["position"] for row in read]
    assert positions == sorted(set(positions))
    assert len({row.external_id for row in read}) == len(read)


@QUICK
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20),
            min_size=4,
            max_size=4,
        ),
        min_size=1,
    )
)
def test_what_a_csv_writer_wrote_is_read_back(tmp_path: Path, rows: list[list[str]]) -> None:
    mapping = mapped("columns: {conversation: a, time: b, author: c, text: d}\nfile: {delimiter: ','}")
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c", "d"], *rows])
    path = tmp_path / "t.csv"
    path.write_bytes(written.getvalue().encode())
    found = units(path, mapping)

    def told(cells: list[str]) -> list[str]:
        # a line end inside of a cell is told as one line feed
        return [cell.replace("\r\n", "\n") for cell in cells]

    assert [told(list(row.values())) for _, row in found] == [told(row) for row in rows]


@QUICK
@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl", "json", "xlsx", "parquet", None]))
def test_any_bytes_are_rows_or_one_clear_error(tmp_path: Path, content: bytes, kind: str | None) -> None:
    path = tmp_path / "t"
    path.write_bytes(content or b" ")
    mapping = mapped("columns: {conversation: a, time: b, author: c, text: d}\nfile: {header: [a, b, c, d]}")
    mapping = mapping.model_copy(update={"file": mapping.file.model_copy(update={"kind": kind})})
    try:
        found = units(path, mapping)
    except (NotThisFormat, BadFile):
        return
    json.dumps([as_json(row) for _, row in found])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@QUICK
@given(st.lists(st.dictionaries(st.sampled_from("abcd"), JSON), max_size=6), st.booleans())
def test_json_documents_and_lines_give_the_same_rows(tmp_path: Path, rows: list[Any], ascii_only: bool) -> None:
    def fits(value: Any) -> bool:
        if isinstance(value, dict | list):
            return all(map(fits, value.values() if isinstance(value, dict) else value))
        return not isinstance(value, int) or abs(value) < 2**63

    rows = [row for row in rows if fits(row)]
    mapping = mapped("columns: {conversation: a, time: b, author: c, text: d}")
    document, lines = tmp_path / "t.json", tmp_path / "t.jsonl"
    document.write_text(json.dumps(rows, ensure_ascii=ascii_only), "utf-8", "surrogatepass")
    lines.write_text(
        "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows) or " ", "utf-8", "surrogatepass"
    )
    kinds = {"json": document, "jsonl": lines}
    found = []
    for kind, path in kinds.items():
        of_kind = mapping.model_copy(update={"file": mapping.file.model_copy(update={"kind": kind})})
        try:
            found.append([row for _, row in units(path, of_kind)])
        except (NotThisFormat, BadFile):
            # half of a surrogate pair is no UTF-8
            assert any("\\ud" in json.dumps(row).lower() for row in rows)
            return
    assert found == [rows, rows]


@QUICK
@given(st.lists(st.sampled_from("abc"), max_size=200))
def test_equal_keys_are_numbered_without_gaps(keys: list[str]) -> None:
    seen, counts = Seen(), Counter[str]()
    for key in keys:
        counts[key] += 1
        assert seen.ordinal(key) == counts[key]


def test_a_set_of_many_keys_is_exact_and_small() -> None:
    seen = Seen()
    assert all(seen.add(str(number)) for number in range(20_000))
    assert not any(seen.add(str(number)) for number in range(20_000))
    assert all(seen.has(str(number)) for number in range(0, 20_000, 7))
    assert not any(seen.has(str(number)) for number in range(20_000, 21_000))
    assert len(seen._slots) * 8 <= 20_000 * 40


@given(CELLS)
def test_any_cell_has_a_text_or_none(value: Any) -> None:
    found = as_text(value)
    assert found is None or found.strip()
    json.dumps(as_json(value), allow_nan=False)
