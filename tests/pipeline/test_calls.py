"""Calls of the telephony from its list to waits and to who is judged: alone, beside a CRM, twice, and refused.

What is expected is worked out from what the invented telephone truly did, never from our tables.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from assets.core.accounts import PHONE_TABLES
from conversations.parsing.tbank import TBankParser
from conversations.policy import Policy
from conversations.window import Window
from orchestration import runner
from resources.accounts_resource import everybody
from resources.clients.errors import BadConfiguration
from resources.retailcrm import RetailCRMResource
from resources.tbank import TBankResource
from resources.warehouse.eligibility import refresh_eligibility
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.tbank_context import tbank_context
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.calls import OPERATORS, CallBook, PhoneCall
from tests.emulators.shop.model import SECOND, Shop, micros
from tests.emulators.tbank import LOGIN_PATH, TRANSCRIPT, TBankEmulator
from tests.emulators.tbank_rows import dialled
from tests.loader import land, refresh_evaluated, replace_window

MONDAY = date(2026, 11, 16)
FIRST, LAST = MONDAY - timedelta(days=7), MONDAY - timedelta(days=1)
NOW = datetime.fromisoformat("2026-11-16T03:10:00+03:00")
LAYERS = ("raw", "core", "evaluated")
POLICY = """
telephony: {short_call_seconds: 20}
departments:
  sales: {name: Торговые, agent_group: Торговые представители, rubric: sales_calls, prompt: sales_calls}
  office: {name: Офис, agent_group: Офис-менеджеры, rubric: office_calls, prompt: office_calls}
