"""``otklik operators …`` and ``otklik requirements``: what can be typed. Not here: the bodies (``operators``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conversations.messages import Help, RequirementsHelp

operators = typer.Typer(help=RequirementsHelp.OPERATORS, no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help=Help.JSON)]


@operators.command(name="import", help=RequirementsHelp.IMPORT)
def operators_import(
    file: Annotated[Path, typer.Argument(help=RequirementsHelp.FILE)],
    connection: Annotated[str | None, typer.Option("--connection", help=RequirementsHelp.CONNECTION)] = None,
    as_json: _Json = False,
) -> None:
    from orchestration.cli import operators as command

    command.bring(file, connection, as_json=as_json)


@operators.command(name="list", help=RequirementsHelp.LIST)
def operators_list(as_json: _Json = False) -> None:
    from orchestration.cli import operators as command

    command.show(as_json=as_json)


def requirements(as_json: _Json = False) -> None:
    """``otklik requirements``."""
    from orchestration.cli import requirements as command

    command.requirements(as_json=as_json)
