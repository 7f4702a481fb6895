"""One invocation of dbt per run, as a process of its own.

Here: its environment, its arguments and what its results say. Not here: what it computes (``dbt_project``), the swap
(``assets.marts.publish``). A process of its own, since dbt keeps global state, takes two seconds to import and must not
take a run with it when it falls.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from assets.marts.description import PROJECT, Period, marts
from assets.marts.errors import DbtError
from conversations.window import monday_of
from resources.clients.redact import redact
from resources.warehouse.engine import Warehouse

SCHEMA = "marts_next"
"""Where dbt builds and tests; nobody reads there."""
TIMEOUT_SECONDS = 1800
_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
"""Options of the URL that decide whom the connection trusts: dbt must not trust more than we do."""
_RANGE = ("first_week", "last_week", "first_day", "last_day")
_LAUNCH = "import sys; from dbt.cli.main import cli; sys.exit(cli())"


@dataclass(frozen=True)
class TestResult:
    """What one dbt test found."""

    __test__ = False  # not a test of pytest's

    name: str
    mart: str
    passed: bool
    failures: int
    """Rows that contradict the name of the test."""
    message: str


@dataclass(frozen=True)
class Built:
    """What one invocation did: rows per mart that was built, results of the tests that ran."""

    rows: Mapping[str, int]
    tests: tuple[TestResult, ...]

    @property
    def failed(self) -> list[TestResult]:
        """The tests that contradict."""
        return [test for test in self.tests if not test.passed]


def build(
    warehouse: Warehouse, home: Path, variables: Mapping[str, Any], command: str = "build", period: Period = "week"
) -> Built:
    """Build and test a period's marts for the range that ``variables`` name, in the schema beside the published one.

    ``command`` is ``build``, or ``test`` to judge what is there. The range is ``first_week`` and ``last_week`` for the
    marts of weeks, ``first_day`` and ``last_day`` for those of days; it goes with the session, so that dbt finds the
    same variables as in the run before and need not parse the project anew.

    Raises:
        DbtError: a model could not be built, or dbt could not run at all.
    """
    folder = home / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    constant = {name: value for name, value in variables.items() if name not in _RANGE}
    arguments = [
        "--no-use-colors", "--quiet", "--log-level-file", "none", command, "--profiles-dir", str(PROJECT),
        "--project-dir", str(PROJECT), "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
        "--vars", json.dumps(constant), "--select", f"tag:{period}",
    ]  # fmt: skip
    results = folder / "target" / "run_results.json"
    results.unlink(missing_ok=True)
    try:
        said = run(arguments, _environment(warehouse, *_days_of(variables)), TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise DbtError(
            f"dbt did not finish within {TIMEOUT_SECONDS // 60} minutes and was stopped. Nothing was published; look "
            "for a locked table in the database and publish the week again."
        ) from None
    if not results.exists():
        raise DbtError(
            f"dbt could not start: {_first_problem(said)}. Nothing was published; see "
            "that the database is up and its tables are current (otklik doctor), then publish the week again."
        )
    return _read(json.loads(results.read_text(encoding="utf-8"))["results"])


def run(arguments: Sequence[str], environment: Mapping[str, str], timeout: float) -> str:
    """Run dbt in the project's folder with nothing but this environment; returns what it printed.

    Raises:
        subprocess.TimeoutExpired: it did not end in time, and was ended.
    """
    finished = subprocess.run(
        [sys.executable, "-c", _LAUNCH, *arguments],
        cwd=PROJECT,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return finished.stdout + finished.stderr


def _days_of(variables: Mapping[str, Any]) -> tuple[date, date]:
    """The first and the last local day of the range."""
    if "first_day" in variables:
        return date.fromisoformat(variables["first_day"]), date.fromisoformat(variables["last_day"])
    return monday_of(variables["first_week"]), monday_of(variables["last_week"]) + timedelta(days=6)


def _environment(warehouse: Warehouse, first: date, last: date) -> dict[str, str]:
    url = make_url(warehouse.url)
    host = url.host or str(url.query.get("host", "localhost"))
    environment = {
        **os.environ,
        "OTKLIK_DBT_HOST": host,
        "OTKLIK_DBT_PORT": str(url.port or 5432),
        "OTKLIK_DBT_USER": url.username or "postgres",
        # dbt takes this prefix as the sign not to show a value anywhere
        "DBT_ENV_SECRET_PASSWORD": url.password or "",
        "OTKLIK_DBT_DATABASE": url.database or "postgres",
        "PGOPTIONS": f"{os.environ.get('PGOPTIONS', '')} -c otklik.first_day={first} -c otklik.last_day={last}".strip(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        # empty: libpq's own default. Its variables are read here, since an empty path in the profile would hide them
        **{
            f"OTKLIK_DBT_{name.upper()}": _option(url, name) or os.environ.get(f"PG{name.upper()}", "") for name in _TLS
        },
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _option(url: URL, name: str) -> str:
    """An option of the URL, empty where it has none; of several the last, as libpq does."""
    found = url.query.get(name, "")
    return found if isinstance(found, str) else found[-1]


def _read(results: Sequence[Mapping[str, Any]]) -> Built:
    mart_of = {test.name: mart.name for mart in marts() for test in mart.tests}
    rows: dict[str, int] = {}
    tests: list[TestResult] = []
    for result in results:
        kind, name = str(result["unique_id"]).split(".")[0], str(result["unique_id"]).split(".")[2]
        status = result["status"]
        if kind == "model":
            if status == "error":
                raise DbtError(
                    f"dbt could not build marts.{name}: {_first_problem(str(result['message']))}. Nothing was "
                    f"published. The model is dbt_project/models/marts/{name}.sql."
                )
            if status == "success":
                rows[name] = int(result["adapter_response"].get("rows_affected", 0))
        elif kind == "test" and status != "skipped":
            # a test that raises counts as failed (F29)
            message = "" if status == "pass" else _first_problem(str(result["message"]))
            failures = int(result["failures"] or 0) if status in ("pass", "fail") else 1
            tests.append(TestResult(name, mart_of[name], status == "pass", failures, message))
    return Built(rows, tuple(tests))


def _first_problem(text: str) -> str:
    """The first lines that say something, without rows: dbt repeats the database's words."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("DETAIL", "compiled code", "LINE", "^"))]
    return redact(" ".join(kept[:2])[:300]).rstrip(".") or "no reason given"
