"""Properties of the judgement of waits and sessions: equal to the slow oracle, and the invariants of section 9.

Here: random customers; invariants 1-8 and 12, each by its number. Not here: worked examples
(``test_contract_examples``); invariants of shares, deltas and publication, which are about marts.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conversations.timeline import SECOND, Chat, Contact, Evaluation, Instant, TimedMessage, Wait
from tests.oracle.judge import judge
from tests.oracle.policy import CalendarVersion, ChannelSettings, OraclePolicy
from tests.unit.conftest import examples
from tests.unit.judging import at, comparable, differences, engine, message
from tests.unit.scenarios import CALENDARS, DAY, MINUTE, STARTS, Scenario, contacts, policies, scenarios

ANSWERED = {"in_target", "slow_reply"}
UNANSWERED = {"no_reply", "window_expired"}
OUTSIDE = {"not_required", "bot_handled", "pending"}
FAR = 40 * DAY * SECOND

OF_CUSTOMER_VIEW = (
    "opened_at",
    "last_asking_at",
    "answered_at",
    "answered_after_limit_at",
    "settled_at",
    "limit_at",
    "outcome",
    "reply_kind",
    "owner_manager_id",
    "reply_manager_id",
    "wait_seconds",
    "wait_business_seconds",
    "wait_from_last_seconds",
    "pending_seconds",
    "target_seconds",
    "limit_seconds",
    "is_first_of_session",
    "had_failed_reply",
    "clock_skew",
    "closed_unanswered",
    "calendar_id",
    "asking_message_ids",
)


def judged(scenario: Scenario) -> Evaluation:
    return engine(scenario.contact, scenario.policy, scenario.as_of)


def without_sequence(contact: Contact) -> Contact:
    """The same story where the channel has no order of its own, so that clocks cannot contradict it."""
    return contact._replace(messages=[row._replace(source_seq=None) for row in contact.messages])


@settings(max_examples=examples(600))
@given(scenarios())
def test_the_product_judges_as_the_contract_read_slowly(scenario: Scenario) -> None:
    """Every field of every wait, session and left_waiting row."""
    expected = judge(scenario.contact, scenario.policy, scenario.as_of)
    assert differences(judged(scenario), expected) == []


@settings(max_examples=examples(120))
@given(scenarios())
def test_1_settled_waits_are_answered_or_unanswered_and_the_rest_is_outside(scenario: Scenario) -> None:
    for wait in judged(scenario).waits:
        assert wait.outcome in ANSWERED | UNANSWERED | OUTSIDE
        assert (wait.settled_at is None) == (wait.outcome == "pending") == (wait.pending_seconds is not None)
        assert wait.settled_at is None or wait.settled_at // SECOND <= scenario.as_of // SECOND
        assert (wait.outcome in ANSWERED) == (wait.answered_at is not None) == (wait.wait_seconds is not None)
        assert wait.answered_at is None or wait.settled_at == wait.answered_at
        assert (wait.outcome in ANSWERED) == (wait.outcome_manager in ANSWERED)
        assert wait.answered_after_limit_at is None or wait.outcome in UNANSWERED


@settings(max_examples=examples(120))
@given(scenarios())
def test_2_every_asking_message_lies_in_exactly_one_wait_and_waits_do_not_overlap(scenario: Scenario) -> None:
    contact = without_sequence(scenario.contact)
    result = engine(contact, scenario.policy, scenario.as_of)
    untimed = {chat.conversation_id for chat in contact.chats if chat.is_untimed}
    untimed |= {row.conversation_id for row in contact.messages if row.sent_at is None}
    asked = [(wait.conversation_id, message_id) for wait in result.waits for message_id in wait.asking_message_ids]
    assert len(asked) == len(set(asked))
    edited = {row.message_id for row in contact.messages if row.edited_at is not None}
    surely_asking = {
        (row.conversation_id, row.message_id)
        for row in contact.messages
        if row.sender_kind == "customer"
        and (row.content_kind == "media" or (row.content_kind == "text" and "?" in (row.text or "")))
        and row.message_id not in edited
        and row.conversation_id not in untimed
        and row.sent_at // SECOND <= scenario.as_of // SECOND
    }
    assert surely_asking <= set(asked)
    lines: dict[tuple[str, str], list[Wait]] = {}
    for wait in result.waits:
        lines.setdefault((wait.conversation_id, wait.wait_kind), []).append(wait)
    times = {(row.conversation_id, row.message_id): row.sent_at for row in sorted(contact.messages, key=_latest_first)}
    for line in lines.values():
        line.sort(key=lambda wait: times[wait.conversation_id, wait.opening_message_id])
        for earlier, later in itertools.pairwise(line):
            opened = times[later.conversation_id, later.opening_message_id]
            assert earlier.settled_at is not None
            assert earlier.settled_at // SECOND <= opened // SECOND


def _latest_first(row: TimedMessage) -> tuple[Instant, Instant]:
    return (-row.ingested_at, -(row.edited_at if row.edited_at is not None else -1))


@settings(max_examples=examples(120))
@given(scenarios())
def test_3_business_time_is_part_of_calendar_time(scenario: Scenario) -> None:
    for wait in judged(scenario).waits:
        assert (wait.wait_business_seconds is None) == (wait.wait_seconds is None or wait.calendar_id is None)
        if wait.wait_seconds is not None:
            assert 0 <= (wait.wait_business_seconds or 0) <= wait.wait_seconds
            assert 0 <= wait.wait_from_last_seconds <= wait.wait_seconds
            assert 0 <= wait.manager_wait_seconds <= wait.wait_seconds
            assert (wait.manager_wait_business_seconds or 0) <= (wait.wait_business_seconds or 0)


NEUTRAL = st.lists(
    st.tuples(
        st.sampled_from(("autoreply", "system", "campaign", "note", "bot")),
        st.integers(0, 13),
        st.sampled_from((-30 * MINUTE, -1, 0, 1, 59, 10 * MINUTE, DAY)),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=examples(120))
@given(scenarios(bots=False), NEUTRAL)
def test_4_machines_notes_and_campaigns_change_no_wait(scenario: Scenario, added: list[tuple[str, int, int]]) -> None:
    contact = without_sequence(scenario.contact)
    instants = sorted({row.sent_at for row in contact.messages if row.sent_at is not None}) or [scenario.as_of]
    rows = [
        message("chat0", f"x{index}", instants[which % len(instants)] + shift * SECOND, sender)
        for index, (sender, which, shift) in enumerate(added)
    ]
    before = engine(contact, scenario.policy, scenario.as_of)
    after = engine(contact._replace(messages=contact.messages + rows), scenario.policy, scenario.as_of)

    def view(result: Evaluation) -> list[tuple[object, ...]]:
        return [(wait.wait_id, *(getattr(wait, name) for name in OF_CUSTOMER_VIEW)) for wait in _sorted(result)]

    assert view(before) == view(after)


def _sorted(result: Evaluation) -> list[Wait]:
    return sorted(result.waits, key=lambda wait: (wait.wait_id, wait.wait_kind))


@settings(max_examples=examples(120))
@given(contacts(min_steps=2), policies(), st.integers(0, 13))
def test_5_what_comes_after_settlement_changes_no_outcome(
    told: tuple[Contact, list[Instant]], policy: OraclePolicy, which: int
) -> None:
    """Judged in the middle and at the end: what was settled in the middle stays, early deletions aside."""
    contact, instants = told
    contact = without_sequence(contact)
    early = [row for row in contact.messages if row.sender_kind == "manager" and row.deleted_at is not None]
    contact = contact._replace(messages=[row for row in contact.messages if row not in early])
    middle = engine(contact, policy, instants[which % len(instants)])
    end = {(wait.wait_id, wait.wait_kind): wait for wait in engine(contact, policy, instants[-1] + FAR).waits}
    for wait in middle.waits:
        later = end[wait.wait_id, wait.wait_kind]
        assert later.asking_message_ids[: len(wait.asking_message_ids)] == wait.asking_message_ids
        if wait.outcome != "pending":
            assert later._replace(answered_after_limit_at=None) == wait._replace(answered_after_limit_at=None)
            assert wait.answered_after_limit_at in (None, later.answered_after_limit_at)


@settings(max_examples=examples(120))
@given(scenarios(), st.integers(0, 2**32))
def test_6_order_and_duplicates_change_nothing(scenario: Scenario, seed: int) -> None:
    contact, dice = scenario.contact, random.Random(seed)
    messages = [*contact.messages, *dice.choices(contact.messages, k=3)] if contact.messages else []
    events = [*contact.events, *dice.choices(contact.events, k=2)] if contact.events else []
    chats = list(contact.chats)
    for rows in (messages, events, chats):
        dice.shuffle(rows)
    shuffled = engine(Contact(tuple(chats), messages, events), scenario.policy, scenario.as_of)
    assert comparable(shuffled) == comparable(judged(scenario))


PATIENT = (ChannelSettings(limit=300 * DAY),)


def business_seconds(policy: OraclePolicy, opened: Instant, answered: Instant) -> int:
    """The product's own figure: one question, one answer, a limit that is never reached."""
    rows = [message("chat", "ask", opened, "customer"), message("chat", "reply", answered, "manager")]
    result = engine(Contact((Chat("chat", "account", "wa", False),), rows, []), policy, answered)
    seconds = result.waits[0].wait_business_seconds
    assert seconds is not None
    return seconds


