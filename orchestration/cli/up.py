"""``otklik up``: everything there is, in the foreground, until Ctrl-C; with ``--demo`` over an invented shop.

Here: the order of the steps and what is said at the end. Not here: the steps (``demo``, ``load``, ``serve``, ``week``).
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from conversations.messages import LAYERS, Errors, Up, days, number
from conversations.policy import Policy
from orchestration.cli import children, demo, load, score, screen, serve, watch, week
from orchestration.cli.errors import CliError
from resources.settings import PROJECT_ROOT, Settings

if TYPE_CHECKING:
    from orchestration.runner import RunSummary
    from resources.warehouse.engine import Warehouse


def up(*, with_demo: bool, serving: bool, port: int | None) -> None:
    """Bring up database, tables and UI; with ``with_demo`` load and show the invented shop first."""
    started = time.monotonic()
    with children.stop_signals_interrupt(), children.running() as group:
        if with_demo:
            _demo(group, started, port, serving=serving)
        else:
            _plain(group, port, serving=serving)


def _plain(group: list[children.Child], port: int | None, *, serving: bool) -> None:
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    load.preflight(settings)
    with Warehouse.open(settings) as warehouse:
        load.prepare(warehouse, settings)
        _tell(warehouse, settings)
        _serve(warehouse, settings, group, port, "otklik up", serving=serving)


def _demo(group: list[children.Child], started: float, port: int | None, *, serving: bool) -> None:
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    home, zone = settings.otklik_home, load.time_zone(settings)
    with Warehouse.open(settings) as warehouse:
        load.prepare(warehouse, settings)
        kept = demo.anchor(home)
        if kept is None:
            if _holds_conversations(warehouse):
                raise CliError(Errors.NOT_DEMO)
            kept = demo.new_anchor(settings.now(), zone)
            demo.remember(home, kept)
        screen.say(Up.INVENTED)
        outside = demo.start_emulators(PROJECT_ROOT, home, kept, kept.at(8 if kept.is_loaded else 0), group)
        with demo.pointed_at(outside, kept):
            load.preflight(Settings())
            summaries = _walk(outside, kept, Policy.load(settings.policy_path).reread_days)
            demo.remember(home, replace(kept, is_loaded=True))
            # the digest that the publication has queued: with a UI the watch would send it, here nobody waits for one
            watch.send_queued(warehouse)
            _summary(warehouse, kept, summaries)
            _tell(warehouse, settings)
            screen.say(Up.EXPLAIN.format(_own_name(), kept.weeks[-1]))
            screen.say(Up.DIGEST.format(_own_name()))
            if serving:
                screen.say(Up.SPREADSHEET.format(outside.spreadsheet_page))
                screen.say(Up.CHAT.format(outside.chat_page))
            screen.say(Up.elapsed(time.monotonic() - started))
            # the shop's time stands still on that Monday: no source of it is late
            _serve(warehouse, settings, group, port, "make demo", serving=serving, clock=kept.at(10))


def _walk(outside: demo.Outside, kept: demo.Anchor, reread_days: int) -> list[RunSummary]:
    """Five weeks at first; then, and in every later run, what a night does: the last days again. By Monday 08:00
    customers and managers have deleted and edited messages, and the re-read must notice."""
    summaries = []
    if not kept.is_loaded:
        summaries.append(load.load_days(kept.first_day, kept.last_day))
        outside.set_clock(kept.at(8))
    reread = kept.monday - timedelta(days=reread_days)
    summaries.append(load.load_days(reread, kept.last_day, title=Up.REREAD))
    screen.say(Up.JUDGE_INVENTED)
    # the last week only: a judge is paid by the talk, and the weeks before show what a week without one looks like
    score.score((kept.monday - timedelta(days=7)).isoformat(), kept.last_day.isoformat())
    summaries.append(load.publish(kept.weeks[0], kept.weeks[-1]))
    return [*summaries, load.publish_days(kept.first_day, kept.last_day)]


def _holds_conversations(warehouse: Warehouse) -> bool:
    with warehouse.connect() as sql:
        return bool(sql.execute("select exists (select from core.conversations)").fetchone()[0])


def _summary(warehouse: Warehouse, kept: demo.Anchor, summaries: list[RunSummary]) -> None:
    first, last = kept.weeks[0], kept.weeks[-1]
    screen.say(Up.WEEKS.format(first, last, days(kept.first_day, kept.last_day)), style="bold")
    columns = [(Up.LAYER, "left"), (Up.TABLES, "right"), (Up.COUNT, "right")]
    rows = [(LAYERS[layer], number(tables), number(count)) for layer, tables, count in _rows_by_layer(warehouse)]
    screen.show(screen.table(Up.ROWS, columns, rows))
    screen.say(load.passed(summaries))
    week.show(week.reading(warehouse), last)


def _rows_by_layer(warehouse: Warehouse) -> list[tuple[str, int, int]]:
    from psycopg import sql as composed

    from resources.warehouse.roles import Role

    # nobody who works on one end of the walk sees the other: each table is counted by who may read it
    counts: dict[str, dict[str, int]] = {layer: {} for layer in LAYERS}
    for role in (Role.LOADER, Role.PUBLISHER):
        with warehouse.as_role(role).connect() as sql:
            readable = sql.execute(
                "select schemaname, tablename from pg_tables where schemaname = any(%s)"
                " and has_schema_privilege(schemaname, 'usage')"
                " and has_table_privilege(format('%%I.%%I', schemaname, tablename), 'select')",
                [list(LAYERS)],
            ).fetchall()
            for layer, name in readable:
                if name not in counts[layer]:
                    statement = composed.SQL("select count(*) from {}").format(composed.Identifier(layer, name))
                    counts[layer][name] = sql.execute(statement).fetchone()[0]
    return [(layer, len(tables), sum(tables.values())) for layer, tables in counts.items()]


def _tell(warehouse: Warehouse, settings: Settings) -> None:
    with warehouse.connect() as sql:
        version = sql.info.server_version
    where = Up.OWN if settings.database_url else Up.EMBEDDED.format(settings.otklik_home)
    screen.say(Up.DATABASE.format(f"{version // 10_000}.{version % 10_000}", where))
    screen.say(Up.ASK.format(_own_name()))


def _own_name() -> str:
    """How this command is called from where the person is."""
    beside = Path(sys.executable).with_name("otklik")
    found = shutil.which("otklik")
    if found is not None and Path(found).resolve() == beside.resolve():
        return "otklik"
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)


def _serve(
    warehouse: Warehouse,
    settings: Settings,
    group: list[children.Child],
    port: int | None,
    again: str,
    *,
    serving: bool,
    clock: datetime | None = None,
) -> None:
    if not serving:
        screen.say(Up.NO_UI.format(again))
        return
    storage = warehouse.dagster_storage_url()
    environment = serve.environment_for_dagster(settings.otklik_home, PROJECT_ROOT, storage, os.environ)
    serve.declare_pools()
    try:
        url = serve.serve(PROJECT_ROOT, settings.otklik_home, environment, port, group)
        screen.say(Up.UI.format(url), style="bold green")
        group.append(_start_watch(settings, environment, url, clock))
        serve.watch(group)
    except KeyboardInterrupt:
        screen.say(Up.STOPPING)
        children.end_all(group)
        screen.say(Up.STOPPED)


def _start_watch(
    settings: Settings, environment: Mapping[str, str], url: str, clock: datetime | None
) -> children.Child:
    """The watch beside the daemon, not within it: it tells when the daemon is gone."""
    told = {"OTKLIK_UI_URL": settings.otklik_ui_url or url}
    if clock is not None:
        told["OTKLIK_NOW"] = clock.isoformat()
    log = settings.otklik_home / "logs" / "otklik-watch.log"
    return children.start(
        "otklik-watch", watch.command(), log, environment={**environment, **told}, directory=PROJECT_ROOT
    )
