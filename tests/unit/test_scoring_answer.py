"""What a model says becomes an answer or a reason: every way to go wrong of fault F16, and whatever else it may say."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.scoring.answer import MOST_NOTES, answer_of, read_answer, stored
from conversations.scoring.answer_schema import schema_of
from conversations.scoring.request import repair_messages
from conversations.scoring.rubric import rubric_of
from conversations.scoring.shapes import Answer, Criterion, Problems
from tests.unit.reviewing import RUBRIC, content, mark, prepared, text_of, with_marks

GOOD = text_of(content())


def read(text: str | None, finish_reason: str | None = "stop", refusal: str | None = None) -> Answer | Problems:
    return read_answer(text, finish_reason, refusal, RUBRIC)


@pytest.mark.parametrize("deep", range(880, 1010, 3))
def test_brackets_as_deep_as_the_parser_lets_through_are_no_answer(deep: int) -> None:
    """Models repeat themselves; whatever breaks first, the parser or who looks at its result, it is no JSON."""
    for text in (
        f'{{"summary": {"[" * deep}{"]" * deep}}}',
        f'{{"a": {chr(123)}"b": {"[" * deep}{"]" * deep}{chr(125)}}}',
    ):
        found = read_answer(text, "stop", None, RUBRIC)
        assert isinstance(found, Problems) and found.reason in ("not_json", "wrong_schema")


def test_a_good_answer_is_read_whole() -> None:
    answer = read(GOOD)

    assert isinstance(answer, Answer)
    assert [(each.code, each.given, each.quote) for each in answer.criteria] == [
        ("greeting", 1, "Добрый день"),
        ("offer", 2, "Ёлка стоит 5 000 рублей"),
        ("polite", 1, "спасибо за вопрос"),
        ("pleased", 2, "мне всё нравится"),
    ]
    assert (answer.summary, answer.topic, answer.sentiment) == ("Клиент купил ёлку.", "покупка ёлки", "positive")
    assert [(note.kind, note.due) for note in answer.notes] == [
        ("recommendation", None),
        ("agreement", date(2026, 12, 30)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        f"```JSON {GOOD}```",
        f"\ufeff{GOOD}",
        f"\n\n  {GOOD}\n",
        f"```json\r\n{GOOD}\r\n```\n",
    ],
)
def test_a_fence_and_a_byte_order_mark_are_taken_off(text: str) -> None:
    assert read(text) == read(GOOD)


def test_criteria_in_another_order_come_in_the_rubrics() -> None:
    whole = content()
    whole["criteria"] = dict(reversed(whole["criteria"].items()))

    assert read(text_of(whole)) == read(GOOD)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("\ufeff", "empty"),
        ("Вот моя оценка: хорошо", "not_json"),
        (f"Вот ответ: {GOOD}", "not_json"),
        (f"{GOOD} Готово!", "not_json"),
        (GOOD[:-1], "not_json"),
        (GOOD.replace('"score": 1', '"score": 01'), "not_json"),
        (GOOD.replace('"score": 1', '"score": NaN'), "not_json"),
        (GOOD.replace('"topic"', '"summary": "", "topic"'), "not_json"),  # a key twice
        ('{"a":' * 60_000 + "1" + "}" * 60_000, "not_json"),
        ("[" * 100_000, "not_json"),
        (" ".join(["{"] * 300_000), "not_json"),
        ("null", "wrong_schema"),
        ("[]", "wrong_schema"),
        ("5", "wrong_schema"),
        ("{}", "wrong_schema"),
        (text_of([content()]), "wrong_schema"),
        (text_of(content(sentiment="happy")), "wrong_schema"),
        (text_of(content(summary=None)), "wrong_schema"),
        (text_of(content(is_suitable="yes")), "wrong_schema"),
        (text_of(content(extra=1)), "wrong_schema"),
        (text_of(content(criteria=[])), "wrong_schema"),
        (text_of(content(criteria=None)), "wrong_schema"),
        (text_of(content(decline_reasons=[{"code": "rain", "text": "a", "quote": None}])), "wrong_schema"),
        (text_of(with_marks(offer={"reason": "a", "quote": None})), "wrong_schema"),
        (text_of(with_marks(offer={**mark(1, "a"), "confidence": 1})), "wrong_schema"),
        (text_of(with_marks(offer=mark(3, "a"))), "out_of_scale"),
        (text_of(with_marks(offer=mark(-1, "a"))), "out_of_scale"),
        (text_of(with_marks(offer=mark(1.5, "a"))), "out_of_scale"),  # type: ignore[arg-type]
        (text_of(with_marks(offer=mark("2", "a"))), "out_of_scale"),
        (text_of(with_marks(offer=mark(True, "a"))), "out_of_scale"),
        (text_of(with_marks(offer=mark(None, "a"))), "out_of_scale"),  # type: ignore[arg-type]
        (text_of(with_marks(offer=mark(10**400, "a"))), "out_of_scale"),
        (text_of(with_marks(greeting=mark("not_applicable"))), "out_of_scale"),  # the rubric does not allow it here
        (text_of(with_marks(offer=None)), "missing_criterion"),
        (text_of(content(criteria={})), "missing_criterion"),
        (text_of(with_marks(made_up=mark(1, "a"))), "invented_criterion"),
    ],
)
def test_what_is_no_answer_has_a_reason_and_may_be_tried_again(text: str, reason: str) -> None:
    problems = read(text)

    assert isinstance(problems, Problems)
    assert (problems.reason, problems.can_repair) == (reason, True)
    assert problems.told


@pytest.mark.parametrize(
    ("text", "finish_reason", "refusal", "reason"),
    [
        (None, "stop", None, "refused"),
        (None, None, None, "refused"),
        (GOOD, "stop", "I cannot help with that", "refused"),
        (GOOD, "content_filter", None, "refused"),
        (None, "length", None, "truncated"),
        (GOOD[:200], "length", None, "truncated"),
        (GOOD, "length", None, "truncated"),
    ],
)
def test_what_asking_again_would_not_help_is_not_repaired(
    text: str | None, finish_reason: str | None, refusal: str | None, reason: str
) -> None:
    problems = read(text, finish_reason, refusal)

    assert isinstance(problems, Problems)
    assert (problems.reason, problems.can_repair) == (reason, False)


def test_a_missing_criterion_is_named_and_an_invented_one_is_not() -> None:
    missing = read(text_of(with_marks(offer=None, polite=None)))
    invented = read(text_of(with_marks(**{"клиент сказал секрет": mark(1, "a")})))

    assert isinstance(missing, Problems) and isinstance(invented, Problems)
    assert "offer, polite" in missing.told
    assert "секрет" not in invented.told and "1" in invented.told


def test_nothing_of_the_answer_is_repeated_in_what_is_told() -> None:
    for whole in (
        content(**{"СЕКРЕТ": 1}),
        content(sentiment="СЕКРЕТ"),
        with_marks(offer=mark("СЕКРЕТ", "СЕКРЕТ")),
        with_marks(offer={**mark(1), "СЕКРЕТ": "СЕКРЕТ"}),
    ):
        problems = read(text_of(whole))
        assert isinstance(problems, Problems)
        assert "СЕКРЕТ" not in repr(problems)


def test_an_unsuitable_talk_needs_no_marks() -> None:
    without = {name: value for name, value in content(is_suitable=False).items() if name != "criteria"}
    for whole, kind in (
        (without, "other"),
        (content(is_suitable=False, unsuitable_reason="voicemail"), "voicemail"),
        (content(is_suitable=False, unsuitable_reason="", criteria="?"), "other"),
    ):
        answer = read(text_of(whole))
        assert isinstance(answer, Answer)
        assert (answer.is_suitable, answer.unsuitable, answer.criteria) == (False, kind, ())
    assert isinstance(read(text_of(content(is_suitable=False, unsuitable_reason="weather"))), Problems)


def test_a_reason_against_a_suitable_talk_is_left_out() -> None:
    answer = read(text_of(content(unsuitable_reason="internal")))

    assert isinstance(answer, Answer)
    assert answer.is_suitable and answer.unsuitable is None


def test_a_date_that_is_none_and_empty_quotes_are_left_out() -> None:
    agreements = [{"text": "a", "due": due, "quote": ""} for due in ("завтра", "2026-02-30", "", "2026-12-01", None)]
    answer = read(text_of(content(agreements=agreements)))

    assert isinstance(answer, Answer)
    notes = [note for note in answer.notes if note.kind == "agreement"]
    assert [note.due for note in notes] == [None, None, None, date(2026, 12, 1), None]
    assert {note.quote for note in notes} == {None}


def test_long_lists_and_long_texts_are_cut() -> None:
    listed = [{"text": f"совет {n} " + "а" * 5_000, "quote": None} for n in range(50)]
    answer = read(text_of(content(recommendations=listed, summary="б " * 10_000)))

    assert isinstance(answer, Answer)
    assert sum(note.kind == "recommendation" for note in answer.notes) == MOST_NOTES
    assert max(len(note.text) for note in answer.notes) == 500
    assert len(answer.summary) <= 1_000


def test_half_a_character_and_nul_do_not_survive() -> None:
    text = text_of(content(summary="A\ud83dB\x00C", topic="\u202eevil")).encode("utf-8", "surrogatepass")
    answer = read(text.decode("utf-8", "surrogatepass"))

    assert isinstance(answer, Answer)
    assert all("\x00" not in each and each.encode() for each in (answer.summary, answer.topic))
    assert answer.topic == "evil"


def test_a_code_may_be_named_as_a_method_of_a_model() -> None:
    codes = ("copy", "json", "schema", "model_fields", "model_dump", "title", "description", "c0", "validate")
    rubric = rubric_of("odd", 1, [Criterion(code, code, "?", 1, 1) for code in codes])
    whole = content(criteria={code: mark(n % 2, "a") for n, code in enumerate(codes)})

    answer = read_answer(text_of(whole), "stop", None, rubric)

    assert isinstance(answer, Answer)
    assert [(each.code, each.given) for each in answer.criteria] == [(code, n % 2) for n, code in enumerate(codes)]
    assert list(schema_of(rubric)["properties"]["criteria"]["properties"]) == list(codes)


def test_the_schema_is_strict_everywhere() -> None:
    schema = schema_of(RUBRIC)
    objects: list[dict[str, Any]] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                objects.append(node)
            for each in node.values():
                collect(each)
        elif isinstance(node, list):
            for each in node:
                collect(each)

    collect(schema)
    assert len(objects) == 1 + 1 + 4 + 3  # whole, criteria, four marks, three notes
    for each in objects:
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])
    assert "$ref" not in text_of(schema) and "$defs" not in text_of(schema)
    scores = {
        code: each["properties"]["score"] for code, each in schema["properties"]["criteria"]["properties"].items()
    }
    assert scores["greeting"] == {
        "anyOf": [{"type": "integer", "enum": [0, 1]}, {"type": "string", "enum": ["insufficient_evidence"]}]
    }
    assert scores["offer"]["anyOf"] == [
        {"type": "integer", "enum": [0, 1, 2]},
        {"type": "string", "enum": ["not_applicable", "insufficient_evidence"]},
    ]


def test_a_stored_answer_comes_back_equal() -> None:
    answer = read(text_of(with_marks(offer=mark("not_applicable"))))

    assert isinstance(answer, Answer)
    assert answer_of(json.loads(json.dumps(stored(answer)))) == answer


def test_a_repair_shows_the_bad_answer_and_what_was_wrong() -> None:
    (request,) = prepared().requests
    problems = read(text_of(with_marks(offer=None)))
    assert isinstance(problems, Problems)

    messages = repair_messages(request, "x" * 50_000, problems)
    after_nothing = repair_messages(request, " ", problems)

    assert messages[:2] == request.messages
    assert [each["role"] for each in messages] == ["system", "user", "assistant", "user"]
    assert len(messages[2]["content"]) == 8_000
    assert "offer" in messages[3]["content"]
    assert [each["role"] for each in after_nothing] == ["system", "user", "user"]  # an empty answer is no message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_text_is_an_answer_or_a_reason_and_a_mark_is_never_outside_its_scale(data: st.DataObject) -> None:
    whole = content()
    for _ in range(data.draw(st.integers(0, 3))):
        where = data.draw(st.sampled_from(["whole", "criteria", "mark"]))
        target = {"whole": whole, "criteria": whole.get("criteria"), "mark": None}[where]
        if where == "mark" and isinstance(whole.get("criteria"), dict):
            target = whole["criteria"].get("offer")
        if isinstance(target, dict):
            names = st.sampled_from([*target, "x"]) if target else st.just("x")
            target[data.draw(names)] = data.draw(_JSON | st.integers(-1, 4))
    text = data.draw(st.sampled_from([json.dumps(whole), json.dumps(whole)[: data.draw(st.integers(0, 400))]]))

    answer = read(data.draw(st.just(text) | st.text(max_size=60)))

    if isinstance(answer, Answer):
        if answer.is_suitable:
            assert [each.code for each in answer.criteria] == [each.code for each in RUBRIC.criteria]
        for each, criterion in zip(answer.criteria, RUBRIC.criteria, strict=False):
            assert type(each.given) is int or isinstance(each.given, str)
            allowed = {*range(criterion.best + 1), "insufficient_evidence"}
            assert each.given in allowed | ({"not_applicable"} if criterion.may_not_apply else set())
    else:
        assert answer.reason in {
            "not_json", "wrong_schema", "out_of_scale", "missing_criterion", "invented_criterion", "truncated",
            "refused", "empty",
        }  # fmt: skip
