"""Folders of lexicons: what is refused and how clearly, what the hash covers, where the files are found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

import conversations.lexicon
from conversations.lexicon import Lexicon, LexiconError
from conversations.lexicon.kazakh import Stemmer
from conversations.lexicon.phrases import PhraseError, parse
from conversations.lexicon.russian import UnknownWord, forms

_LINE = "      - сколько стоить\n"
DATA = Path(conversations.lexicon.__file__).parent / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the lexicons, to be spoiled."""
    return Path(shutil.copytree(DATA, tmp_path / "lexicons"))


def _edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


@pytest.mark.parametrize(
    ("name", "before", "after", "says"),
    [
        ("price", _LINE, "      - сколько стоит\n", "price.yaml, entry how_much: 'стоит' is a form of 'стоить'"),
        ("price", _LINE, "      - сколько плюмбусить\n", r"how_much: 'плюмбусить' is not in the dictionary: write ="),
        ("price", _LINE, "      - сколько стоить:вчера\n", r"how_much: .*'вчера' is no form; forms are"),
        ("price", _LINE, '      - "@нету стоить"\n', r"how_much: there is no set @нету; sets are"),
        ("price", _LINE, '      - "<рост> стоить"\n', r"how_much: there is no kind of figure <рост>; kinds are"),
        ("price", _LINE, "      - сколько ..\n", r"how_much: .* must begin and end with a word"),
        ("price", "intent: price", "intent: delivery", r"price.yaml: intent must be 'price'"),
        ("price", "version: 1", "version: 0", r"price.yaml: .*\n  version: "),
        ("price", "  - id: with_delivery", "  - id: how_much", r"price.yaml, entry how_much: two entries have this id"),
        ("price", "    not_found:\n", "    notfound:\n", r"entries\[0\] \(how_much\)\.not_found: Field required"),
        ("price", "    not_found:\n", "    notfound:\n", r"\(how_much\)\.notfound: there is no such setting"),
        ("price", "title: ", "title: x\ntitle: ", r"price.yaml, line 4: 'title' is written twice"),
        ("price", "entries:", "entries: [", r"price.yaml, line \d+: "),
        ("closing", "      - refusal\n", "      - refuse\n", "closing.yaml, entry thanks: .* names 'refuse'"),
        ("paid", "    side: manager\n", "    side: bot\n", r"paid.yaml: .*\n  entries\[1\] \(manager_saw\)\.side: "),
        ("common", "ни, без]", "ни, =без =этого]", r"common.yaml: '=без =этого' must be a single word"),
    ],
)  # fmt: skip
def test_refuses_and_says_where(folder: Path, name: str, before: str, after: str, says: str) -> None:
    _edit(folder / f"{name}.yaml", before, after)
    with pytest.raises(LexiconError, match=says):
        Lexicon.load(folder)


def test_refuses_a_missing_and_an_unknown_file(folder: Path) -> None:
    (folder / "price.yaml").rename(folder / "prise.yaml")
    with pytest.raises(LexiconError, match="see price, prise"):
        Lexicon.load(folder)


def test_an_entry_of_ones_own_is_found(folder: Path) -> None:
    own = "  - id: of_our_city\n    ru: [сколько =деняк, =skolko]\n    found: [skolko]\n    not_found: [нисколько]\n"
    _edit(folder / "price.yaml", "entries:\n", "entries:\n" + own)
    assert Lexicon.default().intents("skolko", "customer") == frozenset()
    lexicon = Lexicon.load(folder)
    assert [hit.entry for hit in lexicon.find("skolko", "customer")] == ["of_our_city"]
    assert lexicon.hash != Lexicon.default().hash


def test_the_hash_covers_what_is_said_and_not_how_it_is_laid_out(folder: Path) -> None:
    before = Lexicon.load(folder).hash
    assert before == Lexicon.default().hash
    path = folder / "price.yaml"
    content = yaml.safe_load(path.read_text("utf-8"))
    path.write_text("# other layout\n" + yaml.safe_dump(content, allow_unicode=True, sort_keys=True), "utf-8")
    assert Lexicon.load(folder).hash == before
    for name, old, new in (
        ("price", "version: 1", "version: 2"),
        ("common", "скоко", "скокого"),
        ("kazakh", "shortest: 2", "shortest: 3"),
    ):
        shutil.copytree(DATA, folder, dirs_exist_ok=True)
        _edit(folder / f"{name}.yaml", old, new)
        assert Lexicon.load(folder).hash != before, name


def test_the_files_lie_in_the_package_so_that_a_wheel_has_them() -> None:
    """hatch puts whole packages into the wheel; the image copies the folder ``conversations``."""
    root = Path(__file__).parents[2]
    settings = (root / "pyproject.toml").read_text("utf-8")
    assert (
        'packages = ["conversations", ' in settings
        and "exclude" not in settings.split("[tool.hatch", 1)[1].split("[tool.ruff")[0]
    )
    assert {path.stem for path in DATA.glob("*.yaml")} == {"common", "kazakh", *conversations.lexicon.INTENTS}


def test_forms_of_words() -> None:
    assert {"цена", "цены", "ценами", "ценою"} <= forms("цена")
    assert "стоимостью" in forms("стоимость") and "елки" in forms("ёлка")
    assert forms("купить", ("инф",)) == {"купить"}
    assert "купил" not in forms("купить", ("буд",)) and "куплю" in forms("купить", ("буд",))
    assert "купленный" not in forms("купить") and "купленный" in forms("купить", ("прич",))
    with pytest.raises(UnknownWord):
        forms("цены")


def test_stems_of_kazakh_words() -> None:
    source = Lexicon.default().source.kazakh
    stemmer = Stemmer((e for group in source.endings.values() for e in group), source.voiced, source.shortest)
    for word, stem in [
        ("бағасын", "бага"), ("бағаларыңызды", "бага"), ("жеткізесіздер", "жеткиз"), ("өлшемдері", "олшем"),
        ("размерлер", "размер"), ("тапсырысымды", "тапсирис"), ("қалдырыңызшы", "калдир"), ("түстері", "тус"),
    ]:  # fmt: skip
        assert stem in stemmer.stems(word), word
    for word, stem in [
        ("алмаңыз", "ал"),
        ("алмаймын", "ал"),
        ("алмайын", "ал"),
        ("келмейді", "кел"),
        ("жазба", "жаз"),
        ("таппайды", "тап"),
    ]:
        assert stem not in stemmer.stems(word), word
    assert "тап" in stemmer.stems("табады") and "кел" in stemmer.stems("келеді")
    assert stemmer.stems("а") == {"а"}


@pytest.mark.parametrize("text", ["", "^", "?", ".. цена", "цена ..", "=", "*", "сколько ? стоить", "@x", "<x>"])
def test_phrases_that_cannot_be_read(text: str) -> None:
    with pytest.raises(PhraseError):
        parse(text, "ru", {})
