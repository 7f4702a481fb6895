"""``otklik doctor``: is this machine ready to run? One table, before anything is loaded.

Here: the checks and what their outcome means in the modes off, fail (errors stop) and strict (warnings stop too). Not
here: repairing anything; a check changes nothing, it does not even create the database. Only the health of accounts,
which it asks for anyway, is written down where there is one.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from conversations.messages import Accounts, Doctor, Errors, number
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_FAILED, EXIT_USAGE, CliError
from orchestration.cli.findings import SHOWN_ACCOUNTS, Finding, State, failed

if TYPE_CHECKING:
    from orchestration.cli.probed import Probed
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

MODES = ("off", "fail", "strict")

LEAST_FREE_BYTES = 1 << 30
FULL_SHARE = 0.8
"""Alert from here on (promises F7)."""
OLDEST_SERVER = 150_000
_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def doctor(mode: str | None, *, as_json: bool) -> None:
    """Check and print; exit code 1 when the mode says that a start should be refused."""
    import typer

    from resources.settings import Settings

    settings = Settings()
    mode = mode or settings.otklik_preflight
    if mode not in MODES:
        raise CliError(Errors.UNKNOWN_MODE.format(mode, ", ".join(MODES)), EXIT_USAGE)
    findings = [] if mode == "off" else list(checks(settings))
    if as_json:
        print(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False))
    elif mode == "off":
        screen.say(Doctor.OFF)
    else:
        show(findings)
        screen.say(Doctor.REFUSED if refuses(findings, mode) else Doctor.PASSED)
    if refuses(findings, mode):
        raise typer.Exit(EXIT_FAILED)


def refuses(findings: list[Finding], mode: str) -> bool:
    """Whether the mode refuses to start with these findings."""
    stopping = {"off": set(), "fail": {"failed"}, "strict": {"failed", "warning"}}[mode]
    return any(finding.state in stopping for finding in findings)


def show(findings: list[Finding]) -> None:
    """Print the table."""
    columns = [(Doctor.CHECK, "left"), (Doctor.STATE, "left"), (Doctor.DETAIL, "left")]
    drawn = screen.table(Doctor.TITLE, columns, [])
    for finding in findings:
        state = screen.styled(Doctor.STATES[finding.state], _STYLES[finding.state])
        drawn.add_row(Doctor.NAMES[finding.check], state, screen.styled(finding.detail, ""))
    screen.show(drawn)


def checks(settings: Settings, *, starting: bool = False) -> Iterator[Finding]:
    """All checks, in the order in which a fault of one explains those after it.

    Args:
        starting: a command is about to create the database and to apply the migrations itself: they are not asked for.
    """
    yield _home(settings)
    yield _disk(settings)
    yield _policy(settings)
    yield _lexicons(settings)
    yield from _database(settings, starting)
    yield from _retailcrm(settings)
    from orchestration.cli.doctor_scoring import scoring_checks

    yield from scoring_checks(settings)


# --- this machine ---------------------------------------------------------------------------------------------------


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _home(settings: Settings) -> Finding:
    home = settings.otklik_home
    place = _existing(home)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return Finding("home", "failed", Doctor.HOME_NOT_WRITABLE.format(home))
    return Finding("home", "ok", str(home))


def _disk(settings: Settings) -> Finding:
    usage = shutil.disk_usage(_existing(settings.otklik_home))
    free, share = usage.free, 1 - usage.free / usage.total
    detail = Doctor.DISK.format(f"{free / 2**30:.1f}".replace(".", ","), f"{share * 100:.0f}")
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "failed", f"{detail}. {Doctor.DISK_FULL}")
    return Finding("disk", "warning" if share >= FULL_SHARE else "ok", detail)


def _policy(settings: Settings) -> Finding:
    from conversations.policy import Policy, PolicyError

    try:
        policy = Policy.load(settings.policy_path)
    except (PolicyError, OSError) as error:
        return Finding("policy", "failed", str(error))
    return Finding("policy", "ok", Doctor.POLICY.format(policy.organisation.name, policy.organisation.time_zone))


def _lexicons(settings: Settings) -> Finding:
    from conversations.lexicon import LexiconError
    from resources.lexicons import load_lexicon

    if settings.otklik_lexicon_dir is None:
        # those of the product are held by tests
        return Finding("lexicons", "ok", Doctor.LEXICONS)
    try:
        source = load_lexicon(settings).source
    except (LexiconError, OSError) as error:
        return Finding("lexicons", "failed", str(error))
    entries = sum(len(one.entries) for one in source.intents)
    return Finding(
        "lexicons", "ok", Doctor.OWN_LEXICONS.format(settings.otklik_lexicon_dir, len(source.intents), entries)
    )


# --- the database ---------------------------------------------------------------------------------------------------


def _database(settings: Settings, starting: bool) -> Iterator[Finding]:
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.roles import Role

    if not settings.has_database:
        yield Finding("database", "skipped", Doctor.NOT_CREATED)
        return
    try:
        with Warehouse.open(settings) as warehouse:
            if starting:
                # before the first migration there is no login but the owner's
                yield _reached(warehouse.as_role(Role.OWNER) if warehouse.knows(Role.OWNER) else warehouse)
                return
            yield _reached(warehouse)
            yield _guarded("migrations", lambda: _migrations(warehouse))
            yield _guarded("analyst", lambda: _analyst(warehouse))
            yield _guarded("people", lambda: _people(settings, warehouse))
    except Exception as error:
        yield failed("database", error)


def _reached(warehouse: Warehouse) -> Finding:
    with warehouse.connect() as connection:
        version = connection.info.server_version
        where = connection.info.host
    detail = f"PostgreSQL {version // 10_000}.{version % 10_000}, {where}"
    if version < OLDEST_SERVER:
        return Finding("database", "failed", f"{detail}. {Doctor.TOO_OLD}")
    return Finding("database", "ok", detail)


def _migrations(warehouse: Warehouse) -> Finding:
    warehouse.check_migrations()
    return Finding("migrations", "ok", Doctor.MIGRATED)


def _analyst(warehouse: Warehouse) -> Finding:
    from sqlalchemy import text

    reads = "select has_schema_privilege('marts', 'usage'), has_table_privilege('core.messages', 'select')"
    with warehouse.analyst_engine().connect() as connection:
        sees_marts, sees_texts = connection.execute(text(reads)).one()
    if sees_texts:
        return Finding("analyst", "failed", Doctor.ANALYST_SEES_TEXTS)
    return Finding("analyst", "ok" if sees_marts else "failed", Doctor.ANALYST if sees_marts else Doctor.ANALYST_BLIND)


def _people(settings: Settings, warehouse: Warehouse) -> Finding:
    """Accounts that the policy names and no source knows, and what is stored and in no figure."""
    from conversations.people import Known, people_of
    from conversations.policy import Policy, PolicyError

    try:
        policy = Policy.load(settings.policy_path)
    except PolicyError:
        return Finding("people", "skipped", Doctor.POLICY_FIRST)
    with warehouse.connect() as connection:
        managers = connection.execute("select manager_id, name, team_id from core.managers").fetchall()
        untimed = connection.execute("select count(*) from core.conversations where is_untimed").fetchone()
    people = people_of(policy, [Known(*row) for row in managers])
    persons = len({account.person_id for account in people.accounts})
    detail = Doctor.PEOPLE.format(number(len(people.accounts)), number(persons))
    if untimed and untimed[0]:
        detail += f"; {Doctor.UNTIMED.format(number(untimed[0]))}"
    if people.missing and managers:
        missing = number(len(people.missing)), ", ".join(people.missing[:SHOWN_ACCOUNTS])
        return Finding("people", "warning", f"{detail}. {Doctor.PEOPLE_MISSING.format(*missing)}")
    return Finding("people", "ok", detail)


# --- the source -----------------------------------------------------------------------------------------------------


def _retailcrm(settings: Settings) -> Iterator[Finding]:
    yield from _environment(settings)
    from orchestration.cli.probe import probed
    from orchestration.cli.same_account import notes

    try:
        asked = list(probed(settings))
    except Exception as error:
        yield failed("account", error)
        return
    if not asked:
        # no source is a warning: the demo and the file imports need none
        yield Finding("base_url", "warning", Accounts.NOT_CONNECTED)
        return
    # one broken account of several must not keep the others from being loaded (promise F28)
    closed: State = "warning" if any(one.is_well for one in asked) else "failed"
    for one in asked:
        yield _account(one, closed, len(asked) > 1)
    for text in notes(one.seat for one in asked if one.seat is not None):
        yield Finding("account", "warning", text)


def _environment(settings: Settings) -> Iterator[Finding]:
    """The account that the variables describe, if they say anything about one."""
    from urllib.parse import urlsplit

    given = {
        "RETAILCRM_BASE_URL": settings.retailcrm_base_url,
        "RETAILCRM_API_KEY": settings.retailcrm_api_key,
        "RETAILCRM_BOT_TOKEN": settings.retailcrm_bot_token,
    }
    missing = [name for name, value in given.items() if not value]
    if len(missing) == len(given):
        return
    if missing:
        state: State = "failed" if "RETAILCRM_BASE_URL" in missing else "ok"
        yield Finding("base_url", state, settings.retailcrm_base_url or NOT_SET)
        yield Finding("credentials", "failed", Doctor.MISSING.format(", ".join(missing)))
        return
    hosts = [urlsplit(url or "").hostname or "" for url in (settings.retailcrm_base_url, settings.retailcrm_mg_url)]
    yield Finding("base_url", "ok" if all(hosts) else "failed", ", ".join(dict.fromkeys(hosts)))
    yield Finding("credentials", "ok", Doctor.GIVEN)


NOT_SET = Doctor.STATES["skipped"]


def _account(one: Probed, closed: State, is_named: bool) -> Finding:
    if one.is_well:
        state, detail = "ok", Doctor.OPEN.format(sum(item.is_open for item in one.found))
    elif one.error is not None:
        state, detail = closed, failed("account", one.error).detail
    else:
        state, detail = closed, "; ".join(f"{item.name}: {item.detail}" for item in one.missing)
    if is_named and one.connection_id not in detail:
        detail = Accounts.ONE.format(one.connection_id, detail)
    return Finding("account", state, detail)


def _guarded(check: str, run: Callable[[], Finding]) -> Finding:
    try:
        return run()
    except Exception as error:
        return failed(check, error)
