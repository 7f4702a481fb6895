"""One look after another over a real warehouse and Dagster's real storage: incidents, messages, and their end."""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.types import DaemonHeartbeat

from conversations.alerts import Kind
from conversations.policy import Policy
from orchestration.alerts import DagsterWatch, area_of
from resources.alerts import Looked, Seen, disks, look
from resources.warehouse import connections, incidents
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role

CHAT, DATA_CHAT = "-1001", "-1002"
POLICY = Policy.parse(
    f"""
owners:
  default: {{name: дежурный}}
  raw: {{name: Данные, chat: {DATA_CHAT}}}
alerts: {{disk_percent: 100}}
"""
)
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""Nine in Moscow: W47 is due."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def session(database: Warehouse) -> Iterator[psycopg.Connection]:
    with database.connect(autocommit=True) as connection:
        yield connection
        for table in ("outbox", "incidents", "looks", "connections", "as_of"):
            connection.execute(f"delete from ops.{table}")
        connection.execute("drop table if exists marts.data_status")


def watch(instance: dg.DagsterInstance, **options: object) -> DagsterWatch:
    return DagsterWatch(lambda: instance, 7, settled_seconds=0.0, **options)  # type: ignore[arg-type]


def looking(
    database: Warehouse, dagster: Callable[..., Seen], now: datetime | None = None, **options: object
) -> Looked:
    given = {"home": Path("/"), "operators_chat": CHAT, "ui_url": "https://otklik.example"} | options
    publisher = database.as_role(Role.PUBLISHER)
    return look(publisher, POLICY, now or datetime.now(UTC), dagster, **given)  # type: ignore[arg-type]


def quiet(place: object) -> Seen:
    return Seen()


def messages(session: psycopg.Connection) -> list[tuple[str, str]]:
    """Recipient and first line of all that was queued, in order."""
    rows = session.execute("select recipient, body from ops.outbox order by created_at, message_id desc").fetchall()
    return [(to, body.splitlines()[0]) for to, body in rows]


# --- what Dagster says -----------------------------------------------------------------------------------------------


