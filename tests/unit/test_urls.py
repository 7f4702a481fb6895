"""What of a database URL reaches those who connect: libpq, SQLAlchemy and dbt."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from assets.marts.dbt import _environment
from assets.marts.description import PROJECT
from resources.warehouse import urls
from resources.warehouse.engine import Warehouse

_RENDER = """
import json, os, sys, yaml
from argparse import Namespace
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context
set_invocation_context(dict(os.environ))
set_from_args(Namespace(), None)
from dbt.config.profile import Profile
from dbt.config.renderer import ProfileRenderer
raw = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))
profile = Profile.from_raw_profiles(raw, "otklik", ProfileRenderer({}))
print(json.dumps(profile.credentials.to_dict()))
"""


WEEK = (date(2026, 11, 9), date(2026, 11, 15))


def credentials(url: str) -> dict[str, object]:
    """The login that dbt makes of the profile."""
    finished = subprocess.run(
        [sys.executable, "-c", _RENDER, str(Path(PROJECT) / "profiles.yml")],
        env=_environment(Warehouse.at(url), *WEEK),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout.strip().splitlines()[-1])


@pytest.fixture(autouse=True)
def _no_variables_of_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"):
        monkeypatch.delenv(name, raising=False)


def test_dbt_trusts_whom_the_url_trusts() -> None:
    url = "postgresql://u:p@db.example/otklik?sslmode=verify-full&sslrootcert=/x"
    environment = _environment(Warehouse.at(url), *WEEK)
    assert environment["OTKLIK_DBT_SSLMODE"] == "verify-full"
    assert environment["OTKLIK_DBT_SSLROOTCERT"] == "/x"
    login = credentials(url)
    assert (login["sslmode"], login["sslrootcert"], login["host"]) == ("verify-full", "/x", "db.example")


def test_url_without_options_leaves_dbt_the_default_of_libpq() -> None:
    login = credentials("postgresql://u:p@db.example:6000/otklik")
    # dbt hands an empty mode to nobody, and to libpq an empty path is none
    assert not any(login.get(name) for name in ("sslmode", "sslrootcert", "sslcert", "sslkey"))
    assert (login["port"], login["user"]) == (6000, "u")


def test_variables_of_libpq_hold_for_dbt_too_and_the_url_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGSSLROOTCERT", "/of/the/machine")
    environment = _environment(Warehouse.at("postgresql://u:p@h/d?sslmode=verify-ca&sslmode=verify-full"), *WEEK)
    assert environment["OTKLIK_DBT_SSLMODE"] == "verify-full"
    assert environment["OTKLIK_DBT_SSLROOTCERT"] == "/of/the/machine"


def test_the_range_goes_with_the_session_beside_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=64MB")
    environment = _environment(Warehouse.at("postgresql://u:p@h/d"), *WEEK)
    expected = "-c work_mem=64MB -c otklik.first_day=2026-11-09 -c otklik.last_day=2026-11-15"
    assert environment["PGOPTIONS"] == expected


def test_search_path_leaves_the_other_options_readable_to_libpq() -> None:
    given = "postgresql://u@h/d?application_name=night%20shift&sslmode=verify-full&sslrootcert=/a%20b/root.crt"
    url = urls.with_search_path(given, "dagster")
    expected = {
        "application_name": "night shift",
        "sslmode": "verify-full",
        "sslrootcert": "/a b/root.crt",
        "options": "-csearch_path=dagster",
    }
    assert conninfo_to_dict(url).items() >= expected.items()
    assert dict(make_url(url).query) == expected
