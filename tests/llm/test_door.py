"""A question's way through the door, over HTTP: calls, outcomes, money, ends, all counted exactly."""

from __future__ import annotations

import logging
import subprocess
import sys
import time

import pytest

from resources.clients.errors import Forbidden, NeedsAuth, NotFound, Refused
from resources.llm.ledger import Evaluated, OverBudget
from tests.emulators.llm import LlmEmulator
from tests.llm.asking import MODEL, OTHER, Book, ask, request_of, scoring


def test_an_answer_is_booked_with_the_gateways_price(gateway: LlmEmulator) -> None:
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    (call,) = gateway.calls
    assert isinstance(end, Evaluated) and end.answer is not None
    assert (end.reason, end.is_final, end.calls, end.model) == (None, True, 1, MODEL)
    assert end.answered_by == "demo-judge (эмулятор)"
    assert [(one.code, one.given) for one in end.answer.criteria] == [("greeting", 1), ("needs", 2), ("next_step", 2)]
    (paid,) = book.paid.values()
    assert paid == ("ok", call.cost_microusd, "gateway", call.prompt_tokens, call.completion_tokens, "call-1")
    assert (end.prompt_tokens, end.completion_tokens) == (call.prompt_tokens, call.completion_tokens)
    assert end.cost_microusd == call.cost_microusd > 0
    assert book.ends == [end]
    assert book.planned[0].worst_microusd > call.cost_microusd
    assert (call.model, call.max_tokens) == ("first-judge", 2_000)


def test_without_the_gateways_price_tokens_times_the_policys_price(gateway: LlmEmulator) -> None:
    gateway.set(does_tell_cost=False)
    book = Book()
    ask(gateway, [request_of()], book=book)
    (call,) = gateway.calls
    exact = call.prompt_tokens * 3.0 + call.completion_tokens * 12.0
    assert book.costs == [round(exact)] and book.paid["0"].price_from == "policy"


def test_without_price_and_usage_the_worst_price_is_booked_and_tokens_stay_unknown(gateway: LlmEmulator) -> None:
    gateway.set(does_tell_cost=False, does_tell_usage=False)
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated) and end.answer is not None
    assert (end.prompt_tokens, end.completion_tokens) == (None, None)
    assert book.costs == [book.planned[0].worst_microusd] == [end.cost_microusd]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("malformed", "not_json"),
        ("prose", "not_json"),
        ("wrong_schema", "wrong_schema"),
        ("out_of_range", "out_of_scale"),
        ("missing_criterion", "missing_criterion"),
        ("invented_criterion", "invented_criterion"),
        ("empty", "empty"),
        ("no_choices", "empty"),
    ],
)
def test_a_bad_answer_is_repaired_twice_at_most(gateway: LlmEmulator, mode: str, reason: str) -> None:
    gateway.modes.add(mode)
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated)
    assert (end.answer, end.reason, end.is_final, end.calls) == (None, reason, True, 3)
    assert book.purposes == ["first", "repair", "repair"] and book.outcomes == ["invalid"] * 3
    assert [call.is_repair for call in gateway.calls] == [False] + [mode not in ("empty", "no_choices")] * 2
    # every call of it is booked, as the gateway counts them
    assert end.cost_microusd == sum(book.costs) == gateway.summary()["cost_microusd"]
    assert end.prompt_tokens == gateway.summary()["prompt_tokens"]
    assert [call.attempt for call in book.planned] == [1, 2, 3]


@pytest.mark.parametrize("mode", ["malformed", "out_of_range", "missing_criterion", "empty"])
def test_a_repair_that_helps_is_the_answer(gateway: LlmEmulator, mode: str) -> None:
    gateway.modes.add(mode, times=1)
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated) and end.answer is not None
    assert (end.calls, book.outcomes) == (2, ["invalid", "ok"])


def test_a_fenced_answer_needs_no_repair(gateway: LlmEmulator) -> None:
    gateway.modes.add("fenced")
    (end,) = ask(gateway, [request_of()])
    assert isinstance(end, Evaluated) and end.answer is not None and end.calls == 1


@pytest.mark.parametrize("mode", ["refusal", "content_null", "content_filter"])
def test_a_refusal_is_final_after_one_call(gateway: LlmEmulator, mode: str) -> None:
    gateway.modes.add(mode)
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated)
    assert (end.reason, end.is_final, end.calls, book.outcomes) == ("refused", True, 1, ["refused"])