@dg.asset(key=["raw", "shop__messages"], partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
def shop_messages(context: dg.AssetExecutionContext) -> None:
    if "fail" in context.run.tags:
        raise dg.Failure("no words of a customer here", metadata={"reason": context.run.tags["fail"]})


@dg.multi_asset_check(name="raw_checks", specs=[dg.AssetCheckSpec("is_whole", asset=shop_messages, blocking=True)])
def raw_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    if "raise" in context.run.tags:
        raise dg.Failure("nobody expected this", metadata={"reason": "unexpected"})
    yield dg.AssetCheckResult(
        passed="break" not in context.run.tags, check_name="is_whole", asset_key=shop_messages.key
    )


load_daily = dg.define_asset_job("load_daily", executor_def=dg.in_process_executor)
DEFS = dg.Definitions([shop_messages], asset_checks=[raw_checks], jobs=[load_daily])


def night(instance: dg.DagsterInstance, day: str = "2026-03-20", **tags: str) -> str:
    given = {"dagster/schedule_name": "load_daily_schedule"} | tags
    job = DEFS.resolve_job_def("load_daily")
    return job.execute_in_process(instance=instance, partition_key=day, tags=given, raise_on_error=False).run_id


def test_a_failed_night_is_told_to_its_owner_once_and_the_next_good_one_ends_it(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    dagster = watch(instance)
    run_id = night(instance, fail="unavailable")
    first = looking(database, dagster)
    assert [(one.kind, one.area, one.reason) for one in first.changes.opened] == [
        (Kind.RUN_FAILED, "raw", "unavailable")
    ]  # fmt: skip
    for _ in range(2):
        assert looking(database, dagster).changes.opened == ()
    night(instance, "2026-03-21", fail="unavailable")
    assert looking(database, dagster).open_now == 1
    assert messages(session) == [(DATA_CHAT, "🔴 <b>Загрузка за 20.03.2026 не удалась</b>")]
    body = session.execute("select body from ops.outbox").fetchone()[0]
    assert f'<a href="https://otklik.example/runs/{run_id}">' in body
    assert "customer" not in body

    night(instance, "2026-03-22")
    assert looking(database, dagster).open_now == 0
    assert looking(database, dagster).changes.closed == ()
    assert messages(session)[1:] == [(DATA_CHAT, "✅ <b>Загрузка за 20.03–21.03.2026 прошла</b>")]


def test_a_failed_check_and_one_that_raises_are_told_as_checks(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    night(instance, **{"break": "1"})
    [opened] = looking(database, watch(instance)).changes.opened
    assert (opened.kind, opened.reason, opened.details["checks"]) == (
        Kind.CHECK_FAILED, "failed_check", ["raw/shop__messages: is_whole"],
    )  # fmt: skip
    session.execute("delete from ops.incidents")
    night(instance, **{"raise": "1"})
    [raised] = looking(database, watch(instance)).changes.opened
    assert (raised.kind, raised.area, raised.details["checks"]) == (Kind.CHECK_FAILED, "raw", ["raw_checks"])


def test_a_run_that_will_be_tried_again_is_not_told_yet(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    crashed = create_run_for_test(
        instance, job_name="load_daily", status=dg.DagsterRunStatus.STARTED, tags={"dagster/will_retry": "true"}
    )
    instance.report_run_failed(crashed)
    dagster = watch(instance)
    assert looking(database, dagster).changes.opened == ()
    last = create_run_for_test(instance, job_name="load_daily", status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(last, "The process of this run ended without a word")
    [opened] = looking(database, dagster).changes.opened
    assert (opened.reason, opened.area) == ("died", "platform")


def test_what_failed_while_nobody_watched_is_found_by_the_next_watch(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    looking(database, watch(instance))
    night(instance, fail="unavailable")
    assert len(looking(database, watch(instance)).changes.opened) == 1
    # and no third one finds it again
    assert looking(database, watch(instance)).changes.opened == ()
    session.execute("update ops.incidents set closed_at = now()")
    assert looking(database, watch(instance)).changes.opened == ()


def test_the_first_look_at_an_old_installation_brings_up_no_history(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    night(instance, fail="unavailable")
    assert looking(database, watch(instance, clock=lambda: time.time() + 90_000)).changes.opened == ()


def test_the_daemons_silence_counts_from_the_first_look_and_ends_with_a_heartbeat(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    clock = [time.time()]
    dagster = watch(instance, clock=lambda: clock[0])
    began = clock[0]
    for seconds, open_now in ((0, 0), (299, 0), (301, 1), (360, 1)):
        clock[0] = began + seconds
        assert looking(database, dagster).open_now == open_now, seconds
    for kind in ("SCHEDULER", "QUEUED_RUN_COORDINATOR"):
        instance.add_daemon_heartbeat(DaemonHeartbeat(clock[0], kind, "d1", []))
    assert looking(database, dagster).open_now == 0
    assert [line for _, line in messages(session)] == [
        "🔴 <b>Расписания не работают: Dagster молчит</b>", "✅ <b>Расписания снова работают</b>",
    ]  # fmt: skip


def test_a_storage_that_does_not_answer_neither_opens_nor_closes(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    night(instance, fail="unavailable")
    looking(database, watch(instance))
    place = incidents.seen(session, "runs")

    def away() -> dg.DagsterInstance:
        raise OSError("no storage")

    blind = looking(database, DagsterWatch(away, 7))
    assert (blind.changes.opened, blind.changes.closed, blind.open_now) == ((), (), 1)
    assert incidents.seen(session, "runs") == place


@pytest.mark.proof
def test_a_storage_that_stays_away_is_the_daemons_silence(
    database: Warehouse, session: psycopg.Connection, instance: dg.DagsterInstance
) -> None:
    """It needs that storage, too; nobody else would say so while the warehouse answers."""
    clock, is_away = [time.time()], [False]

    def storage() -> dg.DagsterInstance:
        if is_away[0]:
            raise OSError("no storage")
        return instance

    dagster = DagsterWatch(storage, 7, settled_seconds=0.0, clock=lambda: clock[0])
    began = clock[0]
    open_now = []
    for seconds, away in ((0, False), (200, True), (290, True), (310, True), (320, False)):
        clock[0], is_away[0] = began + seconds, away
        if away:
            dagster._instance = None
        else:
            for kind in ("SCHEDULER", "QUEUED_RUN_COORDINATOR"):
                instance.add_daemon_heartbeat(DaemonHeartbeat(clock[0], kind, "d1", []))
        open_now.append(looking(database, dagster).open_now)
    assert open_now == [0, 0, 0, 1, 0]


def test_every_step_and_check_of_the_graph_has_its_area() -> None:
    from orchestration.definitions import defs

    for name in ("load_daily", "score_days", "publish_week"):
        for node in defs.resolve_job_def(name).nodes:
            assert area_of(node.name) != "platform", node.name


# --- what the warehouse says -----------------------------------------------------------------------------------------


def connect(
    session: psycopg.Connection,
    name: str = "shop",
    *,
    since: datetime = MONDAY - timedelta(days=60),
    judged_until: datetime | None = MONDAY + timedelta(days=2),
) -> None:
    connections.note_environment(session, connections.Account(name, "retailcrm", "environment", {}))
    session.execute("update ops.connections set created_at = %s where connection_id = %s", (since, name))
    if judged_until is not None:
        session.execute("insert into ops.as_of (scope, as_of) values (%s, %s)", (name, judged_until))


def test_a_refused_key_is_told_once_and_its_end_when_it_is_read_again(
    database: Warehouse, session: psycopg.Connection
) -> None:
    connect(session)
    connections.synced(session, "shop", MONDAY)
    connections.report(session, "shop", "needs_auth", "[needs_auth] the key was refused", MONDAY)
    session.execute("create table marts.data_status as select '2026-W47'::text as week")
    session.execute("grant select on marts.data_status to public")
    for _ in range(3):
        looking(database, quiet, MONDAY)
    # two days without data, and still one message: the key is the trouble
    looking(database, quiet, MONDAY + timedelta(days=2))
    connections.synced(session, "shop", MONDAY + timedelta(days=2))
    looking(database, quiet, MONDAY + timedelta(days=2))
    assert messages(session) == [
        (CHAT, "🔴 <b>Подключение не работает: shop</b>"), (CHAT, "✅ <b>Подключение в порядке: shop</b>"),
    ]  # fmt: skip


def test_no_week_by_nine_on_monday(database: Warehouse, session: psycopg.Connection) -> None:
    connect(session)
    connections.synced(session, "shop", MONDAY)
    session.execute("create table marts.data_status as select '2026-W46'::text as week")
    session.execute("grant select on marts.data_status to public")
    assert looking(database, quiet, MONDAY - timedelta(minutes=1)).open_now == 0
    assert looking(database, quiet, MONDAY).open_now == 1
    session.execute("insert into marts.data_status values ('2026-W47')")
    assert looking(database, quiet, MONDAY + timedelta(minutes=20)).open_now == 0
    assert [line for _, line in messages(session)] == [
        "🔴 <b>Неделя 2026-W47 не опубликована</b>", "✅ <b>Неделя 2026-W47 опубликована</b>",
    ]  # fmt: skip


def test_nothing_was_ever_published_and_nothing_is_connected(database: Warehouse, session: psycopg.Connection) -> None:
    assert looking(database, quiet, MONDAY).open_now == 0
    connect(session)
    connections.synced(session, "shop", MONDAY)
    assert [one.kind for one in looking(database, quiet, MONDAY).changes.opened] == [Kind.NO_WEEK]


def test_with_messages_off_incidents_are_kept_and_what_lasts_is_told_when_they_are_on(
    database: Warehouse, session: psycopg.Connection
) -> None:
    connect(session)
    connections.report(session, "shop", "broken", "[unavailable] no answer", MONDAY)
    assert looking(database, quiet, MONDAY, operators_chat=None).open_now == 2
    assert messages(session) == []
    connections.synced(session, "shop", MONDAY)
    for _ in range(2):
        looking(database, quiet, MONDAY)
    # nobody is told the end of what he never heard of, and once what still lasts
    assert messages(session) == [(CHAT, "🔴 <b>Неделя 2026-W47 не опубликована</b>")]
    assert {row.kind for row in incidents.rows(session, closed_since=MONDAY - timedelta(days=999))} == {
        Kind.CONNECTION, Kind.NO_WEEK,
    }  # fmt: skip


def test_data_that_are_read_and_not_judged_are_told(database: Warehouse, session: psycopg.Connection) -> None:
    """The account that is furthest behind counts; one that was connected a short time ago has only begun."""
    now = MONDAY + timedelta(days=3)
    for name, since, judged in (("shop", 900, 1), ("slow", 900, 40), ("new", 10, 900), ("empty", 29, None)):
        until = None if judged is None else now - timedelta(hours=judged)
        connect(session, name, since=now - timedelta(hours=since), judged_until=until)
        connections.synced(session, name, now)
    session.execute("create table marts.data_status as select '2026-W47'::text as week")
    session.execute("grant select on marts.data_status to public")

    [opened] = looking(database, quiet, now).changes.opened
    assert (opened.kind, opened.area, opened.since) == (Kind.LATE, "evaluated", now - timedelta(hours=40))
    session.execute("update ops.as_of set as_of = %s where scope = 'slow'", (now,))
    assert [one.kind for one in looking(database, quiet, now).changes.closed] == [Kind.LATE]
    # what is empty was never judged, although it was read to its end
    [opened] = looking(database, quiet, now + timedelta(hours=1, minutes=1)).changes.opened
    assert (opened.kind, opened.since) == (Kind.LATE, now - timedelta(hours=29))


def test_of_what_was_never_told_for_certain_the_end_is_not_told_either(
    database: Warehouse, session: psycopg.Connection
) -> None:
    connect(session)
    connections.report(session, "shop", "broken", "[unavailable] no answer", MONDAY)
    session.execute("create table marts.data_status as select '2026-W47'::text as week")
    session.execute("grant select on marts.data_status to public")
    looking(database, quiet, MONDAY)
    session.execute("update ops.outbox set state = 'failed', reason = 'blocked'")
    connections.synced(session, "shop", MONDAY)
    assert len(looking(database, quiet, MONDAY).changes.closed) == 1
    assert [line[:1] for _, line in messages(session)] == ["🔴"]


def test_of_two_watchers_one_tells_of_a_database_that_was_away(
    database: Warehouse, session: psycopg.Connection
) -> None:
    now = datetime.now(UTC)
    away = (now - timedelta(minutes=7), now)
    looking(database, quiet, MONDAY, database_away=away)
    looking(database, quiet, MONDAY, database_away=away)
    # one that was kept from looking for hours by the other has nothing to tell at last
    looking(database, quiet, MONDAY, database_away=(now - timedelta(minutes=7), now + timedelta(hours=5)))
    assert len(messages(session)) == 1


def test_a_database_that_was_away_is_told_of_once(database: Warehouse, session: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    looking(database, quiet, MONDAY, database_away=(now - timedelta(minutes=7), now))
    looking(database, quiet, MONDAY)
    assert [line for _, line in messages(session)] == ["✅ <b>База данных была недоступна и вернулась</b>"]
    assert incidents.known(session) == []


def test_two_watchers_do_not_look_at_once(database: Warehouse, session: psycopg.Connection) -> None:
    assert incidents.lock(session)
    assert looking(database, quiet, MONDAY).is_busy


def test_a_person_may_end_an_incident(database: Warehouse, session: psycopg.Connection) -> None:
    connect(session)
    connections.report(session, "shop", "broken", "[unavailable] no answer", MONDAY)
    connections.synced(session, "other", MONDAY)
    looking(database, quiet, MONDAY, operators_chat=None)
    one = next(row for row in incidents.rows(session) if row.kind is Kind.CONNECTION)
    assert incidents.close_by_hand(session, one.incident_id, MONDAY)
    assert not incidents.close_by_hand(session, one.incident_id, MONDAY)


def test_the_disk_is_that_of_the_home(tmp_path: Path) -> None:
    [disk] = disks(tmp_path / "not" / "there" / "yet")
    assert disk.place == str(tmp_path)
    assert 0 < disk.percent < 100
