"""Each check, broken once: good data passes it, data that contradicts its name fails it.

The data is broken inside a transaction that is rolled back; the checks look through the same session.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from assets.checks.core import CORE
from assets.checks.evaluated import EVALUATED
from assets.checks.judge import judge
from assets.checks.raw import RAW
from assets.checks.reference import REFERENCE
from assets.checks.rules import Counted, Rule
from assets.marts.dbt import build
from assets.marts.description import marts
from assets.spans import Span
from orchestration import runner
from resources.warehouse.engine import Warehouse
from tests.pipeline.call_breaks import CALL_BREAKS
from tests.pipeline.conftest import FIRST, LAST, WEEKS

KEEP = 2
"""Chats of the shop, one of so many: every break finds its rows."""

CHOSEN = [(table, rule) for layer in (RAW, CORE, REFERENCE, EVALUATED) for table in layer for rule in table.rules]

_NO_ID = "update raw.retailcrm__{} set payload = payload - 'id'"
_LATER = "update raw.retailcrm__{} set event_at = event_at + interval '1 minute'"
_WEB = """
    insert into raw.retailcrm_web__{0} (connection_id, external_id, event_at, payload, payload_hash,
                                       fetched_at, first_fetched_at)
    select 'web', external_id, event_at, {2}, payload_hash, fetched_at, first_fetched_at from raw.retailcrm__{1}
"""
_WEB_ACCOUNT = """
    insert into ops.connections (connection_id, vendor, origin, settings, created_at, updated_at)
    values ('web', 'retailcrm-web', 'stored', '{}', now(), now())
