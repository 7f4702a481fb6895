"""``otklik import``: a file with conversations goes the same walk as an API, raw to evaluated, and is summed up.

Here: the order of the three steps and the summary. Not here: formats (``conversations.parsing``), loading, rules.
"""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversations.messages import Errors, Import, minutes, number, reason
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from conversations.policy import Policy
    from resources.sources.files import FileSource
    from resources.warehouse.engine import Warehouse


def import_file(path: Path, format_name: str, connection: str | None, *, as_json: bool) -> None:
    """Load, understand and judge the file; print the summary of its connection.

    Raises:
        CliError: no such file or format.
        BadFile: the file cannot be used; nothing of it was stored.
    """
    from conversations.parsing.formats import FORMATS
    from conversations.policy import Policy
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    if format_name not in FORMATS:
        raise CliError(Errors.UNKNOWN_FORMAT.format(format_name, ", ".join(sorted(FORMATS))), EXIT_USAGE)
    if not path.is_file():
        raise CliError(Errors.NO_FILE.format(path), EXIT_USAGE)
    settings = Settings()
    policy = Policy.load(settings.policy_path)
    with Warehouse.open(settings) as warehouse:
        warehouse.ensure_migrated()
        connection_id = load(path, format_name, connection, warehouse, policy)
        summary = summarise(warehouse, connection_id)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        show(path, summary)


def load(path: Path, format_name: str, connection: str | None, warehouse: Warehouse, policy: Policy) -> str:
    """The three steps; the name of the connection that the file was stored under.

    Raises:
        Busy: another process works on that connection; nothing was written.
        CliError: that connection belongs to another source.
    """
    from resources.sources.files import FileSource
    from resources.warehouse.locks import account_lock

    source = FileSource(path, format_name, connection)
    with (
        warehouse.connect("otklik-import-lock", autocommit=True) as session,
        account_lock(session, source.connection_id),
    ):
        _walk(source, format_name, warehouse, policy)
    return source.connection_id


def _walk(source: FileSource, format_name: str, warehouse: Warehouse, policy: Policy) -> None:
    from conversations.parsing.formats import FORMATS
    from resources.lexicons import load_lexicon
    from resources.settings import Settings
    from resources.warehouse.core import replace_window
    from resources.warehouse.land import land
    from resources.warehouse.refresh import refresh_evaluated

    _refuse_another_source(warehouse, source.connection_id, source.name)
    parser = FORMATS[format_name].parser()
    zone = policy.organisation.time_zone
    streams = tuple(source.streams.values())
    with screen.steps() as steps:
        with steps.step(Import.STEPS[0]) as step:
            for stream in streams:
                landed = land(source, stream.name, None, warehouse, time_zone=zone)
                step.to(landed.rows)
        with steps.step(Import.STEPS[1]):
            replace_window(warehouse, parser, source.connection_id, source.name, streams, None, zone)
        with steps.step(Import.STEPS[2]):
            judged_at = end_of_data(warehouse, source.connection_id, zone)
            if judged_at is not None:
                connection_id, lexicon = source.connection_id, load_lexicon(Settings())
                refresh_evaluated(warehouse, policy, None, judged_at, connection_id=connection_id, lexicon=lexicon)


def _refuse_another_source(warehouse: Warehouse, connection_id: str, source: str) -> None:
    """Two sources under one name would be one account in core, where a connection is read without its vendor."""
    from psycopg import sql as composed

    with warehouse.connect() as sql:
        for (table,) in sql.execute("select tablename from pg_tables where schemaname = 'raw' order by 1").fetchall():
            if table.startswith(f"{source}__"):
                continue
            holds = composed.SQL("select exists (select from {} where connection_id = %s)")
            row = sql.execute(holds.format(composed.Identifier("raw", table)), [connection_id]).fetchone()
            if row == (True,):
                other = table.split("__")[0]
                raise CliError(Errors.CONNECTION_TAKEN.format(connection_id, other), EXIT_USAGE)
        # connected and not read yet
        account = sql.execute("select vendor from ops.connections where connection_id = %s", [connection_id]).fetchone()
        if account is not None and account[0] != source:
            raise CliError(Errors.CONNECTION_TAKEN.format(connection_id, account[0]), EXIT_USAGE)


def end_of_data(warehouse: Warehouse, connection_id: str, time_zone: str) -> datetime | None:
    """The end of the local day of the connection's last message: what a file is judged at. Never our clock, so that
    the same file gives the same rows whenever it is read (contract, section 8)."""
    from zoneinfo import ZoneInfo

    with warehouse.connect() as sql:
        row = sql.execute("select max(sent_at) from core.messages where connection_id = %s", [connection_id]).fetchone()
    if row is None or row[0] is None:
        return None
    zone = ZoneInfo(time_zone)
    return datetime.combine(row[0].astimezone(zone).date() + timedelta(days=1), time(), zone)


_COUNTS = """
select (select count(*) from core.conversations where connection_id = %(connection)s),
       (select count(*) from core.messages where connection_id = %(connection)s),
       (select count(*) from core.managers where connection_id = %(connection)s)
"""
_FLAGGED = """
select flag, count(*) from core.{table} cross join unnest(flags) as flag
where connection_id = %(connection)s group by flag order by flag
"""
_QUARANTINED = """
select reason, count(*) from core.quarantine where connection_id = %(connection)s group by reason order by reason
"""
# The first wait of each conversation, the late replies included: elapsed calendar time, as the customer felt it.
_FIRST_REPLIES = """
with first_waits as (
    select distinct on (wait.conversation_id)
        extract(epoch from coalesce(wait.answered_at, wait.answered_after_limit_at) - wait.opened_at) as seconds
    from evaluated.waits as wait
    where wait.connection_id = %(connection)s and wait.wait_kind = 'message'
    order by wait.conversation_id, wait.opened_at, wait.wait_id
)
select count(seconds), percentile_cont(0.5) within group (order by seconds) from first_waits
"""


def summarise(warehouse: Warehouse, connection_id: str) -> dict[str, Any]:
    """What the warehouse holds of the connection: counts, flags and quarantine by reason, the first replies."""
    key = {"connection": connection_id}
    with warehouse.connect() as sql:
        conversations, messages, managers = sql.execute(_COUNTS, key).fetchone()
        flagged = dict(sql.execute(_FLAGGED.format(table="messages"), key).fetchall())
        flagged_conversations = dict(sql.execute(_FLAGGED.format(table="conversations"), key).fetchall())
        quarantined = dict(sql.execute(_QUARANTINED, key).fetchall())
        first_replies, median = sql.execute(_FIRST_REPLIES, key).fetchone()
    return {
        "connection": connection_id,
        "conversations": conversations,
        "messages": messages,
        "managers": managers,
        "flagged": flagged,
        "flagged_conversations": flagged_conversations,
        "quarantined": quarantined,
        "first_replies": first_replies,
        "first_reply_p50_seconds": None if median is None else _whole(float(median)),
    }


def show(path: Path, summary: dict[str, Any]) -> None:
    """Print the summary for a person."""
    rows = [(label, number(summary[key])) for key, label in Import.LABELS.items()]
    rows.append((Import.FIRST_REPLY_P50, minutes(summary["first_reply_p50_seconds"])))
    for key, label in Import.REASONS.items():
        found = summary[key]
        rows.append((label, number(sum(found.values())) if found else Import.NOTHING))
        rows += [(f"  {reason(code)}", number(count)) for code, count in found.items()]
    screen.show(screen.table(path.name, [("", "left"), ("", "right")], rows))


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value
