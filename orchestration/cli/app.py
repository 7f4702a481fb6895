"""The commands and their options; each body is one call into the module that does the step.

Here: what can be typed. Not here: what is printed (the command's own module) and why (``conversations.messages``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from conversations.messages import (
    AlertsHelp,
    AuditHelp,
    CapturesHelp,
    ConnectionsHelp,
    CustomersHelp,
    DigestHelp,
    ExplainHelp,
    Help,
    ImportsHelp,
    Migrate,
    RequirementsHelp,
    ScoreHelp,
    TelegramHelp,
)
from orchestration.cli.errors import explain as explained
from orchestration.cli.labels_app import labels
from orchestration.cli.operators_app import operators, requirements


class Guarded(typer.core.TyperGroup):
    """Turns expected failures of every command into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            explanation = None if _is_typers_own(error) else explained(error)
            if explanation is None:
                raise
            from orchestration.cli.screen import fail

            fail(explanation.text, explanation.detail)
            raise typer.Exit(explanation.exit_code) from None


def _is_typers_own(error: BaseException) -> bool:
    # usage errors and exits: typer prints them itself. Its own copy of click is not a public name, hence by module
    return any(kind.__module__.split(".")[0] in ("click", "typer") for kind in type(error).__mro__)


app = typer.Typer(
    name="otklik",
    cls=Guarded,
    help=Help.APP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
service = typer.Typer(help=Help.SERVICE, no_args_is_help=True)
app.add_typer(service, name="service")
telegram = typer.Typer(help=TelegramHelp.TELEGRAM, no_args_is_help=True)
app.add_typer(telegram, name="telegram")
app.add_typer(labels, name="labels")
app.add_typer(operators, name="operators")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"otklik {version('otklik')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help=Help.VERSION)] = False,
) -> None:
    from resources.clients.redact import install

    install()


@app.command(help=Help.UP)
def up(
    demo: Annotated[bool, typer.Option("--demo", help=Help.UP_DEMO)] = False,
    no_serve: Annotated[bool, typer.Option("--no-serve", help=Help.UP_NO_SERVE)] = False,
    port: Annotated[int | None, typer.Option("--port", help=Help.UP_PORT, min=1, max=65535)] = None,
) -> None:
    from orchestration.cli import up as command

    command.up(with_demo=demo, serving=not no_serve, port=port)


@app.command(help=Migrate.HELP)
def migrate() -> None:
    from orchestration.cli import migrate as command

    command.migrate()


@app.command(help=Help.RUN)
def run(week: Annotated[str, typer.Option("--week", help=Help.RUN_WEEK)]) -> None:
    from orchestration.cli import load

    load.run(week)


@app.command(help=Help.BACKFILL)
def backfill(
    first: Annotated[str, typer.Option("--from", help=Help.BACKFILL_FROM)],
    last: Annotated[str, typer.Option("--to", help=Help.BACKFILL_TO)],
    select: Annotated[list[str] | None, typer.Option("--select", help=Help.BACKFILL_SELECT)] = None,
) -> None:
    from orchestration.cli import load

    load.backfill(first, last, select)


@app.command(help=ScoreHelp.SCORE)
def score(
    first: Annotated[str, typer.Option("--from", help=ScoreHelp.FROM)],
    last: Annotated[str, typer.Option("--to", help=ScoreHelp.TO)],
    department: Annotated[str | None, typer.Option("--department", help=ScoreHelp.DEPARTMENT)] = None,
    calls: Annotated[bool, typer.Option("--calls", help=ScoreHelp.CALLS)] = False,
    chats: Annotated[bool, typer.Option("--chats", help=ScoreHelp.CHATS)] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=ScoreHelp.DRY_RUN)] = False,
    again: Annotated[list[str] | None, typer.Option("--again", help=ScoreHelp.AGAIN)] = None,
) -> None:
    from orchestration.cli import score as command

    command.score(first, last, department=department, calls=calls, chats=chats, dry_run=dry_run, again=again)