def test_a_truncated_answer_is_asked_for_once_more_with_twice_the_length(gateway: LlmEmulator) -> None:
    gateway.modes.add("length")
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated)
    assert (end.reason, end.is_final, book.outcomes) == ("truncated", True, ["truncated"] * 2)
    assert [call.max_tokens for call in gateway.calls] == [2_000, 4_000]
    assert book.planned[1].worst_microusd - book.planned[0].worst_microusd == 2_000 * 12
    gateway.modes.clear()
    gateway.modes.add("length", times=1)
    (end,) = ask(gateway, [request_of(1)])
    assert isinstance(end, Evaluated) and end.answer is not None


@pytest.mark.parametrize(
    ("status", "reason", "is_paid"),
    [
        (429, "rate_limited", False),
        (500, "unavailable", False),
        (502, "unavailable", False),
        (503, "unavailable", False),
        (408, "timed_out", True),
        (504, "timed_out", True),
    ],
)
def test_an_outage_is_tried_as_often_as_the_policy_says(
    gateway: LlmEmulator, status: int, reason: str, is_paid: bool
) -> None:
    gateway.modes.add("status", status=status)
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated)
    assert (end.answer, end.reason, end.is_final, end.calls) == (None, reason, False, 3)
    assert [call.status for call in gateway.calls] == [status] * 3
    assert book.outcomes == [reason] * 3 and book.ends == [end]
    # a gateway that gave up on its model may have to pay it; one that refused did not ask it
    assert book.costs == [call.worst_microusd if is_paid else 0 for call in book.planned]


@pytest.mark.parametrize("mode", ["reset", "lost", "html"])
def test_a_connection_that_breaks_is_an_outage_that_may_have_cost(gateway: LlmEmulator, mode: str) -> None:
    gateway.modes.add(mode, times=2)
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated) and end.answer is not None
    assert book.outcomes == ["unavailable", "unavailable", "ok"]
    assert book.costs[:2] == [call.worst_microusd for call in book.planned[:2]]


def test_nobody_there_costs_nothing(gateway: LlmEmulator) -> None:
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book, base_url="http://127.0.0.1:9/v1")
    assert isinstance(end, Evaluated)
    assert (end.reason, end.is_final, book.costs) == ("unavailable", False, [0, 0, 0])


def test_a_hanging_gateway_gets_its_share_of_the_deadline(gateway: LlmEmulator) -> None:
    gateway.modes.add("hang", seconds=60)
    book = Book()
    began = time.monotonic()
    (end,) = ask(gateway, [request_of()], book=book, policy=scoring(deadline_seconds=3.0))
    assert isinstance(end, Evaluated)
    assert (end.reason, end.is_final, end.calls) == ("timed_out", False, 3)
    # however busy the machine is: each call had a third, and none of them the minute that the gateway is silent
    assert 2.5 < time.monotonic() - began < 30
    gaps = [b.at - a.at for a, b in zip(gateway.calls, gateway.calls[1:], strict=False)]
    assert all(0.7 < gap < 20 for gap in gaps), gaps


@pytest.mark.parametrize(
    ("mode", "options", "error"),
    [
        ("status", {"status": 401}, NeedsAuth),
        ("status", {"status": 403}, Forbidden),
        ("status", {"status": 404}, NotFound),
        ("status", {"status": 402}, Refused),
        ("budget", {}, Refused),
    ],
)
def test_what_a_person_must_mend_shuts_the_door(gateway: LlmEmulator, mode: str, options: dict, error: type) -> None:
    gateway.modes.add(mode, **options)
    book = Book()
    ends = ask(gateway, [request_of(n) for n in range(6)], book=book, policy=scoring(concurrency=1))
    assert [type(end) for end in ends] == [error] * 6
    assert len(gateway.calls) == 1 and book.outcomes == ["rejected"] and book.costs == [0]
    if error is not Refused:
        # the error is one line for people, without the key
        assert gateway.api_key not in str(ends[0])