@settings(max_examples=examples(80))
@given(
    st.sampled_from(sorted(CALENDARS)),
    st.sampled_from(STARTS),
    st.tuples(*[st.one_of(st.integers(0, 5 * DAY), st.integers(0, 240).map(lambda half: half * 30 * MINUTE))] * 3),
)
def test_7_business_time_of_two_parts_is_that_of_the_whole(
    calendar_id: str, start: Instant, parts: tuple[int, int, int]
) -> None:
    policy = OraclePolicy(calendars=CALENDARS, organisation_calendars=((None, calendar_id),), channels={"wa": PATIENT})
    a = start + parts[0] * SECOND
    b = a + parts[1] * SECOND
    c = b + parts[2] * SECOND
    whole = business_seconds(policy, a, c)
    assert whole == business_seconds(policy, a, b) + business_seconds(policy, b, c)
    assert whole <= (c - a) // SECOND


ZONES = {"Etc/GMT-3": 3, "Etc/GMT-5": 5, "Etc/GMT+8": -8, "Etc/GMT-14": 14}


@settings(max_examples=examples(100))
@given(contacts(), policies(), st.sampled_from(sorted(ZONES)), st.sampled_from(sorted(ZONES)))
def test_8_another_zone_by_the_same_rule_changes_no_business_value(
    told: tuple[Contact, list[Instant]], policy: OraclePolicy, first: str, second: str
) -> None:
    contact, instants = told
    as_of = instants[-1] + FAR
    shift = (ZONES[first] - ZONES[second]) * 3600 * SECOND

    def moved(instant: Instant | None) -> Instant | None:
        return None if instant is None else instant + shift

    messages = [
        row._replace(
            sent_at=moved(row.sent_at),
            ingested_at=row.ingested_at + shift,
            edited_at=moved(row.edited_at),
            deleted_at=moved(row.deleted_at),
        )
        for row in contact.messages
    ]
    events = [event._replace(at=event.at + shift) for event in contact.events]
    here = engine(contact, in_zone(policy, first), as_of)
    there = engine(Contact(contact.chats, messages, events), in_zone(policy, second), as_of + shift)
    figures = ("outcome", "outcome_manager", "wait_seconds", "wait_business_seconds", "manager_wait_business_seconds")
    assert [[getattr(wait, name) for name in figures] for wait in _sorted(here)] == [
        [getattr(wait, name) for name in figures] for wait in _sorted(there)
    ]
    assert [moved(wait.settled_at) for wait in _sorted(here)] == [wait.settled_at for wait in _sorted(there)]


