"""``otklik labels …``: what can be typed. Not here: the commands' bodies (``labels``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from conversations.messages import Help, LabelsHelp

labels = typer.Typer(help=LabelsHelp.LABELS, no_args_is_help=True)
_Rubric = Annotated[str | None, typer.Option("--rubric", help=LabelsHelp.RUBRIC)]


@labels.command(name="export", help=LabelsHelp.EXPORT)
def labels_export(
    rubric: Annotated[str, typer.Option("--rubric", help=LabelsHelp.RUBRIC)],
    file: Annotated[Path, typer.Option("--file", help=LabelsHelp.FILE)],
    sample: Annotated[int, typer.Option("--sample", help=LabelsHelp.SAMPLE, min=1, max=2000)] = 200,
    seed: Annotated[int, typer.Option("--seed", help=LabelsHelp.SEED, min=0)] = 0,
) -> None:
    from orchestration.cli import labels as command

    command.export(rubric, sample, file, seed)


@labels.command(name="import", help=LabelsHelp.IMPORT)
def labels_import(
    file: Annotated[Path, typer.Argument(help=LabelsHelp.LABELLED)],
    grader: Annotated[str | None, typer.Option("--grader", help=LabelsHelp.GRADER)] = None,
) -> None:
    from orchestration.cli import labels as command

    command.bring(file, grader)


@labels.command(name="measure", help=LabelsHelp.MEASURE)
def labels_measure(
    rubric: _Rubric = None,
    plot: Annotated[Path | None, typer.Option("--plot", help=LabelsHelp.PLOT)] = None,
    as_json: Annotated[bool, typer.Option("--json", help=Help.JSON)] = False,
) -> None:
    from orchestration.cli import labels as command

    command.measure(rubric, as_json=as_json, plot=plot)


@labels.command(name="repeat", help=LabelsHelp.REPEAT)
def labels_repeat(
    rubric: Annotated[str, typer.Option("--rubric", help=LabelsHelp.RUBRIC)],
    sample: Annotated[int, typer.Option("--sample", help=LabelsHelp.SAMPLE, min=1, max=2000)] = 60,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=LabelsHelp.DRY_RUN)] = False,
) -> None:
    from orchestration.cli import labels_repeat as command

    command.repeat(rubric, sample, dry_run=dry_run)