"""
BREAKS: dict[str, str] = {
    **CALL_BREAKS,
    **{
        f"raw.retailcrm__{stream}.payload_has_required_fields": _NO_ID.format(stream)
        for stream in (
            "channels", "users", "bots", "crm_users", "chats", "dialogs", "messages", "customers", "orders"
        )
    },
    **{
        f"raw.retailcrm__{stream}.directory_is_not_empty": f"delete from raw.retailcrm__{stream}"
        for stream in ("channels", "users", "crm_users", "chats")
    },
    "raw.retailcrm__dialogs.event_time_is_the_vendors": _LATER.format("dialogs"),
    "raw.retailcrm__messages.event_time_is_the_vendors": _LATER.format("messages"),
    "raw.retailcrm__messages.messages_belong_to_known_chats":
        "delete from raw.retailcrm__chats where external_id::bigint % 3 = 0",
    "raw.retailcrm__messages.messages_cover_the_vendors_count":
        "update ops.completeness set reported = reported + 3 where measure = 'message_pointers' and reported < 100",
    "raw.retailcrm__messages.orders_cover_the_vendors_count":
        "update ops.completeness set reported = reported + 9 where measure = 'orders'",
    "raw.retailcrm__messages.customers_cover_the_vendors_count": "delete from ops.completeness",
    **{
        f"raw.retailcrm_web__{stream}.payload_has_required_fields": _WEB.format(stream, stream, "payload - 'id'")
        for stream in ("channels", "chats", "messages")
    },
    **{
        f"raw.retailcrm_web__{stream}.directory_is_not_empty":
            _WEB_ACCOUNT
        for stream in ("channels", "chats")
    },
    "raw.retailcrm_web__messages.event_time_is_the_vendors": _WEB.format(
        "messages", "messages", "payload || jsonb_build_object('chatId', '1', 'time', event_at + interval '1 minute')"
    ),
    "raw.retailcrm_web__messages.messages_belong_to_known_chats":
        _WEB.format("messages", "messages", "payload || jsonb_build_object('chatId', 'nowhere')"),
    "raw.retailcrm_web__messages.messages_cover_the_vendors_count": f"""{_WEB_ACCOUNT};
        insert into ops.completeness (connection_id, channel_id, business_on, measure, reported, stored)
        select 'web', 'web:1', max(business_on), 'message_pointers', 10, 9 from ops.completeness
    """,
    "core.channels.every_channel_has_kind_and_name": "update core.channels set kind = ''",
    "core.managers.every_manager_has_a_name": "update core.managers set name = ''",
    "core.customers.most_customers_can_be_told_apart": "update core.customers set name = null, phone = null",
    "core.conversations.every_conversation_has_its_channel": "delete from core.channels",
    "core.conversations.customers_of_chats_are_known": "delete from core.customers",
    "core.messages.senders_are_mapped": """
        insert into core.quarantine (connection_id, stream, external_id, reason, event_at, items)
        select connection_id, 'messages', 'x', 'unmapped_sender', max(sent_at), 1 from core.messages group by 1
    """,
    "core.messages.quarantined_share_is_small": """
        insert into core.quarantine (connection_id, stream, external_id, reason, event_at, items)
        select connection_id, 'messages', message_id, 'bad_time', sent_at, 1 from core.messages
    """,
    "core.messages.messages_belong_to_conversations": "delete from core.conversations",
    "core.messages.replies_name_their_manager": "update core.messages set manager_id = null",
    "core.messages.one_direction_share_is_small": "delete from core.messages where direction = 'out'",
    "core.messages.volume_did_not_collapse": """
        insert into core.messages
        select (jsonb_populate_record(m, jsonb_build_object(
            'message_id', m.message_id || ':' || w || ':' || n, 'sent_at', m.sent_at - make_interval(days => 7 * w)
        ))).*
        from core.messages as m cross join generate_series(1, 4) as w cross join generate_series(1, 3) as n
        where m.business_on = (select max(business_on) - 2 from core.messages)
    """,
    "core.events.events_belong_to_conversations": "delete from core.conversations",
    "core.events.assignees_are_known": "delete from core.managers",
    "core.orders.totals_have_a_currency": "update core.orders set currency = null",
    "reference.people.every_manager_is_a_person":
        "delete from reference.people where manager_id = (select max(manager_id) from core.managers)",
    "reference.people.every_account_is_a_managers":
        "delete from core.managers where manager_id = (select max(manager_id) from reference.people)",
    "reference.people.a_person_has_one_name":
        "update reference.people set person_id = (select min(person_id) from reference.people)",
    "reference.people.everybody_has_a_name": "update reference.people set person_name = ''",
    "reference.person_teams.everybody_has_a_team_on_every_day":
        "update reference.person_teams set valid_from = '2026-01-01'",
    "reference.person_teams.stays_belong_to_people": "delete from reference.people",
    "reference.customer_links.every_link_ends_at_a_human":
        "insert into reference.customer_links values ('x:2', 'x:1', 'list'), ('x:3', 'x:2', 'list')",
    "reference.customer_links.the_list_of_people_holds":
        "insert into reference.customer_list values ('x:1', 'x:1'), ('x:2', 'x:1')",
    "reference.person_teams.every_stay_is_a_change":
        "insert into reference.person_teams select person_id, '2026-11-16', team_id from reference.person_teams"
        " where valid_from = '0001-01-01'",
    "evaluated.waits.reply_never_precedes_message":
        "update evaluated.waits set answered_at = opened_at - interval '1 s' where answered_at is not null",
    "evaluated.waits.business_never_exceeds_calendar":
        "update evaluated.waits set wait_business_seconds = wait_seconds + 1",
    "evaluated.waits.outcome_identity_holds": "update evaluated.waits set answered_at = null",
    "evaluated.waits.outcome_follows_its_target":
        "update evaluated.waits set target_seconds = 0, wait_business_seconds = 1 where outcome = 'in_target'",
    "evaluated.waits.waits_do_not_overlap": "update evaluated.waits set opened_at = '2026-01-01'",
    "evaluated.waits.every_wait_has_its_session": "delete from evaluated.sessions",
    "evaluated.waits.skewed_share_is_small":
        "update evaluated.waits set clock_skew = true where wait_id in (select max(wait_id) from evaluated.waits"
        " where settled_on = (select max(settled_on) - 3 from evaluated.waits) group by channel_id)",
    "evaluated.sessions.session_ends_after_it_starts":
        "update evaluated.sessions set ended_at = least(ended_at, started_at - interval '1 s')",
    "evaluated.sessions.sessions_do_not_overlap":
        "update evaluated.sessions set started_at = '2026-01-01', last_message_at = '2026-06-01'"
        " where ended_at is not null",
    "evaluated.sessions.every_answered_session_has_behaviour":
        "delete from evaluated.behaviour where session_id = (select max(session_id) from evaluated.behaviour"
        " where ended_on = (select max(ended_on) - 3 from evaluated.behaviour))",
    "evaluated.left_waiting.left_waiting_names_a_wait": "delete from evaluated.waits",
    "evaluated.left_waiting.held_longer_than_the_target": "update evaluated.left_waiting set held_seconds = 1",
    "evaluated.behaviour.hits_only_where_eligible":
        "update evaluated.behaviour set has_next_step = false where next_step_not_judged = 'no_intent'",
    "evaluated.behaviour.every_hit_has_its_evidence":
        "update evaluated.behaviour set offer_message_ids = '{}' where made_offer",
    "evaluated.behaviour.evidence_is_in_the_conversation":
        "update evaluated.behaviour set next_step_message_ids = '{no such message}' where has_next_step is not null",
    "evaluated.behaviour.not_good_says_why": "update evaluated.behaviour set not_good = '{}'",
    "evaluated.behaviour.behaviour_is_of_an_ended_session":
        "update evaluated.sessions set ended_at = ended_at + interval '1 s'",
    "evaluated.advice.advice_names_a_message": "update evaluated.advice set message_id = 'no such message'",
    "evaluated.advice.advice_is_about_what_was_judged": "delete from evaluated.waits",
}  # fmt: skip

_CALL_RESULT = """
    insert into marts_next.call_results (week, week_starts_on, call_id, business_on, started_at, direction, manager_key,
                                         manager_name, connection_id, channel_id, conversation_id, message_id,
                                         scorecard_id, judge, rubric_id, rubric_version, state, is_auto_fail, criteria,
                                         criteria_marked, criteria_without_evidence, definition_version, score_state,
                                         score)
    values ('2026-W46', '2026-11-09', 'c', '2026-11-10', now(), 'in', 'none', 'x', 't', 't', 'c', 'm', 's', 'model',
            'r', 1, 'scored', false, '[]', 0, 0, 1, {}, {})
