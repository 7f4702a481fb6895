"""Opening tables: CSV as people save it, JSON, XLSX, Parquet; broken rows are kept, broken files are refused."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conversations.imports.survey import NotThisFormat
from conversations.imports.tables import TableMapping, Unreadable
from resources.clients.errors import BadFile
from tests.unit.tabling import example, mapped, problems, read, units

MAPPING = """
columns: {conversation: chat, time: at, author: who, text: text}
staff: [Ольга]
"""
AT = "2026-03-01T09:00:00+03:00"
HEAD, ROW = "chat,at,who,text", f"1,{AT},Анна,привет"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_and_encoding_are_proved(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    text = end.join([delimiter.join(HEAD.split(",")), delimiter.join(ROW.split(",")), ""])
    found = units(written(tmp_path / "t.csv", text.encode(encoding)), mapped(MAPPING))
    assert found == [(2, {"chat": "1", "at": AT, "who": "Анна", "text": "привет"})]


@pytest.mark.parametrize("said", ["sep=;", '"sep=;"'])
def test_the_line_that_tells_excel_the_delimiter_is_no_header(tmp_path: Path, said: str) -> None:
    text = f"{said}\r\n{HEAD.replace(',', ';')}\r\n{ROW.replace(',', ';')}\r\n"
    found = units(written(tmp_path / "t.csv", text.encode("utf-8-sig")), mapped(MAPPING))
    assert found == [(3, {"chat": "1", "at": AT, "who": "Анна", "text": "привет"})]


def test_an_encoding_that_proves_nothing_is_declared_and_never_taken_for_another(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", f"{HEAD}\n{ROW}\n".encode("cp1251"))
    with pytest.raises(BadFile, match="not UTF-8"):
        units(path, mapped(MAPPING))
    declared = mapped(MAPPING + "file: {encoding: cp1251}")
    assert units(path, declared)[0][1]["text"] == "привет"
    written(path, f"{HEAD}\n{ROW}\n")
    with pytest.raises(NotThisFormat, match="the text is UTF-8"):
        units(path, declared)


def test_the_example_of_a_spreadsheet(tmp_path: Path) -> None:
    lines = [
        "Диалог;Клиент;Телефон;Дата;Время;Кто;Сотрудник;Сообщение",
        "17;Анна;+7 700 000-00-01;02.03.2026;09:15;клиент;;Здравствуйте!",
        '17;Анна;+7 700 000-00-01;02.03.2026;09:20;Сотрудник;Ольга;"Да, ""есть""; приходите\nзавтра"',
        "17;Анна;+7 700 000-00-01;02.03.2026;;бот;;спасибо",
    ]
    survey, rows = read(written(tmp_path / "t.csv", "\r\n".join(lines).encode("cp1251")), example("csv.yaml"))
    assert problems(rows) == [None, None, "bad_time"]
    assert [row.payload["position"] for row in rows] == [2, 3, 5]
    assert rows[1].payload["text"] == 'Да, "есть"; приходите\nзавтра'
    assert [row.event_at for row in rows[:2]] == [datetime(2026, 3, 2, 6, m, tzinfo=UTC) for m in (15, 20)]
    (chat,) = survey.chats.values()
    assert [(one.name, one.phone) for one in chat.authors.values()] == [("Анна", "+7 700 000-00-01"), ("Ольга", None)]


def test_rows_that_do_not_split_are_kept_as_they_stand(tmp_path: Path) -> None:
    text = f'{HEAD}\n1,{AT},Анна\n{ROW},extra\n1,{AT},Анна,"a"b"\n{ROW}\n'
    found = units(written(tmp_path / "t.csv", text), mapped(MAPPING))
    assert found[0] == (2, Unreadable("wrong_cells", ["1", AT, "Анна"]))
    assert found[1][1] == Unreadable("wrong_cells", [*ROW.split(","), "extra"])
    assert found[2] == (4, Unreadable("bad_quotes", f'1,{AT},Анна,"a"b"'))
    assert found[3] == (5, dict(zip(HEAD.split(","), ROW.split(","), strict=True)))


def test_a_quote_that_is_never_closed_is_bounded(tmp_path: Path) -> None:
    short = written(tmp_path / "t.csv", f'{HEAD}\n1,{AT},Анна,"a\n{ROW}\n')
    assert units(short, mapped(MAPPING)) == [(2, Unreadable("bad_quotes", f'1,{AT},Анна,"a\n{ROW}'))]
    long = written(tmp_path / "u.csv", f'{HEAD}\n1,{AT},Анна,"a\n' + f"{ROW}\n" * 100_000)
    with pytest.raises(NotThisFormat, match="line 2: a cell of more than"):
        units(long, mapped(MAPPING))


def test_one_endless_line_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", HEAD + "\n" + "x" * 10_000_000)
    for mapping in (mapped(MAPPING), mapped(MAPPING + "file: {encoding: cp1251}")):
        with pytest.raises((BadFile, NotThisFormat), match="line 2"):
            units(path, mapping)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chat,at,who\n1,2,3\n", r"no column 'text' \(columns.text\)"),
        ("chat;at;who;txt\n1;2;3;4\n", "no column 'text'"),
        ("chat,at,who,text,text\n1,2,3,4,5\n", "two columns 'text'"),
        ("\n", "no rows|no column"),
    ],
)
def test_a_table_without_a_mapped_column_is_refused_by_its_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(NotThisFormat, match=said):
        read(written(tmp_path / "t.csv", text), mapped(MAPPING))


def test_a_table_without_a_header_has_numbers_or_given_names(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", f"exported yesterday\n{ROW}\n")
    numbers = mapped("file: {header: false, skip: 1}\ncolumns: {conversation: 1, time: 2, author: 3, text: 4}")
    names = mapped(MAPPING + "file: {header: [chat, at, who, text], skip: 1}")
    assert units(path, numbers) == [(2, dict(zip("1234", ROW.split(","), strict=True)))]
    assert units(path, names)[0][1]["who"] == "Анна"


def test_json_lines_with_broken_ones(tmp_path: Path) -> None:
    good = {"chat": {"id": 7, "title": "Анна"}, "id": "m1", "at": 1772432100, "text": "да", "deleted": False}
    good["from"] = {"id": "u1", "name": "Анна", "type": "client"}
    lines = [json.dumps(good), "{", "[1]", "", "[" * 100 + "]" * 100, '{"at": NaN}']
    _, rows = read(written(tmp_path / "t.jsonl", "\n".join(lines)), example("jsonl.yaml"))
    assert problems(rows) == [None, "bad_json", "not_an_object", "too_deep", "bad_json"]
    assert [row.payload["position"] for row in rows] == [1, 2, 3, 5, 6]
    assert rows[0].payload["original"] == good
    assert rows[0].event_at == datetime(2026, 3, 2, 6, 15, tzinfo=UTC)
    assert rows[1].payload["original"] == "{"


def test_the_list_in_a_json_document_and_lists_in_its_items(tmp_path: Path) -> None:
    mapping = mapped("""
        file: {items: data.chats, each: talk.messages}
        columns: {conversation: /id, time: at, author: who, text: t}
        staff: [Ольга]
    """)
    chats = [{"id": 1, "talk": {"messages": [{"at": AT, "who": "А", "t": "x"}], "more": [1.5]}}, {"id": 2, "talk": {}}]
    document = {"before": [{"chats": [9]}], "data": {"other": {}, "chats": chats}, "after": 1}
    _, rows = read(written(tmp_path / "t.json", json.dumps(document, indent=1)), mapping)
    assert problems(rows) == [None, "no_messages"]
    assert rows[0].payload["around"] == {"id": 1, "talk": {"more": [1.5]}}
    assert rows[1].payload["original"] == {"id": 2, "talk": {}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"chat": 1', "breaks off at byte 11"),
        ("[" * 100_000, "64 levels or more"),
        ('[{"chat": ' + "9" * 5_000 + "}]", "not JSON near byte"),
        ('{"data": 1}', "not a list|no column|no row has"),
        ("[1, 2]", "no row has the column"),
        ("[]", "the table has no rows"),
        ('[{"chat": 1}] x', "not JSON near byte"),
    ],
)
def test_a_document_that_is_no_list_of_rows_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(NotThisFormat, match=said):
        read(written(tmp_path / "t.json", text), mapped(MAPPING + "file: {kind: json}"))


def workbook(path: Path, rows: list[list[Any]], sheets: tuple[str, ...] = ("Сообщения",)) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


SHEET = [
    ["Выгрузка"],
    [],
    ["chat", "id", "sent", "way", "name", "text", "kind", "answered", "seconds"],
    ["a", 1, datetime(2026, 3, 2, 9, 15), "incoming", "Анна", "=1+1", None, None, None],
    ["a", 2, datetime(2026, 3, 2, 9, 20, 30), "outgoing", "Ольга", None, "звонок", True, 61.0],
    [],
    ["a", 3, "soon", "outgoing", "Ольга", "да"],
]


def test_a_workbook(tmp_path: Path) -> None:
    _, rows = read(workbook(tmp_path / "t.xlsx", SHEET, ("Сообщения", "Прочее")), example("xlsx.yaml"))
    assert problems(rows) == [None, None, "bad_time"]
    assert [row.payload["position"] for row in rows] == [4, 5, 7]
    assert [row.event_at for row in rows] == [
        datetime(2026, 3, 2, 6, 15, tzinfo=UTC),
        datetime(2026, 3, 2, 6, 20, 30, tzinfo=UTC),
        None,
    ]
    call = rows[1].payload
    assert (call["kind"], call["answered"], call["talk_seconds"], call["side"]) == ("call", True, 61, "manager")
    assert call["original"]["sent"] == "2026-03-02T09:20:30"
    assert rows[0].external_id.endswith(f":{1:020d}")


def test_a_workbook_of_several_sheets_wants_one_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", [HEAD.split(","), ROW.split(",")], ("a", "b"))
    with pytest.raises(NotThisFormat, match="2 sheets have rows: name one"):
        units(path, mapped(MAPPING))
    with pytest.raises(NotThisFormat, match="no sheet of the name"):
        units(path, mapped(MAPPING + "file: {sheet: c}"))
    assert len(units(path, mapped(MAPPING + "file: {sheet: b}"))) == 1


def bent(path: Path, name: str, content: bytes, compress: int = zipfile.ZIP_DEFLATED) -> Path:
    """The workbook with one part replaced."""
    source = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", compress) as new:
        for part in {*old.namelist(), name}:
            new.writestr(part, content if part == name else old.read(part))
    return path


SHEET_1 = "xl/worksheets/sheet1.xml"
XML = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        (SHEET_1, b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + XML, "document type"),
        (SHEET_1, XML.decode().encode("utf-16"), "not UTF-8"),
        (SHEET_1, XML + b"<row>" + b"<c/>" * 400_000 + b"</row>", "a row or a text of it is too large"),
        (
            SHEET_1,
            XML + b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>',
            "no sheet|sheets have rows|no rows|damaged",
        ),
        (SHEET_1, XML + b'<row><c r="A1"><v>1</v>', "damaged|sheets have rows"),
        (SHEET_1, XML + b"<row>" + b"x" * 8_000_000, "archive|unpacks"),
        ("xl/styles.xml", b"<styleSheet>" + b"<xf/>" * 500_000, "styles"),
        ("xl/sharedStrings.xml", b"<sst>" + b"<si/>" * 4_100_000, "text"),
        ("[Content_Types].xml", b"", "no workbook"),
    ],
    ids=["doctype", "utf-16", "endless row", "far row", "cut", "bomb", "styles", "texts", "no types"],
)
def test_hostile_workbooks_are_refused(tmp_path: Path, part: str, content: bytes, said: str) -> None:
    how = zipfile.ZIP_STORED if part == "xl/sharedStrings.xml" else zipfile.ZIP_DEFLATED
    path = bent(workbook(tmp_path / "t.xlsx", [HEAD.split(","), ROW.split(",")]), part, content, how)
    with pytest.raises((NotThisFormat, BadFile), match=said):
        read(path, mapped(MAPPING))


def parquet(path: Path, query: str) -> Path:
    import duckdb

    duckdb.connect(":memory:").execute(f"set TimeZone = 'UTC'; copy ({query}) to '{path}' (format parquet)")
    return path


def test_parquet(tmp_path: Path) -> None:
    query = """
        select chat, i as message, timestamptz '2026-03-01 09:00:00+03' + i * interval 1 minute as at,
            i % 2 as who, case when i % 2 = 0 then 'customer' else 'manager' end as role,
            case when i = 3 then null else 'текст ' || i end as body, [1.5::decimal(4, 1)] as rest
        from (select unnest(['a', 'b']) as chat), range(1500) as r(i)
    """
    # a name that would be a pattern
    path = parquet(tmp_path / "t[1]*.parquet", query)
    survey, rows = read(path, example("parquet.yaml"))
    assert len(rows) == 3000
    assert {chat.messages for chat in survey.chats.values()} == {1500}
    first = rows[0].payload
    assert (first["at"], first["text"], first["side"]) == ("2026-03-01T06:00:00+00:00", "текст 0", "customer")
    assert first["original"]["rest"] == ["1.5"]
    assert rows[3].payload["text"] == ""
    assert len({row.external_id for row in rows}) == 3000


def test_a_bent_parquet_file_is_refused_in_words_of_ours(tmp_path: Path) -> None:
    path = parquet(tmp_path / "t.parquet", "select 'a' as chat, now() as at, 'x' as who, 'y' as text")
    content = path.read_bytes()
    for bad in (content[:-20], content[:40], b"PAR1" + bytes(100), content[:-9] + b"~~~~~PAR1"):
        written(path, bad)
        with pytest.raises(NotThisFormat, match="no Parquet file or damaged"):
            units(path, mapped(MAPPING))


def test_parquet_reads_nothing_but_the_file(tmp_path: Path) -> None:
    assert not list(tmp_path.iterdir())
    path = parquet(
        tmp_path / "t.parquet", "select 'a' as \"c\"\"; drop\", 'x' as chat, now() as at, '' as who, '' as text"
    )
    assert list(units(path, mapped(MAPPING))[0][1]) == ['c"; drop', "chat", "at", "who", "text"]
    assert [one.name for one in tmp_path.iterdir()] == ["t.parquet"]


def test_the_mapping_may_be_of_another_kind_of_file(tmp_path: Path) -> None:
    path = written(tmp_path / "t", f"{HEAD}\n{ROW}\n")
    for kind in ("xlsx", "parquet", "json"):
        mapping = TableMapping.parse(MAPPING + f"file: {{kind: {kind}}}")
        with pytest.raises((NotThisFormat, BadFile)):
            units(path, mapping)
