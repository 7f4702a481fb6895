"""``otklik import``: files with conversations go the same walk as an API, raw to evaluated, and are summed up.

Here: the loop over files, the walk of the document formats, the summary. Not here: exported chats and tables
(``bringing``, ``resources.imports``), formats (``conversations.parsing``), loading, rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversations.messages import Errors, Import, Imports, minutes, number, reason
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_BUSY, EXIT_FAILED, EXIT_USAGE, CliError, explain

if TYPE_CHECKING:
    from conversations.imports.survey import Choices
    from conversations.policy import Policy
    from resources.sources.files import FileSource
    from resources.warehouse.engine import Warehouse


@dataclass(frozen=True)
class Options:
    """What was declared on the command line besides the files."""

    format_name: str = "auto"
    connection: str | None = None
    managers: tuple[str, ...] = ()
    managers_file: Path | None = None
    time_zone: str | None = None
    date_order: str | None = None
    chat: str | None = None
    mapping: Path | None = None
    dry_run: bool = False
    as_json: bool = False


def import_files(paths: list[Path], options: Options) -> int:
    """Bring the files one by one; a bad one leaves the others alone. Returns the exit code.

    Raises:
        CliError: an option that cannot be meant; nothing was read.
        WarehouseError: the database cannot be used.
    """
    from conversations.parsing.formats import FORMATS
    from conversations.policy import Policy
    from orchestration.cli import bringing
    from resources.imports.formats import AUTO, EXPORTS
    from resources.settings import Settings

    known = (AUTO, *EXPORTS, *sorted(FORMATS))
    if options.format_name not in known:
        raise CliError(Errors.UNKNOWN_FORMAT.format(options.format_name, ", ".join(known)), EXIT_USAGE)
    if len(paths) == 1 and not paths[0].exists():
        raise CliError(Errors.NO_FILE.format(paths[0]), EXIT_USAGE)
    if options.mapping is not None and not options.mapping.is_file():
        raise CliError(Imports.NO_MAPPING.format(options.mapping), EXIT_USAGE)
    settings = Settings()
    policy = Policy.load(settings.policy_path)
    zone = options.time_zone or policy.organisation.time_zone
    choices = bringing.choices_of(list(options.managers), options.managers_file, zone, options.date_order, options.chat)
    with _work(settings, policy, options.dry_run) as work:
        return _each(paths, options, choices, work)


class _Work:
    """The warehouse and the rules; nothing is opened for a dry run."""

    def __init__(self, warehouse: Warehouse | None, policy: Policy) -> None:
        self.warehouse = warehouse
        self.policy = policy
        self._lexicon: Any = None

    @property
    def lexicon(self) -> Any:
        """Read once, for the first file that is judged."""
        from resources.lexicons import load_lexicon
        from resources.settings import Settings

        self._lexicon = self._lexicon or load_lexicon(Settings())
        return self._lexicon


@contextmanager
def _work(settings: Any, policy: Policy, is_dry: bool) -> Iterator[_Work]:
    from resources.warehouse.engine import Warehouse

    if is_dry:
        yield _Work(None, policy)
        return
    with Warehouse.open(settings) as warehouse:
        warehouse.ensure_migrated()
        yield _Work(warehouse, policy)


def _each(paths: list[Path], options: Options, choices: Choices, work: _Work) -> int:
    from conversations.imports.survey import Undecided
    from resources.clients.errors import SourceError
    from resources.imports.errors import ConnectionTaken
    from resources.warehouse.errors import Busy

    outcomes: list[dict[str, Any]] = []
    codes: list[int] = []
    for path in paths:
        try:
            outcomes.append(_one(path, options, choices, work))
        except (SourceError, Undecided, ConnectionTaken, Busy, CliError) as error:
            known = explain(error)
            assert known is not None, "every error of this list has its words"
            screen.fail(Imports.ONE.format(path.name, known.text), known.detail)
            codes.append(known.exit_code)
            outcomes.append({"file": path.name, "state": "failed", "reason": getattr(error, "code", None)})
    _conclude(paths, options, outcomes, work)
    if not codes:
        return 0
    if len(paths) > 1:
        screen.fail(Imports.FAILED.format(len(codes), len(paths)))
        return EXIT_BUSY if set(codes) == {EXIT_BUSY} else EXIT_FAILED
    return codes[0]


def _one(path: Path, options: Options, choices: Choices, work: _Work) -> dict[str, Any]:
    """One file, stored or only shown; what was done with it, as JSON."""
    from conversations.parsing.formats import FORMATS
    from orchestration.cli import bringing
    from resources.imports.formats import recognise

    if options.format_name in FORMATS:
        return _document(path, options.format_name, options, work)
    where = options.connection or path.suffix.lstrip(".") or options.format_name
    found = recognise(path, where, options.format_name, has_mapping=options.mapping is not None)
    if found.format in FORMATS:
        return _document(path, found.format, options, work)
    file = bringing.opened(path, found, options.connection, choices, options.mapping)
    if work.warehouse is None:
        return bringing.dry_run(path, file, as_json=options.as_json)
    brought = bringing.store(file, work.warehouse, work.policy, work.lexicon)
    if not options.as_json:
        bringing.show(path, file, brought)
    return bringing.told(path, file, brought)


def _document(path: Path, format_name: str, options: Options, work: _Work) -> dict[str, Any]:
    from resources.sources.files import FileSource

    told = {"file": path.name, "format": format_name}
    if work.warehouse is None:
        source = FileSource(path, format_name, options.connection)
        rows = sum(len(page.rows) for stream in source.streams for page in source.pages(stream, None, None))
        if not options.as_json:
            screen.say(f"{path.name}: {Import.LABELS['conversations']} {number(rows)}")
            screen.say(Imports.DRY_RUN)
        return told | {"state": "dry_run", "conversations": rows}
    connection = load(path, format_name, options.connection, work.warehouse, work.policy)
    return told | {"state": "done", "connection": connection}


def _conclude(paths: list[Path], options: Options, outcomes: list[dict[str, Any]], work: _Work) -> None:
    """Sum up the connections that were written."""
    written = dict.fromkeys(one["connection"] for one in outcomes if "connection" in one)
    summaries = {one: summarise(work.warehouse, one) for one in written} if work.warehouse is not None else {}
    is_document = len(paths) == 1 and outcomes[0].get("state") == "done" and "messages" not in outcomes[0]
    if options.as_json:
        told = next(iter(summaries.values())) if is_document else {"files": outcomes, "connections": summaries}
        if outcomes[0].get("state") != "failed" or len(paths) > 1:
            print(json.dumps(told, ensure_ascii=False))
        return
    for one, summary in summaries.items():
        show(paths[0].name if is_document else one, summary)


def load(path: Path, format_name: str, connection: str | None, warehouse: Warehouse, policy: Policy) -> str:
    """The three steps; the name of the connection that the file was stored under.

    Raises:
        Busy: another process works on that connection; nothing was written.
        ConnectionTaken: that connection belongs to another source.
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
    from resources.imports.bring import end_of_data
    from resources.lexicons import load_lexicon
    from resources.settings import Settings
    from resources.warehouse.core import replace_window
    from resources.warehouse.customer_links import links_of_import
    from resources.warehouse.eligibility import refresh_eligibility
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
            links_of_import(warehouse, by_number=policy.customers.link_by_number)
            judged_at = end_of_data(warehouse, source.connection_id, zone)
            if judged_at is not None:
                connection_id, lexicon = source.connection_id, load_lexicon(Settings())
                refresh_evaluated(warehouse, policy, None, judged_at, connection_id=connection_id, lexicon=lexicon)
            refresh_eligibility(warehouse, policy, None, [source.connection_id])


def _refuse_another_source(warehouse: Warehouse, connection_id: str, source: str) -> None:
    from resources.imports.errors import ConnectionTaken
    from resources.warehouse.imports import source_of_connection

    with warehouse.connect() as sql:
        other = source_of_connection(sql, connection_id, source)
    if other is not None:
        raise ConnectionTaken(connection_id, other)


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


def show(title: str, summary: dict[str, Any]) -> None:
    """Print the summary for a person."""
    rows = [(label, number(summary[key])) for key, label in Import.LABELS.items()]
    rows.append((Import.FIRST_REPLY_P50, minutes(summary["first_reply_p50_seconds"])))
    for key, label in Import.REASONS.items():
        found = summary[key]
        rows.append((label, number(sum(found.values())) if found else Import.NOTHING))
        rows += [(f"  {reason(code)}", number(count)) for code, count in found.items()]
    screen.show(screen.table(title, [("", "left"), ("", "right")], rows))


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value