"""
COUNTED_MARTS = ("manager_week", "channel_week", "manager_day", "channel_day")
MART_BREAKS: dict[str, str] = {
    **{f"{mart}_outcomes_add_up": f"update marts_next.{mart} set in_target = in_target + 1" for mart in COUNTED_MARTS},
    **{f"{mart}_shares_follow_their_counts": f"update marts_next.{mart} set good_share = 0 where good > 0"
       for mart in COUNTED_MARTS},
    **{f"{mart}_behaviour_adds_up": f"update marts_next.{mart} set no_next_step = no_next_step + 1"
       for mart in COUNTED_MARTS},
    **{f"{mart}_behaviour_equals_evaluated": f"update marts_next.{mart} set good = good - 1 where good > 0"
       for mart in COUNTED_MARTS},
    **{f"{mart}_percentiles_are_ordered": f"update marts_next.{mart} set reply_p50_seconds = reply_p90_seconds + 1"
       for mart in COUNTED_MARTS},
    **{f"{mart}_waits_equal_evaluated": f"delete from marts_next.{mart} where waits_settled > 0"
       for mart in COUNTED_MARTS},
    **{f"{mart}_waits_equal_channels": f"delete from marts_next.{mart} where manager_key = 'none'"
       for mart in ("manager_week", "manager_day")},
    **{f"{mart}_parts_fit_in_their_whole": f"update marts_next.{mart} set one_direction_chats = chats + 1"
       for mart in ("channel_week", "channel_day")},
    **{f"{mart}_talks_equal_evaluated": f"update marts_next.{mart} set calls_in = calls_in + 1"
       for mart in COUNTED_MARTS},
    **{f"{mart}_scores_follow_their_counts": f"update marts_next.{mart} set calls_short = calls_answered + 1"
       for mart in COUNTED_MARTS},
    "llm_spend_day_equals_ledger": """
        insert into ops.llm_calls (llm_call_id, evaluation_key, attempt, purpose, run_id, model, state,
                                   reserved_microusd, is_masked, reserved_at, paid_on)
        values ('a', 'k', 1, 'first', 'r', 'm', 'lost', 5, true, now(), '2026-11-10')
    """,
    "llm_spend_day_parts_fit": """
        insert into marts_next.llm_spend_day (business_on, week, department_key, model, purpose, calls, calls_ok,
                                              calls_lost, calls_unsettled, calls_without_tokens, cost_microusd,
                                              lost_microusd, unsettled_microusd, is_stale, definition_version, as_of)
        values ('2026-11-10', '2026-W46', 'none', 'm', 'first', 1, 2, 0, 0, 0, 0, 0, 0, false, 1, now())
    """,
    "call_results_equal_evaluated": _CALL_RESULT.format("null", "null"),
    "call_results_scores_are_named": _CALL_RESULT.format("'counted'", "101"),
    "channel_day_channels_may_be_published": "update marts_next.channel_day set data_status = 'failed'",
    "data_status_status_is_known": "update marts_next.data_status set status = 'fine'",
    "data_status_stored_never_exceeds_reported":
        "update marts_next.data_status set messages_stored = messages_reported + 1",
    "data_status_channels_may_be_published": "update marts_next.data_status set status = 'failed', reasons = 'x'",
}  # fmt: skip


class Borrowed:
    """A warehouse whose every connection is one open transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def connect(self, application_name: str = "", *, autocommit: bool = False) -> Iterator[psycopg.Connection[Any]]:
        yield self._connection


