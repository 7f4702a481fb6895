"""F25: archives and texts that strangers made give one clear error each, within bounds, and nothing is written."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.imports.survey import Choices, NotThisFormat
from conversations.messages import Imports
from resources.imports.archives import Limits, open_archive
from resources.imports.errors import FAULTS, BadImport
from resources.imports.formats import open_import
from resources.imports.text import LONGEST_LINE, lines
from tests import hostile
from tests.hostile import CHAT, archive

ROOT = Path(__file__).resolve().parents[2]
Made = Callable[[Path], Path]
MOST_SECONDS, MOST_MEBIBYTES = 30, 256

CORPUS: dict[str, tuple[Made, str]] = {
    "bomb.zip": (hostile.bomb, "archive_bomb"),
    "lying_bomb.zip": (hostile.lying_bomb, "archive_damaged"),
    "many.zip": (hostile.many, "archive_entries"),
    "endless_directory.zip": (hostile.endless_directory, "archive_entries"),
    "dots.zip": (lambda path: archive(path, ("a/../../_chat.txt", CHAT)), "archive_names"),
    "absolute.zip": (lambda path: archive(path, ("/tmp/_chat.txt", CHAT)), "archive_names"),
    "backslash.zip": (lambda path: archive(path, ("..\\_chat.txt", CHAT)), "archive_names"),
    "drive.zip": (lambda path: archive(path, ("C:_chat.txt", CHAT)), "archive_names"),
    "long_name.zip": (lambda path: archive(path, ("x" * 5000 + ".txt", CHAT)), "archive_names"),
    "link.zip": (hostile.link, "archive_links"),
    "encrypted.zip": (hostile.encrypted, "archive_encrypted"),
    "duplicates.zip": (hostile.duplicates, "archive_duplicates"),
    "lzma.zip": (lambda path: archive(path, ("_chat.txt", CHAT), method=zipfile.ZIP_LZMA), "archive_method"),
    "flipped.zip": (hostile.flipped, "archive_damaged"),
    "cut.zip": (hostile.cut, "archive_damaged"),
    "nested.zip": (hostile.nested, "archive_nested"),
    "nothing.zip": (lambda path: archive(path, ("photo.jpg", b"x")), "archive_nothing"),
    "no_members.zip": (archive, "archive_nothing"),
    "several.zip": (lambda path: archive(path, ("one.txt", CHAT), ("two.txt", CHAT)), "archive_several"),
    "workbook.xlsx": (lambda path: archive(path, ("[Content_Types].xml", b""), ("xl/x.xml", b"")), "needs_mapping"),
    "long_line.txt": (hostile.long_line, "long_line"),
    "latin.txt": (lambda path: hostile.bytes_of(path, CHAT.encode("cp1251")), "not_utf8"),
    "half.txt": (lambda path: hostile.bytes_of(path, CHAT.encode()[:-5] + "я".encode()[:1]), "not_utf8"),
    "wide.txt": (lambda path: hostile.bytes_of(path, CHAT.encode("utf-16-le")), "utf16_unmarked"),
    "zeros.txt": (lambda path: hostile.bytes_of(path, bytes(10_000_000)), "binary"),
    "empty.txt": (lambda path: hostile.bytes_of(path, b""), "empty"),
    "words.txt": (lambda path: hostile.chat(path, "просто слова\n" * 100), "unknown_format"),
    "table.csv": (lambda path: hostile.chat(path, "кто;что\nя;это\n"), "unknown_format"),
    "columns.parquet": (lambda path: hostile.bytes_of(path, b"PAR1" + bytes(100)), "needs_mapping"),
    "deep.json": (hostile.deep_json, "not_this_format"),
    "cut.json": (lambda path: hostile.bytes_of(path, b'{"name": "x", "messages": [{"id": 1,'), "not_this_format"),
    "page.html": (lambda path: hostile.bytes_of(path, b"<html><body>" + b"<div>" * 200_000), "not_this_format"),
    "pipe.txt": (lambda path: (os.mkfifo(path), path)[1], "no_file"),
    "folder": (lambda path: (path.mkdir(), path)[1], "no_file"),
    "absent.txt": (lambda path: path, "missing"),
}


def read(path: Path) -> int:
    """All units of the file, the way an import reads them."""
    file = open_import(path, "x", Choices(staff=frozenset({"Лавка"})))
    try:
        with file.units() as units:
            return sum(1 for _ in units)
    except NotThisFormat as error:
        raise BadImport("x", "not_this_format", str(error)) from None


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_file_is_one_clear_error_and_writes_nothing(name: str, tmp_path: Path) -> None:
    make, code = CORPUS[name]
    path = make(tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadImport) as caught:
        read(path)
    assert caught.value.code == code
    assert len(str(caught.value).splitlines()) == 1 and name not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_every_hostile_file_stays_within_memory_and_time(tmp_path: Path) -> None:
    """In a process of its own, which is told how much address space there is and how much it really took."""
    for name, (make, _) in CORPUS.items():
        make(tmp_path / name)
    script = """if True:
        import json, re, resource, sys, time
        from pathlib import Path
        from tests.unit.test_archives import CORPUS, read
        from resources.imports.errors import BadImport
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        told = {}
        for name in CORPUS:
            began = time.process_time()
            try:
                read(Path(sys.argv[1]) / name)
            except BadImport as error:
                told[name] = [error.code, time.process_time() - began]
        # of this program alone: ru_maxrss also knows what the process was before it became this program
        peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
        print(json.dumps([told, peak / 1024]))
    """
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    told, mebibytes = json.loads(done.stdout)
    assert {name: code for name, (code, _) in told.items()} == {name: code for name, (_, code) in CORPUS.items()}
    assert max(seconds for _, seconds in told.values()) < MOST_SECONDS
    assert mebibytes < MOST_MEBIBYTES


@pytest.mark.parametrize(
    "members",
    [
        [("_chat.txt", CHAT), ("photo.jpg", b"\xff" * 100)],
        [("_chat.txt", CHAT), ("note.txt", "сказанное в чате"), ("docs/contract.zip", b"PK")],
        [("WhatsApp Chat with Анна.txt", CHAT), ("rules.txt", "x")],
        [("что угодно.txt", CHAT), ("__MACOSX/._что угодно.txt", b"\x00\x05")],
    ],
)
def test_a_real_export_is_found_in_its_archive(members: list[tuple[str, bytes | str]], tmp_path: Path) -> None:
    assert read(archive(tmp_path / "export.zip", *members)) == CHAT.count("\n")


def test_what_unpacks_by_itself_is_bounded_as_a_whole(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", *((f"{n}.xml", os.urandom(1000)) for n in range(5)))
    with path.open("rb") as file, open_archive(file, "x", Limits(total_bytes=5000)) as opened:
        assert sum(opened.members.values()) == 5000
    with (
        path.open("rb") as file,
        pytest.raises(BadImport, match="unpacks"),
        open_archive(file, "x", Limits(total_bytes=4999)),
    ):
        pass


def test_two_byte_texts_with_a_mark_are_read(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-8-sig"):
        assert list(lines(io.BytesIO(CHAT.encode(encoding)), "x")) == CHAT.splitlines()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30), max_size=30))
def test_only_a_line_feed_ends_a_line(texts: list[str]) -> None:
    """Form feeds, lone carriage returns, U+2028 and U+0085 stay where they are."""
    written = "\n".join(texts).encode()
    text = re.sub(r"\r(?=\n|\Z)", "", "\n".join(texts)).removeprefix("\ufeff")
    expected = text.split("\n")
    try:
        found = list(lines(io.BytesIO(written), "x"))
    except BadImport as error:
        assert error.code in ("binary", "utf16_unmarked") and "\x00" in text
        return
    # a last empty line has no end of its own
    assert found == (expected[:-1] if expected[-1] == "" else expected)


@pytest.mark.parametrize("size", [1, 3, 7, 1024])
def test_lines_do_not_depend_on_how_the_bytes_arrive(size: int) -> None:
    class Slow(io.BytesIO):
        def read(self, wanted: int | None = -1) -> bytes:
            return super().read(size)

    assert list(lines(Slow(CHAT.replace("\n", "\r\n").encode()), "x")) == CHAT.splitlines()


def test_the_longest_line_is_read_and_one_character_more_is_not() -> None:
    assert [len(one) for one in lines(io.BytesIO(b"a" * LONGEST_LINE + b"\nb"), "x")] == [LONGEST_LINE, 1]
    with pytest.raises(BadImport, match="line 2"):
        list(lines(io.BytesIO(b"b\n" + b"a" * (LONGEST_LINE + 1)), "x"))


def test_every_fault_has_its_words_on_the_screen() -> None:
    assert set(Imports.FAULTS) == set(FAULTS)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bent_archives_are_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(archive(tmp_path / "x.zip", ("_chat.txt", CHAT), ("a.jpg", b"x" * 50)).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = hostile.bytes_of(tmp_path / "bent.zip", bytes(content[: data.draw(st.integers(30, len(content)))]))
    try:
        read(path)
    except BadImport as error:
        assert error.code in FAULTS