def test_a_question_that_is_not_accepted_ends_and_the_others_go_on(gateway: LlmEmulator) -> None:
    gateway.modes.add("status", status=400, times=1)
    book = Book()
    ends = ask(gateway, [request_of(n) for n in range(3)], book=book, policy=scoring(concurrency=1))
    assert [(end.reason, end.is_final, end.calls) for end in ends if isinstance(end, Evaluated)] == [
        ("rejected", False, 1),
        (None, True, 1),
        (None, True, 1),
    ]


def test_ten_questions_in_a_row_that_are_not_accepted_shut_the_door(gateway: LlmEmulator) -> None:
    gateway.modes.add("status", status=422)
    ends = ask(gateway, [request_of(n) for n in range(14)], policy=scoring(concurrency=1))
    assert len(gateway.calls) == 10
    assert [isinstance(end, Refused) for end in ends] == [False] * 10 + [True] * 4


def test_a_question_beyond_the_context_is_final(gateway: LlmEmulator) -> None:
    gateway.modes.add("context")
    (end,) = ask(gateway, [request_of()])
    assert isinstance(end, Evaluated) and (end.reason, end.is_final, end.calls) == ("too_long", True, 1)


def test_a_paid_answer_whose_repair_is_not_accepted_is_not_bought_again(gateway: LlmEmulator) -> None:
    gateway.modes.add("malformed", on="first")
    gateway.modes.add("status", status=400, on="repair")
    book = Book()
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, Evaluated) and (end.reason, end.is_final) == ("not_json", True)
    assert book.outcomes == ["invalid", "rejected"]


def test_the_next_model_is_asked_without_a_pause_and_named(gateway: LlmEmulator) -> None:
    gateway.modes.add("status", status=503, model="first-judge", retry_after=60)
    book = Book()
    ends = ask(
        gateway, [request_of(n) for n in range(4)], book=book, models=(MODEL, OTHER), policy=scoring(concurrency=1)
    )
    assert all(isinstance(end, Evaluated) and end.answer and end.model == MODEL for end in ends)
    # told to stay away for a minute: the first model is asked once, by the first question only
    assert [call.model for call in gateway.calls] == ["first-judge", *["second-judge"] * 4]
    assert [call.model for call in book.planned] == [MODEL, *[OTHER] * 4]
    assert gateway.summary()["early"] == 0


def test_attempts_count_over_all_models(gateway: LlmEmulator) -> None:
    gateway.modes.add("status", status=500)
    (end,) = ask(gateway, [request_of()], models=(MODEL, OTHER))
    assert isinstance(end, Evaluated) and (end.reason, end.calls) == ("unavailable", 3)
    assert [call.model for call in gateway.calls] == ["first-judge", "second-judge", "first-judge"]


def test_a_model_that_is_not_there_is_asked_once_and_never_again(gateway: LlmEmulator) -> None:
    gateway.set(models="second-judge")
    ends = ask(gateway, [request_of(n) for n in range(3)], models=(MODEL, OTHER), policy=scoring(concurrency=1))
    assert all(isinstance(end, Evaluated) and end.answer for end in ends)
    assert [call.model for call in gateway.calls] == ["first-judge", *["second-judge"] * 3]


def test_a_call_that_does_not_fit_the_budget_is_not_made(gateway: LlmEmulator) -> None:
    book = Book(cap_microusd=1)
    (end,) = ask(gateway, [request_of()], book=book)
    assert isinstance(end, OverBudget) and end.cap == "run"
    assert gateway.calls == [] and book.planned == []


def test_nothing_of_the_talk_and_no_key_reaches_a_log(
    gateway: LlmEmulator, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for mode, options in (
        ("malformed", {"times": 1}),
        ("status", {"status": 500, "times": 1}),
        ("reset", {"times": 1}),
        ("context", {"after": 3}),
    ):
        gateway.modes.add(mode, **options)
    request = request_of(41)
    ask(gateway, [request, request_of(42)], policy=scoring(concurrency=1))
    out = capfd.readouterr()
    shown = caplog.text + out.out + out.err
    assert "reason=unavailable status=500" in shown
    for word in ("Лепесток", "заказ на", gateway.api_key, "Оцени", "Give Feedback"):
        assert word not in shown, word


def test_importing_the_door_imports_neither_litellm_nor_its_clients() -> None:
    program = (
        "import sys, resources.llm.door, resources.llm.opening, resources.llm.caller, orchestration.resources\n"
        "print(sorted({'litellm', 'openai', 'aiohttp', 'httpx', 'tiktoken'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