@pytest.fixture(scope="module")
def loaded(connected: Warehouse, instance: Any, home: Path) -> Warehouse:
    runner.run_days(FIRST, LAST, instance=instance)
    zone = {"time_zone": "Europe/Moscow"}
    assert not build(connected, home, {"first_week": WEEKS[0], "last_week": WEEKS[1]} | zone).failed
    days = {"first_day": FIRST.isoformat(), "last_day": LAST.isoformat()}
    assert not build(connected, home, days | zone, period="day").failed
    return connected


@pytest.fixture
def session(loaded: Warehouse) -> Iterator[psycopg.Connection[Any]]:
    with loaded.connect() as connection:
        for name, day in (("first_day", FIRST), ("last_day", LAST)):
            # what a session of dbt has: the compiled tests ask for the range
            connection.execute("select set_config(%s, %s, false)", [f"otklik.{name}", day.isoformat()])
        yield connection
        connection.rollback()


def _name(pair: tuple[Counted, Rule]) -> str:
    return pair[0].column(pair[1])


def test_every_check_has_its_break() -> None:
    assert set(BREAKS) == {_name(pair) for pair in CHOSEN}
    assert set(MART_BREAKS) == {test.name for mart in marts() if mart.by == "dbt" for test in mart.tests}


@pytest.mark.parametrize("pair", CHOSEN, ids=_name)
def test_a_check_passes_good_data_and_fails_broken_data(
    pair: tuple[Counted, Rule], session: psycopg.Connection[Any]
) -> None:
    span = Span(FIRST, LAST)
    (good,) = judge(Borrowed(session), span, [pair])  # type: ignore[arg-type]
    assert good.passed, good.metadata
    session.execute(BREAKS[_name(pair)])
    (broken,) = judge(Borrowed(session), span, [pair])  # type: ignore[arg-type]
    assert not broken.passed
    assert broken.metadata["days_that_contradict"].value >= 1