def in_zone(policy: OraclePolicy, zone: str) -> OraclePolicy:
    """Every calendar and the organisation itself in one zone without clock changes."""

    def same_hours(versions: tuple[CalendarVersion, ...]) -> tuple[CalendarVersion, ...]:
        return tuple(replace(version, zone=zone) for version in versions)

    return replace(
        policy, zone=zone, calendars={name: same_hours(versions) for name, versions in policy.calendars.items()}
    )


@settings(max_examples=examples(120))
@given(contacts(min_steps=3), contacts(min_steps=3), st.sampled_from((60, 90, 480)), st.sampled_from(sorted(CALENDARS)))
def test_12_merging_two_identities_loses_no_reply_and_adds_no_silence(
    one: tuple[Contact, list[Instant]], two: tuple[Contact, list[Instant]], limit: int, calendar_id: str
) -> None:
    """Closing messages, bots that resolve and people's marks aside; one calendar and one limit for all waits."""
    policy = OraclePolicy(
        calendars=CALENDARS,
        organisation_calendars=((None, calendar_id),),
        channels={"wa": (ChannelSettings(limit=limit * MINUTE, missed_call_limit=limit * MINUTE),)},
        closing_words=frozenset(),
    )
    first, second = _plain(one[0], "a"), _plain(two[0], "b")
    assume(first.messages and second.messages)
    shift = first.messages[0].sent_at - second.messages[0].sent_at
    second = second._replace(
        messages=[row._replace(sent_at=row.sent_at + shift) for row in second.messages],
        events=[event._replace(at=event.at + shift) for event in second.events],
    )
    as_of = max(row.sent_at for row in (*first.messages, *second.messages)) + FAR
    merged = engine(
        Contact(first.chats + second.chats, first.messages + second.messages, first.events + second.events),
        policy,
        as_of,
    )
    apart = [*engine(first, policy, as_of).waits, *engine(second, policy, as_of).waits]
    assert sum(wait.outcome in ANSWERED for wait in merged.waits) >= sum(wait.outcome in ANSWERED for wait in apart)
    assert sum(wait.outcome in UNANSWERED for wait in merged.waits) <= sum(wait.outcome in UNANSWERED for wait in apart)