"""
TARGET, LIMIT = 15 * 60 * SECOND, 480 * 60 * SECOND
COLLEAGUES = {one.extension for one in OPERATORS} | {one.phone for one in OPERATORS if one.is_listed}


class Installation(NamedTuple):
    warehouse: Warehouse
    phone: TBankEmulator
    instance: dg.DagsterInstance

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as sql:
            return sql.execute(statement, values).fetchall()

    def load(self) -> runner.RunSummary:
        return runner.run_days(FIRST, LAST, instance=self.instance)

    def segments(self) -> list[PhoneCall]:
        """What the telephony can have told by the night of the run."""
        return [one for one in self.phone.book.between(FIRST, LAST) if one.listed <= micros(NOW)]


@pytest.fixture(scope="module")
def telephony(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that knows a telephony and nothing else, with a week loaded."""
    home: Path = tmp_path_factory.mktemp("home")
    (home / "policy.yaml").write_text(POLICY, "utf-8")
    shop = Shop.tiny(5, MONDAY, messages=120)
    book = CallBook(shop, busy=60, usual=(18, 26))
    with (
        TBankEmulator(shop, book=book, rate=None) as phone,
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        variables = {
            "OTKLIK_HOME": str(home), "OTKLIK_POLICY": str(home / "policy.yaml"), "DATABASE_URL": database.url,
            "HTTP_MAX_ATTEMPTS": "2", "OTKLIK_NOW": NOW.isoformat(), "TBANK_BASE_URL": phone.base_url,
            "TBANK_LOGIN": phone.login, "TBANK_PASSWORD": phone.password, "TBANK_REQUESTS_PER_SECOND": "1000",
            "RETAILCRM_REQUESTS_PER_SECOND": "1000",
        }  # fmt: skip
        for name, value in variables.items():
            patch.setenv(name, value)
        with database.connect() as sql:
            for operator in OPERATORS:
                if operator.is_listed:
                    sql.execute(
                        "insert into reference.operators (connection_id, operator, valid_from, name, department_id,"
                        " phone, source) values ('tbank', %s, '0001-01-01', %s, %s, %s, 'file')",
                        # some by their logins, some by their ids
                        (operator.login if operator.id % 2 else str(operator.id), operator.name, operator.team,
                         operator.phone),
                    )  # fmt: skip
        installation = Installation(database, phone, instance)
        assert installation.load().checks_failed == []
        yield installation


def test_every_segment_is_a_call_and_what_was_said_is_there(telephony: Installation) -> None:
    truth = {f"tbank:{one.segment_id}": one for one in telephony.segments()}
    stored = telephony.rows(
        "select call_id, direction, started_at, talk_seconds, is_answered, is_internal, operator_login from core.calls"
    )
    assert {row[0] for row in stored} == set(truth) and len(truth) > 150
    for call_id, direction, started_at, seconds, is_answered, is_internal, login in stored:
        call = truth[call_id]
        assert direction == ("in" if call.is_inbound else "out")
        assert micros(started_at) == call.start and seconds == call.seconds
        assert is_answered == (call.seconds > 0)
        assert is_internal == (call.phone in COLLEAGUES)
        assert login == (call.operator.login if call.operator else None)
    said = dict(telephony.rows("select call_id, state from core.call_transcripts"))
    assert said == {one: "ready" if call.talk.phrases else "no_speech" for one, call in truth.items() if call.seconds}


class Missed(NamedTuple):
    opened: int
    answered: int | None


def missed_calls(calls: list[PhoneCall]) -> dict[str, list[Missed]]:
    """By phone: when a customer was not answered, and when somebody spoke with him, whoever rang whom.

    The calendar of the policy is around the clock: business time is time.
    """
    found: dict[str, list[Missed]] = {}
    waiting: dict[str, int] = {}
    for call in sorted(calls, key=lambda one: one.start):
        # who hides his number cannot be rung back: nobody owes him an answer
        if call.phone in COLLEAGUES or dialled(call) is None:
            continue
        since = waiting.get(call.phone)
        if since is not None and call.start > since + LIMIT:
            found.setdefault(call.phone, []).append(Missed(waiting.pop(call.phone), None))
        if call.seconds:
            if call.phone in waiting:
                found.setdefault(call.phone, []).append(Missed(waiting.pop(call.phone), call.start))
        elif call.is_inbound:
            waiting.setdefault(call.phone, call.start)
    for phone, since in waiting.items():
        found.setdefault(phone, []).append(Missed(since, None))
    return found


def test_missed_calls_wait_until_somebody_spoke_with_the_customer(telephony: Installation) -> None:
    expected = Counter[tuple[Any, ...]]()
    for waits in missed_calls(telephony.segments()).values():
        for opened, answered in waits:
            if answered is None:
                is_over = opened + LIMIT <= micros(NOW) - 3 * 3600 * SECOND - 600 * SECOND
                expected[opened, None, "no_reply" if is_over else "pending"] += 1
            else:
                outcome = "in_target" if answered - opened <= TARGET else "slow_reply"
                expected[opened, answered, outcome] += 1
    stored = Counter(
        (micros(opened), None if answered is None else micros(answered), outcome)
        for opened, answered, outcome in telephony.rows(
            "select opened_at, answered_at, coalesce(outcome, 'pending') from evaluated.waits"
        )
    )
    assert set(telephony.rows("select distinct wait_kind from evaluated.waits")) == {("missed_call",)}
    assert stored == expected
    assert {outcome for _, _, outcome in expected} >= {"in_target", "slow_reply", "no_reply"}


def test_who_is_judged_and_why_the_others_are_not(telephony: Installation) -> None:
    def reason(call: PhoneCall) -> str | None:
        if call.phone in COLLEAGUES:
            return "internal"
        if not call.seconds:
            return "missed"
        if call.seconds < 20:
            return "short"
        if call.operator is None or not call.operator.is_listed:
            return "unknown_operator"
        return None if call.talk.phrases else "no_speech"

    expected = {f"tbank:{one.segment_id}": reason(one) for one in telephony.segments()}
    stored = telephony.rows("select call_id, why_not, department_id from evaluated.call_eligibility")
    assert {call_id: why for call_id, why, _ in stored} == expected
    teams = {f"tbank:{one.segment_id}": one.operator.team for one in telephony.segments() if one.operator}
    departments = {call_id: department for call_id, why, department in stored if why is None}
    assert departments == {call_id: teams[call_id] for call_id in departments}
    assert {"sales", "office"} == set(departments.values())
    assert set(expected.values()) >= {None, "internal", "missed", "short", "unknown_operator", "no_speech"}


def test_every_day_was_listed(telephony: Installation) -> None:
    by_day = Counter((one.start + 3 * 3600 * SECOND) // (86_400 * SECOND) for one in telephony.segments())
    counted = telephony.rows("select business_on, reported, stored from ops.completeness order by 1")
    days = [FIRST + timedelta(days=n) for n in range(7)]
    assert counted == [(day, by_day[n], by_day[n]) for day in days for n in [(day - date(1970, 1, 1)).days]]


def test_read_and_derived_again_by_hand_nothing_changes_and_no_transcript_is_asked_for_that_is_there(
    telephony: Installation,
) -> None:
    warehouse, window = telephony.warehouse, Window.of_days(FIRST, LAST, "Europe/Moscow")
    before = table_hashes(warehouse, LAYERS)
    telephony.phone.ledger.clear()
    reader, policy = TBankResource(), Policy.parse(POLICY)
    (account,) = reader.accounts(warehouse)
    source = reader.source(account, warehouse)
    for stream in source.streams:
        land(source, stream, window, warehouse, time_zone="Europe/Moscow")
        # the session ends between the two streams, as it may at any time
        telephony.phone.expire()
    with warehouse.connect() as sql:
        parser = TBankParser("Europe/Moscow", policy.telephony, **tbank_context(sql))
    replace_window(
        warehouse, parser, "tbank", "tbank", list(source.streams.values()), window, "Europe/Moscow", tables=PHONE_TABLES
    )
    refresh_evaluated(warehouse, policy, window, connection_id="tbank")
    assert refresh_eligibility(warehouse, policy, window).written == 0
    reader.teardown_after_execution(dg.build_init_resource_context())
    assert table_hashes(warehouse, LAYERS) == before
    asked = Counter(call.path for call in telephony.phone.ledger.calls if call.status == 200)
    silent = [one for one in telephony.segments() if one.seconds and not one.talk.phrases]
    assert asked[TRANSCRIPT] == len(silent) > 0 and asked[LOGIN_PATH] == 2


def of_the_crm(warehouse: Warehouse) -> list[list[tuple[Any, ...]]]:
    statement = "select * from evaluated.{} where connection_id = 'retailcrm' order by 1, 2"
    with warehouse.connect() as sql:
        return [sql.execute(statement.format(table)).fetchall() for table in ("waits", "sessions", "behaviour")]  # type: ignore[call-overload]


@pytest.fixture
def crm(telephony: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[RetailCRMEmulator]:
    """The CRM of the same shop, connected as well."""
    with RetailCRMEmulator(telephony.phone.shop, rate=None) as shop:
        for name, value in (("BASE_URL", shop.base_url), ("API_KEY", shop.api_key), ("BOT_TOKEN", shop.bot_token)):
            monkeypatch.setenv(f"RETAILCRM_{name}", value)
        yield shop


def test_a_refused_login_is_tried_once_and_keeps_nobody_from_being_judged(
    telephony: Installation, crm: RetailCRMEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = "select * from evaluated.waits where connection_id = 'tbank' order by wait_id"
    before = telephony.rows(waits)
    monkeypatch.setenv("TBANK_PASSWORD", "not-the-password")
    telephony.phone.ledger.clear()
    with pytest.raises(runner.RunFailed, match=r"^1 of 2 accounts failed, the others were worked on\. tbank: "):
        telephony.load()
    assert len(telephony.phone.ledger.calls) == 1
    assert all(len(rows) > 10 for rows in of_the_crm(telephony.warehouse))
    assert telephony.rows("select status from ops.connections order by connection_id") == [("ok",), ("needs_auth",)]
    # they know who rang: whoever alone has the number in the CRM, and writes there
    phones = {one.phone for one in telephony.segments() if one.phone not in COLLEAGUES and dialled(one) is not None}
    joined = [one.customer for one in telephony.phone.shop.chats if one.customer.phone in phones]
    assert telephony.rows("select count(*), count(distinct same_as) from reference.customer_links") == [
        (len(joined), len(joined))
    ]
    assert len(joined) > 5
    # the account that failed is judged when it is well again
    assert telephony.rows(waits) == before


def test_operators_nobody_knows_and_words_that_never_come_are_warnings(telephony: Installation) -> None:
    """The run goes on: such calls still count, and still wait."""
    changes = (
        (
            "operators_are_known",
            "update reference.operators set operator = 'x' || operator where department_id = 'sales'",
        ),
        ("operators_are_known", "update reference.operators set department_id = 'gone' where operator = '302'"),
        (
            "calls_have_transcripts",
            "update core.call_transcripts set state = 'no_speech' where right(call_id, 1) < '5'",
        ),
    )
    for check, change in changes:
        with telephony.warehouse.connect() as sql:
            for table in ("reference.operators", "core.call_transcripts"):
                sql.execute(f"create table public.kept_{table.partition('.')[2]} as select * from {table}")
            assert sql.execute(change).rowcount > 0  # type: ignore[call-overload]
        try:
            loaded = runner.run_days(FIRST, LAST, ["evaluated.call_eligibility"], instance=telephony.instance)
            assert [(one.asset, one.name) for one in loaded.checks_failed] == [("evaluated.call_eligibility", check)]
        finally:
            with telephony.warehouse.connect() as sql:
                for table in ("reference.operators", "core.call_transcripts"):
                    kept = f"public.kept_{table.partition('.')[2]}"
                    sql.execute(f"delete from {table}; insert into {table} select * from {kept}; drop table {kept}")
    restored = runner.run_days(FIRST, LAST, ["evaluated.call_eligibility"], instance=telephony.instance)
    assert restored.checks_failed == []


@pytest.mark.proof
def test_a_crm_beside_a_telephony_twice_is_once_and_without_links_as_if_it_were_alone(
    telephony: Installation, crm: RetailCRMEmulator, fresh_database: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert telephony.load().checks_failed == []
    before = table_hashes(telephony.warehouse, LAYERS)
    assert telephony.load().checks_failed == []
    assert table_hashes(telephony.warehouse, LAYERS) == before
    assert telephony.rows("select distinct status from ops.connections") == [("ok",)]
    runner.publish_weeks("2026-W46", "2026-W46", instance=telephony.instance)
    # the telephone is whole, although most of its customers never ring themselves; colleagues are counted apart
    internal = sum(one.phone in COLLEAGUES for one in telephony.segments())
    assert telephony.rows(
        "select d.channel_id, d.status, d.reasons, d.messages_stored, c.calls_in + c.calls_out, c.calls_internal"
        " from marts.data_status as d join marts.channel_week as c on c.channel_id = d.channel_id"
        " where d.connection_id = 'tbank' order by 1"
    ) == [
        ("tbank:internal", "ok", "", 0, 0, internal),
        ("tbank:phone", "ok", "", len(telephony.segments()), len(telephony.segments()) - internal, 0),
    ]
    # whoever is one human in both, each of his waits is counted once, in its own account and channel
    assert telephony.rows("select count(*) > 5 from reference.customer_links") == [(True,)]
    assert telephony.rows(
        "select channel_id, waits_settled, missed_calls_settled from marts.channel_week where waits_settled > 0"
        " or missed_calls_settled > 0 order by 1"
    ) == telephony.rows(
        "select channel_id, count(*) filter (where wait_kind = 'message'),"
        " count(*) filter (where wait_kind = 'missed_call') from evaluated.waits where settled_week = '2026-W46'"
        " and outcome in ('in_target', 'slow_reply', 'no_reply', 'window_expired') group by 1 order by 1"
    )
    policy = Path(os.environ["OTKLIK_POLICY"])
    policy.write_text(f"{POLICY}\ncustomers: {{link_by_number: false}}\n", "utf-8")
    telephony.load()
    apart = of_the_crm(telephony.warehouse)
    for name in ("BASE_URL", "LOGIN", "PASSWORD"):
        monkeypatch.delenv(f"TBANK_{name}")
    monkeypatch.setenv("DATABASE_URL", fresh_database.url)
    runner.run_days(FIRST, LAST, instance=telephony.instance)
    assert of_the_crm(fresh_database) == apart and all(len(rows) > 10 for rows in apart)


def test_an_installation_of_nothing_is_told_every_way_in(
    fresh_database: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTKLIK_HOME", str(tmp_path))
    for name in ("BASE_URL", "LOGIN", "PASSWORD"):
        monkeypatch.delenv(f"TBANK_{name}", raising=False)
    with pytest.raises(BadConfiguration) as refused:
        everybody((RetailCRMResource(), TBankResource()), fresh_database)
    said = str(refused.value)
    for way in ("otklik connect retailcrm,", "otklik connect retailcrm-web", "otklik connect tbank", "TBANK_PASSWORD",
                "RETAILCRM_BOT_TOKEN", "otklik import"):  # fmt: skip
        assert way in said
