"""``otklik service install``: files that systemd and launchd accept."""

from __future__ import annotations

import configparser
import plistlib
from pathlib import Path

import pytest

from orchestration.cli import service
from tests.cli.conftest import Otklik


def test_systemd_unit_starts_this_installation(otklik: Otklik, tmp_path: Path) -> None:
    result = otklik("service", "install", "--kind", "systemd", "--dir", str(tmp_path / "units"))
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(tmp_path / "units" / "otklik.service", encoding="utf-8")

    assert result.exit_code == 0
    assert "systemctl --user enable --now otklik.service" in result.stdout
    assert unit["Service"]["ExecStart"].endswith("otklik up")
    assert unit["Service"]["Environment"] == f"OTKLIK_HOME={tmp_path}"
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "default.target"


def test_system_unit_is_for_the_machine(otklik: Otklik) -> None:
    shown = otklik("service", "install", "--kind", "systemd", "--system", "--print").stdout

    assert "WantedBy=multi-user.target" in shown


def test_launchd_file_is_a_property_list(otklik: Otklik, tmp_path: Path) -> None:
    result = otklik("service", "install", "--kind", "launchd", "--print")
    read = plistlib.loads(result.stdout.encode())

    assert read["ProgramArguments"][1:] == ["up"]
    assert read["RunAtLoad"] is True
    assert read["EnvironmentVariables"] == {"OTKLIK_HOME": str(tmp_path)}


@pytest.mark.parametrize("kind", ["systemd", "launchd"])
def test_places_with_odd_names_are_escaped(otklik: Otklik, tmp_path: Path, kind: str) -> None:
    odd = tmp_path / 'My "data" & 100% $HOME'
    shown = otklik("service", "install", "--kind", kind, "--print", OTKLIK_HOME=str(odd)).stdout

    if kind == "launchd":
        assert plistlib.loads(shown.encode())["EnvironmentVariables"]["OTKLIK_HOME"] == str(odd)
    else:
        line = next(line for line in shown.splitlines() if line.startswith("Environment="))
        assert line == 'Environment="OTKLIK_HOME=' + str(tmp_path) + '/My \\"data\\" & 100%% $HOME"'


def test_the_default_is_what_the_machine_has() -> None:
    assert service.default_kind() in ("systemd", "launchd")