@pytest.mark.parametrize("change", ["status = 'needs_auth'", "status = 'broken'", "disabled_at = now()"])
def test_the_silence_of_a_broken_account_is_not_that_of_the_others(
    session: psycopg.Connection[Any], change: str
) -> None:
    """One account of two fell silent: a collapse while it counts as well, none when it is red by itself."""
    (pair,) = (pair for pair in CHOSEN if _name(pair) == "core.messages.volume_did_not_collapse")
    span = Span(FIRST, LAST)
    session.execute(BREAKS[_name(pair)])
    session.execute("insert into ops.connections select (jsonb_populate_record(c, '{\"connection_id\": \"big\"}')).*"
                    " from ops.connections as c")  # fmt: skip
    # only the earlier days are the silent account's
    session.execute("update core.messages set connection_id = 'big' where message_id ~ ':[1-4]:[1-3]$'")
    (alone,) = judge(Borrowed(session), span, [pair])  # type: ignore[arg-type]
    session.execute(f"update ops.connections set {change} where connection_id = 'big'")
    (known,) = judge(Borrowed(session), span, [pair])  # type: ignore[arg-type]
    assert (alone.passed, known.passed) == (False, True)


@pytest.mark.parametrize(
    "name",
    [
        "core.messages.volume_did_not_collapse",
        "core.messages.quarantined_share_is_small",
        "core.messages.senders_are_mapped",
        "core.messages.one_direction_share_is_small",
        "core.customers.most_customers_can_be_told_apart",
    ],
)
def test_what_is_odd_about_a_file_holds_nothing_back(name: str, session: psycopg.Connection[Any]) -> None:
    (pair,) = (pair for pair in CHOSEN if _name(pair) == name)
    session.execute(BREAKS[name])
    session.execute(
        "insert into ops.imports (connection_id, file_sha256, choices_hash, source, file_bytes, state, chats, messages,"
        " quarantined, imported_at) select distinct connection_id, 'a', 'b', 'table_import', 1, 'done', 1, 1, 0, now()"
        " from core.conversations"
    )
    (known,) = judge(Borrowed(session), Span(FIRST, LAST), [pair])  # type: ignore[arg-type]
    assert known.passed, known.metadata


def test_a_call_that_nobody_took_is_no_reply(session: psycopg.Connection[Any]) -> None:
    """A session in which we only rang in vain has no behaviour; had somebody talked, it would have to have."""
    (pair,) = (pair for pair in CHOSEN if _name(pair) == "evaluated.sessions.every_answered_session_has_behaviour")
    span = Span(FIRST, LAST)
    (chosen,) = session.execute(
        "select max(session_id) from evaluated.behaviour where ended_on = %s", [LAST - timedelta(days=3)]
    ).fetchone()  # type: ignore[misc]
    session.execute("delete from evaluated.behaviour where session_id = %s", [chosen])
    session.execute("update evaluated.sessions set manager_messages = 1 where session_id = %s", [chosen])
    session.execute(
        """
        update core.messages as m
        set sender_kind = 'manager', content_kind = 'call', call_answered = false
        from evaluated.sessions as s
        where s.session_id = %s and m.conversation_id = s.conversation_id and m.message_id = s.first_message_id
        """,
        [chosen],
    )
    (in_vain,) = judge(Borrowed(session), span, [pair])  # type: ignore[arg-type]
    session.execute("update core.messages set call_answered = true where content_kind = 'call'")
    (talked,) = judge(Borrowed(session), span, [pair])  # type: ignore[arg-type]
    assert (in_vain.passed, talked.passed) == (True, False)


def test_a_check_that_cannot_be_run_counts_as_failed(session: psycopg.Connection[Any]) -> None:
    session.execute("alter table core.orders rename to orders_elsewhere")
    session.autocommit  # noqa: B018  (the statement below fails inside the same transaction)
    orders = [pair for pair in CHOSEN if pair[0].table == ("core", "orders")]
    (result,) = judge(Borrowed(session), Span(FIRST, LAST), orders)  # type: ignore[arg-type]
    assert not result.passed
    assert result.metadata["reason"].value == "sql_42P01"


@pytest.mark.parametrize("name", sorted(MART_BREAKS))
def test_a_dbt_test_passes_good_marts_and_fails_broken_ones(
    name: str, session: psycopg.Connection[Any], home: Path
) -> None:
    (compiled,) = (home / "dbt" / "target" / "compiled").rglob(f"{name}.sql")
    statement = compiled.read_text(encoding="utf-8").replace("%", "%%")
    assert session.execute(statement, []).fetchall() == []
    session.execute(MART_BREAKS[name])
    assert session.execute(statement, []).fetchall() != []
