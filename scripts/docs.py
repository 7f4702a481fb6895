"""Writes the generated pages of docs/: the data dictionary and the configuration. A test holds them up to date.

Here: where the pages go. Not here: their content (``otklik schema``, ``resources.settings``).
"""

from __future__ import annotations

from pathlib import Path

from orchestration.cli.schema import dictionary, markdown
from resources.settings import COMPOSE_VARIABLES, Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"


def configuration() -> str:
    """The settings as a table."""
    lines = [
        "# Configuration",
        "",
        "Made by `make docs` from `resources/settings.py`; do not edit by hand. Values come from the environment or",
        "from `.env` (`cp .env.example .env`). Nothing is required; a missing value is an error where it is used.",
        "What the figures mean (working hours, targets, teams) is not here but in `policy.yaml`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        lines.append(f"| `{name.upper()}` | {default} | {(field.description or '').replace('|', '&#124;')} |")
    lines += ["", "Only read by `docker-compose.yml` ([deploy.md](deploy.md)):", ""]
    lines += ["| variable | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in COMPOSE_VARIABLES.items()]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """File name to text."""
    return {"data_dictionary.md": markdown(dictionary()), "configuration.md": configuration()}


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