def _plain(contact: Contact, name: str) -> Contact:
    """One chat of the contact, on the shared account, without deletions, stickers, marks and an order of its own."""
    chat_id = f"{name}0"
    rows = [
        row._replace(conversation_id=chat_id, source_seq=None, deleted_at=None)
        for row in contact.messages
        if row.conversation_id == "chat0" and row.content_kind != "sticker" and row.sent_at is not None
    ]
    events = [
        event._replace(conversation_id=chat_id)
        for event in contact.events
        if event.conversation_id == "chat0" and event.kind == "assigned"
    ]
    return Contact((Chat(chat_id, "shared", "wa", False),), rows, events)


def test_the_horizon_of_the_oracle_is_longer_than_any_wait_of_the_scenarios() -> None:
    """A limit of 2,000 minutes on three night hours a day and a holiday is weeks away, not years."""
    opened = at("2026-04-27 09:00")
    policy = OraclePolicy(
        calendars=CALENDARS,
        organisation_calendars=((None, "lunch"),),
        channels={"wa": (ChannelSettings(limit=2000 * MINUTE),)},
    )
    contact = Contact((Chat("chat", "account", "wa", False),), [message("chat", "ask", opened, "customer")], [])
    wait = judge(contact, policy, opened + FAR).waits[0]
    assert wait.limit_at is not None
    assert timedelta(microseconds=wait.limit_at - opened) < timedelta(days=60)