@app.command(name="import", help=ImportsHelp.IMPORT)
def import_files(
    paths: Annotated[list[Path], typer.Argument(help=ImportsHelp.FILES, metavar="FILES...")],
    format_name: Annotated[str, typer.Option("--format", help=ImportsHelp.FORMAT)] = "auto",
    connection: Annotated[str | None, typer.Option("--connection", help=ImportsHelp.CONNECTION)] = None,
    manager: Annotated[list[str] | None, typer.Option("--manager", help=ImportsHelp.MANAGER)] = None,
    managers: Annotated[Path | None, typer.Option("--managers", help=ImportsHelp.MANAGERS)] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help=ImportsHelp.TIME_ZONE)] = None,
    date_order: Annotated[str | None, typer.Option("--date-order", help=ImportsHelp.DATE_ORDER)] = None,
    chat: Annotated[str | None, typer.Option("--chat", help=ImportsHelp.CHAT)] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help=ImportsHelp.MAPPING)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=ImportsHelp.DRY_RUN)] = False,
    as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False,
) -> None:
    from orchestration.cli import importing

    options = importing.Options(
        format_name, connection, tuple(manager or ()), managers, time_zone, date_order, chat, mapping, dry_run, as_json
    )
    if code := importing.import_files(paths, options):
        raise typer.Exit(code)


@app.command(name="link-customers", help=CustomersHelp.LINK)
def link_customers(
    path: Annotated[Path | None, typer.Argument(help=CustomersHelp.FILE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False,
) -> None:
    from orchestration.cli import customers

    customers.link(path, as_json=as_json)


app.command(help=RequirementsHelp.REQUIREMENTS)(requirements)


@app.command(help=Help.SQL)
def sql(
    query: Annotated[str, typer.Argument(help=Help.SQL_QUERY)],
    csv: Annotated[bool, typer.Option("--csv", help=Help.SQL_CSV)] = False,
) -> None:
    from orchestration.cli import sql as command

    command.sql(query, as_csv=csv)


@app.command(help=ExplainHelp.EXPLAIN)
def explain(
    mart: Annotated[str, typer.Argument(help=ExplainHelp.MART)],
    keys: Annotated[list[str] | None, typer.Argument(help=ExplainHelp.KEYS)] = None,
    revision: Annotated[int | None, typer.Option("--revision", help=ExplainHelp.REVISION, min=1)] = None,
    csv: Annotated[bool, typer.Option("--csv", help=ExplainHelp.CSV)] = False,
    as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False,
    texts: Annotated[bool, typer.Option("--texts", help=ExplainHelp.TEXTS)] = False,
    query: Annotated[bool, typer.Option("--sql", help=ExplainHelp.SQL)] = False,
) -> None:
    from orchestration.cli import explain as command

    command.explain(mart, keys or [], command.Options(revision, csv, as_json, texts, query))


@app.command(name="audit-sheet", help=AuditHelp.AUDIT)
def audit_sheet(
    output: Annotated[str | None, typer.Option("--output", help=AuditHelp.OUTPUT)] = None,
) -> None:
    from orchestration.cli import audit_sheet as command

    command.audit_sheet(output)


@app.command(help=Help.DOCTOR)
def doctor(
    mode: Annotated[str | None, typer.Option("--mode", help=Help.DOCTOR_MODE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False,
) -> None:
    from orchestration.cli import doctor as command

    command.doctor(mode, as_json=as_json)


@app.command(help=Help.PROBE)
def probe(
    source: Annotated[str | None, typer.Argument(help=Help.PROBE_SOURCE)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False,
) -> None:
    from orchestration.cli import probe as command

    command.probe(source, as_json=as_json)


@app.command(help=ConnectionsHelp.CONNECT)
def connect(
    vendor: Annotated[str, typer.Argument(help=ConnectionsHelp.CONNECT_VENDOR)],
    name: Annotated[str | None, typer.Option("--id", "--name", help=ConnectionsHelp.CONNECT_ID)] = None,
    env_file: Annotated[str | None, typer.Option("--env-file", help=ConnectionsHelp.CONNECT_ENV_FILE)] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help=ConnectionsHelp.CONNECT_BASE_URL)] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help=ConnectionsHelp.CONNECT_NO_CHECK)] = False,
    curl: Annotated[list[Path] | None, typer.Option("--curl", help=CapturesHelp.CURL)] = None,
    har: Annotated[Path | None, typer.Option("--har", help=CapturesHelp.HAR)] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help=CapturesHelp.TIME_ZONE)] = None,
    fields: Annotated[Path | None, typer.Option("--fields", help=ConnectionsHelp.CONNECT_FIELDS)] = None,
) -> None:
    from orchestration.cli import connect as command
    from orchestration.cli.connect_web import Files

    files = Files(tuple(curl or ()), har, time_zone)
    command.connect(vendor, name, env_file, base_url, files, check=not no_check, fields=fields)


