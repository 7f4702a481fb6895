"""Settings: nothing is required, secrets do not show, and ``.env.example`` says what there is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from resources.settings import COMPOSE_TITLE, COMPOSE_VARIABLES, PROJECT_ROOT, Settings, env_example


def bare(**fields: object) -> Settings:
    return Settings(_env_file=None, **fields)  # type: ignore[arg-type, call-arg]


def test_env_example_equals_the_settings() -> None:
    assert (PROJECT_ROOT / ".env.example").read_text("utf-8") == env_example()


def test_env_example_names_every_variable_once_with_its_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = (PROJECT_ROOT / ".env.example").read_text("utf-8").splitlines()
    named = [line[1:].partition("=")[0] for line in lines if line.startswith("#") and not line.startswith("# ")]
    assert named == [*(name.upper() for name in Settings.model_fields), *COMPOSE_VARIABLES]
    assert lines[lines.index(COMPOSE_TITLE) + 3] == f"#{next(iter(COMPOSE_VARIABLES))}="
    # uncommented, the file changes nothing: what it shows are the defaults
    env = tmp_path / ".env"
    env.write_text("\n".join(line[1:] if line[:2] != "# " and line[:1] == "#" else line for line in lines), "utf-8")
    assert Settings(_env_file=env) == bare()  # type: ignore[call-arg]


def test_nothing_is_required_and_home_is_in_the_project() -> None:
    assert bare().otklik_home == PROJECT_ROOT / ".otklik"
    assert bare().policy_path == PROJECT_ROOT / "policy.yaml"
    assert bare(otklik_home="/somewhere").otklik_home == Path("/somewhere")


def test_gateway_is_the_account_unless_named() -> None:
    assert bare().retailcrm_mg_url is None
    assert bare(retailcrm_base_url="https://a.example").retailcrm_mg_url == "https://a.example"
    assert bare(retailcrm_base_url="https://a.example", retailcrm_mg_base_url="https://m.example").retailcrm_mg_url == (
        "https://m.example"
    )


def test_secrets_do_not_show() -> None:
    settings = bare(
        retailcrm_api_key="canary-1", retailcrm_bot_token="canary-2", database_url="postgresql://u:canary-3@h/d"
    )
    assert "canary" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_fixed_clock_needs_a_zone() -> None:
    assert bare(otklik_now="2026-05-04T08:10:00+03:00").now() == datetime(2026, 5, 4, 5, 10, tzinfo=UTC)
    assert bare().now().tzinfo is UTC
    with pytest.raises(ValidationError, match="needs a zone"):
        bare(otklik_now="2026-05-04T08:10:00")


def test_empty_variables_count_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("OTKLIK_SEED", "")
    assert bare().database_url is None
    assert bare().otklik_seed is None
