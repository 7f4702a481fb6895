"""Examples and advice: which talks, about which message, where they are opened; and no word of them in a mart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assets.marts.description import marts
from conversations.examples import Candidate, choose
from conversations.policy import Policy
from conversations.policy_exports import Exports
from conversations.redact import snippet
from resources.warehouse.engine import Warehouse
from tests.pipeline.standin import ANNA, BORIS, Floor, moment

WEEK = "2026-W46"
KINDS = ("no_reply", "slow_reply", "no_next_step", "good")
WORKING_DAYS = """
organisation: {calendar: office}
calendars:
  office: {time_zone: UTC, weekly: {mon: "09:00-18:00", tue: "09:00-18:00", wed: "09:00-18:00"}}
exports: {chat_link: "{url}/chats/{chat}"}
"""


@pytest.fixture
def floor(database: Warehouse) -> Iterator[Floor]:
    with ExitStack() as closing:
        yield Floor(database, closing)


def shown(floor: Floor, manager: str = ANNA) -> list[tuple[str, str | None, int | None]]:
    found = floor.rows("weekly_examples", manager_key=manager)
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    return [(row["kind"], row["wait_id"] or row["session_id"], row["seconds"]) for row in found]


def test_the_longest_come_first_and_a_good_one_last(floor: Floor) -> None:
    short, long = floor.wait(WEEK, outcome="slow_reply", seconds=3000), floor.wait(WEEK, outcome="slow_reply",
                                                                                  seconds=9000)  # fmt: skip
    ignored = floor.wait(WEEK, outcome="no_reply")
    floor.wait(WEEK)
    floor.wait(WEEK, BORIS, "slow_reply")
    stuck = [floor.session(WEEK, made_offer=True, has_next_step=False) for _ in range(3)]
    good = [floor.session(WEEK, is_good=True) for _ in range(2)]
    floor.publish(WEEK)
    assert shown(floor) == [
        ("no_reply", ignored, 28_800), ("slow_reply", long, 9000), ("slow_reply", short, 3000),
        ("no_next_step", min(stuck), None), ("good", min(good), None),
    ]  # fmt: skip
    assert [kind for kind, _, _ in shown(floor, BORIS)] == ["slow_reply"]
    messages = {row["kind"]: row["message_id"] for row in floor.rows("weekly_examples", manager_key=ANNA)}
    assert messages == {"no_reply": "m3", "slow_reply": "m1", "no_next_step": "n", "good": "last"}


def test_without_trouble_there_are_three_good_ones(floor: Floor) -> None:
    good = sorted(floor.session(WEEK, is_good=True, made_offer=True) for _ in range(4))
    floor.publish(WEEK)
    assert shown(floor) == [("good", one, None) for one in good[:3]]
    assert {row["message_id"] for row in floor.rows("weekly_examples")} == {"o"}


def test_without_a_good_one_there_are_five_that_went_wrong(floor: Floor) -> None:
    for number in range(7):
        floor.wait(WEEK, None, "no_reply", chat=f"shop:c{number}")
    floor.publish(WEEK)
    assert [kind for kind, _, _ in shown(floor, "none")] == ["no_reply"] * 5


def test_waiting_is_told_in_working_time_where_the_target_counts_it(floor: Floor) -> None:
    floor.policy = Policy.parse(WORKING_DAYS)
    wednesday = moment(WEEK)
    opened = wednesday - timedelta(hours=22)  # Tuesday 14:00: 4 hours on Tuesday, 3 on Wednesday
    of_office = {"hours_basis": "business", "calendar_id": "office"}
    late = floor.wait(WEEK, outcome="no_reply", opened_at=opened, settled_at=wednesday, **of_office)
    slow = floor.wait(WEEK, outcome="slow_reply", seconds=80_000, manager_wait_business_seconds=7000, **of_office)
    floor.wait(WEEK, BORIS, "slow_reply", seconds=80_000)
    floor.publish(WEEK)
    assert shown(floor) == [("no_reply", late, 7 * 3600), ("slow_reply", slow, 7000)]
    basis = {row["manager_key"]: row["hours_basis"] for row in floor.rows("weekly_examples")}
    assert basis == {ANNA: "business", BORIS: "calendar"}


def test_a_chat_is_opened_at_the_address_of_its_account(floor: Floor) -> None:
    floor.policy = Policy.parse(WORKING_DAYS.partition("exports:")[0])
    floor.wait(WEEK, outcome="no_reply", chat="shop:4711")
    floor.publish(WEEK)
    assert [row["chat_link"] for row in floor.rows("weekly_examples")] == [None], "the policy names no pattern"
    floor.policy = Policy.parse(WORKING_DAYS)
    floor.publish(WEEK)
    assert [row["chat_link"] for row in floor.rows("weekly_examples")] == [None], "the account has no address"
    floor.put("ops.connections", connection_id="shop", vendor="retailcrm", origin="stored", settings="{}")
    floor.owner.execute('update ops.connections set settings = \'{"base_url": "https://shop.example"}\'')
    floor.publish(WEEK)
    assert [row["chat_link"] for row in floor.rows("weekly_examples")] == ["https://shop.example/chats/4711"]
    assert len(floor.rows("week_revisions")) == 1, "an address is no figure"


@pytest.mark.parametrize("pattern", ["{url}/chats", "{url}/{chat}/{who}", "javascript:{chat}", "{url}/{chat", "{chat}"])
def test_a_pattern_that_leads_nowhere_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="write an address with"):
        Exports(chat_link=pattern)


def test_advice_is_told_once_to_whom_it_is_about(floor: Floor) -> None:
    asked = moment(WEEK) - timedelta(days=1)
    floor.wait(WEEK, BORIS)
    floor.put("reference.people", manager_id=BORIS, person_id="boris", person_name="Борис Л.")
    floor.put("core.messages", conversation_id="shop:c9", message_id="m9", sent_at=asked, text="секрет")
    about = {"conversation_id": "shop:c9", "connection_id": "shop", "session_id": "s", "message_id": "m9"}
    for key, manager, rule in (("a", BORIS, "no_offer"), ("b", None, "no_answer")):
        floor.put("evaluated.advice", advice_id=key, manager_id=manager, rule=rule, rule_version=1, given_week=WEEK,
                  given_at=moment(WEEK), **about)  # fmt: skip
    floor.put("evaluated.advice", advice_id="later", rule="no_offer", given_week="2026-W47", **about)
    floor.publish(WEEK)
    told = floor.rows("chat_advice")
    assert [(row["advice_id"], row["manager_key"], row["manager_name"], row["rule"]) for row in told] == [
        ("a", "boris", "boris", "no_offer"), ("b", "none", "Без менеджера", "no_answer"),
    ]  # fmt: skip
    assert {(row["message_id"], row["at"], row["given_at"]) for row in told} == {("m9", asked, moment(WEEK))}


def test_no_mart_has_room_for_words() -> None:
    """The analyst reads marts and no text (S5)."""
    assert not [
        f"{mart.name}.{column.name}"
        for mart in marts()
        for column in mart.columns
        if column.name in ("text", "snippet", "body", "content")
    ]


candidates = st.builds(
    lambda kind, session, seconds, wait: Candidate(kind, session, seconds if "reply" in kind else None, wait),
    st.sampled_from(KINDS), st.sampled_from("abcdefgh"), st.integers(1, 5), st.sampled_from("12345"),
)  # fmt: skip


@given(st.lists(candidates, max_size=20))
def test_the_choice_follows_the_contract(given_candidates: list[Candidate]) -> None:
    chosen = choose(given_candidates)
    assert chosen == choose(given_candidates[::-1]), "the order in which they come changes nothing"
    sessions = [one.session_id for one in chosen]
    assert len(set(sessions)) == len(sessions) <= 5
    worst: dict[str, int] = {}
    for one in given_candidates:
        worst[one.session_id] = min(worst.get(one.session_id, 9), KINDS.index(one.kind))
    good = [session for session, kind in worst.items() if kind == 3]
    assert len(chosen) >= min(3, len(worst)) and len(chosen) >= min(5, len(worst) - max(0, len(good) - 1))
    assert bool(good) == any(one.kind == "good" for one in chosen)
    places = [KINDS.index(one.kind) for one in chosen]
    assert places == sorted(places)
    for one, other in pairwise(chosen):
        if one.kind == other.kind:
            assert (-(one.seconds or 0), one.session_id) < (-(other.seconds or 0), other.session_id)
    # whoever is left out is not better than who is shown, of what went wrong
    shown_wrong = [one for one in chosen if one.kind != "good"]
    if len(shown_wrong) < len(worst) - len(good):
        assert len(shown_wrong) == (4 if good else 5)


def test_a_snippet_is_masked_before_it_is_cut() -> None:
    text = "x" * 275 + " 8 926 123-45-67"
    assert snippet(text) == "x" * 275 + " [те…"
    assert "926" not in snippet(text)
    assert len(snippet("слово " * 100)) == 280
