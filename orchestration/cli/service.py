"""``otklik service install``: unit files that keep the UI and the schedules running after a reboot.

Here: the texts of the systemd and launchd files and where they go. Not here: starting them; the command prints the
lines that do, since enabling a service is the administrator's decision.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from conversations.messages import Errors, Service
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

NAME = "otklik"
LABEL = "ru.otklik.platform"


class Unit(NamedTuple):
    """One file of a service manager, and how the service is begun."""

    path: Path
    text: str
    commands: tuple[str, ...]


def install(*, only_print: bool, directory: Path | None, system: bool, kind: str | None) -> None:
    """Write (or print) the unit file of this installation."""
    made = unit(kind or default_kind(), system=system, directory=directory)
    if only_print:
        sys.stdout.write(made.text)
        return
    made.path.parent.mkdir(parents=True, exist_ok=True)
    made.path.write_text(made.text, encoding="utf-8")
    screen.say(Service.written(str(made.path)))
    screen.say(Service.NEXT)
    for command in made.commands:
        screen.say(f"  {command}")


def default_kind() -> str:
    """The service manager of this machine."""
    try:
        return {"Linux": "systemd", "Darwin": "launchd"}[platform.system()]
    except KeyError:
        raise CliError(Errors.SERVICE_SYSTEM, EXIT_USAGE) from None


def unit(kind: str, *, system: bool, directory: Path | None = None) -> Unit:
    """The unit file for a service manager (``systemd`` or ``launchd``).

    Raises:
        CliError: an unknown kind.
    """
    from resources.settings import PROJECT_ROOT, Settings

    command = [str(Path(sys.executable).with_name("otklik")), "up"]
    home = Settings().otklik_home
    if kind == "systemd":
        return _systemd(command, PROJECT_ROOT, home, directory, system=system)
    if kind == "launchd":
        return _launchd(command, PROJECT_ROOT, home, directory, system=system)
    raise CliError(Errors.SERVICE_SYSTEM, EXIT_USAGE)


def _systemd(command: list[str], root: Path, home: Path, directory: Path | None, *, system: bool) -> Unit:
    default = Path("/etc/systemd/system") if system else Path.home() / ".config/systemd/user"
    scope = "" if system else "--user "
    text = f"""\
[Unit]
Description=Otklik: conversations with customers, from the sources to the week
After=network-online.target
Wants=network-online.target

[Service]
Type=simple
WorkingDirectory={_systemd_quoted(str(root))}
Environment={_systemd_quoted(f"OTKLIK_HOME={home}")}
EnvironmentFile=-{_systemd_path(root / ".env")}
ExecStart={" ".join(_systemd_quoted(part).replace("$", "$$") for part in command)}
# the command ends its children and the embedded database in order; SIGKILL only after that time
KillMode=mixed
TimeoutStopSec=120
Restart=on-failure
RestartSec=15
NoNewPrivileges=true

[Install]
WantedBy={"multi-user.target" if system else "default.target"}
"""
    commands = [f"systemctl {scope}daemon-reload", f"systemctl {scope}enable --now {NAME}.service"]
    if not system:
        commands.append("loginctl enable-linger")
    return Unit((directory or default) / f"{NAME}.service", text, tuple(commands))


def _systemd_path(path: Path) -> str:
    return str(path).replace("%", "%%")


def _systemd_quoted(text: str) -> str:
    escaped = text.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if any(character in text for character in ' \t"\\;') else escaped


def _launchd(command: list[str], root: Path, home: Path, directory: Path | None, *, system: bool) -> Unit:
    default = Path("/Library/LaunchDaemons") if system else Path.home() / "Library/LaunchAgents"
    path = (directory or default) / f"{LABEL}.plist"
    arguments = "\n".join(f"    <string>{escape(part)}</string>" for part in command)
    text = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>{LABEL}</string>
  <key>ProgramArguments</key>
  <array>
{arguments}
  </array>
  <key>WorkingDirectory</key>
  <string>{escape(str(root))}</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>OTKLIK_HOME</key>
    <string>{escape(str(home))}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>120</integer>
  <key>StandardOutPath</key>
  <string>{escape(str(home / "logs" / "otklik.out.log"))}</string>
  <key>StandardErrorPath</key>
  <string>{escape(str(home / "logs" / "otklik.err.log"))}</string>
</dict>
</plist>
"""
    domain = "system" if system else "gui/$(id -u)"
    return Unit(path, text, (f"launchctl bootstrap {domain} {path}",))
