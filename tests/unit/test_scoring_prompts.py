"""Templates: what they may hold, that values are never read as templates, the files below ``prompts/``."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.scoring.prompts import PLACES, check_prompt, fill, prompt_of
from resources.prompts import PROJECT_PROMPTS, PromptError, prompt_in_force

WHOLE = "{transcription}{criteria_list}{custom_instructions}"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (WHOLE, 0),
        (WHOLE + WHOLE, 0),
        (WHOLE + '{"score": 1} {} { } {1} {{ }} {% raw %} {# #} ${x', 0),
        ("", 1),
        (" \n", 1),
        ("{transcription} {criteria_list}", 1),
        ("nothing", 3),
        (WHOLE + "{manager_name}", 1),
        (WHOLE + "{транскрипт}", 1),
        ("{transcript}{criteria_list}{custom_instructions}", 2),  # one missing, one unknown
        (WHOLE + "\ue000", 1),
        (WHOLE + "a" * 100_000, 1),
    ],
)
def test_what_is_wrong_with_a_template(text: str, problems: int) -> None:
    assert len(check_prompt(text)) == problems
    if problems:
        with pytest.raises(ValueError, match=r"\S"):
            prompt_of("p", 1, text)
    else:
        assert prompt_of("p", 1, text).text == text


def test_each_place_gets_its_value_wherever_it_stands() -> None:
    filled = fill(
        '{criteria_list}|{"a": {"b": 1}}|{custom_instructions}|{transcription}|{criteria_list}', "T", "C", "I"
    )

    assert filled == 'C|{"a": {"b": 1}}|I|T|C'


@pytest.mark.parametrize(
    "value",
    [
        "{criteria_list}",
        "{{ 7 * 7 }}",
        "{% for x in range(10) %}x{% endfor %}",
        "\ue000criteria_list\ue001",
        "\ue0027\ue003",
        "{transcription.__class__}",
        "%s %(x)s $x ${x} \\g<0> \\1",
        "<b>&amp;</b>",
        "\r\n\ttab",
    ],
)
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert fill("[{transcription}]{criteria_list}{custom_instructions}", value, "", value) == f"[{value}]{value}"


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_value_stands_as_it_is(said: str, told: str) -> None:
    assert fill("a{transcription}b{criteria_list}c{custom_instructions}d", said, "x", told) == f"a{said}bxc{told}d"


@given(st.text("{}%#$ab\n_\"'", max_size=30))
def test_any_other_brace_stays(text: str) -> None:
    template = text + WHOLE
    if not check_prompt(template):
        assert fill(template, "1", "2", "3") == text + "123"


# ---- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sales_calls", "office_calls", "chats"])
def test_the_prompts_that_come_along_can_be_used(name: str) -> None:
    prompt = prompt_in_force(name)

    assert (prompt.prompt_id, prompt.version) == (name, 1)
    assert all(prompt.text.count(f"{{{place}}}") == 1 for place in PLACES)
    assert len({prompt_in_force(other).hash for other in ("sales_calls", "office_calls", "chats")}) == 3


def test_the_highest_version_is_in_force_and_an_edit_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for version in (1, 2, 10):
        (folder / f"v{version}.md").write_text(f"{version} {WHOLE}", encoding="utf-8")
    (folder / "v99.txt").write_text("no prompt", encoding="utf-8")
    (folder / "v011.md").write_text("no version", encoding="utf-8")

    first = prompt_in_force("own", tmp_path)
    (folder / "v10.md").write_text(f"\ufeffedited {WHOLE}", encoding="utf-8")
    second = prompt_in_force("own", tmp_path)

    assert (first.version, first.text) == (10, f"10 {WHOLE}")
    assert (second.version, second.text) == (10, f"edited {WHOLE}")
    assert first.hash != second.hash


def test_own_prompts_go_before_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "chats").mkdir()
    (tmp_path / "chats" / "v1.md").write_text(WHOLE, encoding="utf-8")

    assert prompt_in_force("chats", tmp_path).text == WHOLE
    assert prompt_in_force("sales_calls", tmp_path) == prompt_in_force("sales_calls")
    assert prompt_in_force("chats").text != WHOLE


@pytest.mark.parametrize("name", ["../secrets", "a/b", "", "Caps", "п", "a" * 80, "none_such", "."])
def test_a_prompt_that_is_not_there_is_a_clear_error(name: str) -> None:
    with pytest.raises(PromptError) as caught:
        prompt_in_force(name)

    assert "prompts" in str(caught.value) or "имя промпта" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", WHOLE.encode() + b"{who}", b"x" * 500_000, "{transcription}".encode("utf-16")],
)
def test_a_prompt_that_cannot_be_used_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "v3.md").write_bytes(content)

    with pytest.raises(PromptError, match=r"v3\.md"):
        prompt_in_force("bad", tmp_path)


def test_a_folder_without_versions_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(PromptError, match=r"vN\.md"):
        prompt_in_force("empty", tmp_path)


def test_the_wheel_holds_prompts_and_lexicons(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(PROJECT_PROMPTS.parent)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    ours = [*PROJECT_PROMPTS.rglob("*.md"), *PROJECT_PROMPTS.rglob("*.yaml")]
    assert len(ours) >= 6
    assert {path.relative_to(PROJECT_PROMPTS.parent).as_posix() for path in ours} <= packed
    assert "conversations/lexicon/speech/order_to_judge.yaml" in packed