@app.command(help=ConnectionsHelp.CONNECTIONS)
def connections(as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False) -> None:
    from orchestration.cli import connections as command

    command.show(as_json=as_json)


@app.command(help=ConnectionsHelp.DISABLE)
def disable(
    name: Annotated[str, typer.Argument(help=ConnectionsHelp.NAME)],
    forget: Annotated[bool, typer.Option("--forget", help=ConnectionsHelp.DISABLE_FORGET)] = False,
) -> None:
    from orchestration.cli import connections as command

    command.disable(name, forget=forget)


@app.command(help=ConnectionsHelp.ENABLE)
def enable(name: Annotated[str, typer.Argument(help=ConnectionsHelp.NAME)]) -> None:
    from orchestration.cli import connections as command

    command.enable(name)


@app.command(name="rotate-keys", help=ConnectionsHelp.ROTATE)
def rotate_keys(
    new_key: Annotated[bool, typer.Option("--new-key", help=ConnectionsHelp.ROTATE_NEW_KEY)] = False,
) -> None:
    from orchestration.cli import connections as command

    command.rotate_keys(only_print=new_key)


@app.command(help=DigestHelp.DIGEST)
def digest(
    week: Annotated[str | None, typer.Option("--week", help=DigestHelp.WEEK)] = None,
    html: Annotated[Path | None, typer.Option("--html", help=DigestHelp.HTML)] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help=DigestHelp.PDF)] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help=DigestHelp.PICTURE)] = None,
    send: Annotated[bool, typer.Option("--send", help=DigestHelp.SEND)] = False,
    again: Annotated[bool, typer.Option("--again", help=DigestHelp.AGAIN)] = False,
) -> None:
    from orchestration.cli import digest as command

    command.digest(week, html=html, pdf=pdf, picture=picture, send=send, again=again)


@app.command(help=AlertsHelp.WATCH)
def watch(
    once: Annotated[bool, typer.Option("--once", help=AlertsHelp.WATCH_ONCE)] = False,
    every: Annotated[int, typer.Option("--every", help=AlertsHelp.WATCH_EVERY, min=1, max=3600)] = 60,
) -> None:
    from orchestration.cli import watch as command

    command.watch(once=once, every=every)


@app.command(help=AlertsHelp.ALERTS)
def alerts(
    action: Annotated[str | None, typer.Argument(help=AlertsHelp.ACTION)] = None,
    one: Annotated[str | None, typer.Argument(metavar="[ID]", help=AlertsHelp.ID)] = None,
    everything: Annotated[bool, typer.Option("--all", help=AlertsHelp.ALL)] = False,
    as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False,
) -> None:
    from orchestration.cli import alerts as command

    command.alerts(action, one, everything=everything, as_json=as_json)


@app.command(help=Help.SCHEMA)
def schema(
    name: Annotated[str | None, typer.Argument(help=Help.SCHEMA_TABLE)] = None,
    output: Annotated[str, typer.Option("--format", help=Help.SCHEMA_FORMAT)] = "table",
) -> None:
    from orchestration.cli import schema as command

    command.schema(name, output)


@service.command(name="install", help=Help.SERVICE_INSTALL)
def service_install(
    only_print: Annotated[bool, typer.Option("--print", help=Help.SERVICE_PRINT)] = False,
    directory: Annotated[Path | None, typer.Option("--dir", help=Help.SERVICE_DIR)] = None,
    system: Annotated[bool, typer.Option("--system/--user", help=Help.SERVICE_SYSTEM)] = False,
    kind: Annotated[str | None, typer.Option("--kind", help=Help.SERVICE_KIND)] = None,
) -> None:
    from orchestration.cli import service as command

    command.install(only_print=only_print, directory=directory, system=system, kind=kind)


@telegram.command(name="chat-id", help=TelegramHelp.CHAT_ID)
def telegram_chat_id(as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False) -> None:
    from orchestration.cli import telegram as command

    command.chat_id(as_json=as_json)
