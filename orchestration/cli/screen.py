"""How things are drawn on a terminal: tables, progress, error lines. Not here: words, figures, work."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100
"""Width of tables where the output is no terminal (a file, CI): the width they are designed for."""


def console(*, stderr: bool = False) -> Console:
    """The console of this moment: tests and pipes replace ``sys.stdout`` later than import."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(
        file=stream,
        width=None if stream.isatty() else WIDTH,
        highlight=False,
        soft_wrap=False,
        emoji=False,
        markup=True,
    )


def say(text: str = "", *, style: str | None = None) -> None:
    """Print one paragraph; the text is shown as it is, square brackets included."""
    console().print(printable(text), style=style, markup=False)


def note(text: str) -> None:
    """Print a remark to the error stream: it does not get into piped output."""
    console(stderr=True).print(printable(text), style="dim", markup=False)


def write(text: str) -> None:
    """Write to the output what a machine reads: as it is into a file or pipe, cleaned where it is a terminal."""
    sys.stdout.write(printable(text) if sys.stdout.isatty() else text)


def table(title: str | None, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> Table:
    """A table; ``columns`` are (heading, "left" or "right")."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    # a title may be the name of a file, and hold what rich would read as markup
    shown = None if title is None else Text(printable(title))
    drawn = Table(title=shown, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.collapse_padding = True
    for heading, side in columns:
        if side == "right":
            drawn.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
        else:
            drawn.add_column(heading, overflow="fold")
    for row in rows:
        add_row(drawn, row)
    return drawn


def add_row(drawn: Table, cells: Sequence[str], *, style: str | None = None) -> None:
    """Add a row; the cells are shown as they are: names from outside may hold what rich would read as markup."""
    from rich.text import Text

    drawn.add_row(*(Text(printable(cell)) for cell in cells), style=style)


def printable(text: str) -> str:
    """The text without what moves the cursor or turns the writing direction: names come from outside (F26)."""
    return "".join(one if one == "\n" or unicodedata.category(one) not in ("Cc", "Cf") else " " for one in text)


def styled(text: str, style: str) -> Any:
    """A cell in a style; the text is shown as it is."""
    from rich.text import Text

    return Text(printable(text), style=style)


def show(*parts: Any) -> None:
    """Print tables and other things that rich can draw."""
    out = console()
    for part in parts:
        out.print(part)


class Steps:
    """Progress of named long steps: bars on a terminal, one line per finished step elsewhere."""

    def __init__(self, progress: Any | None) -> None:
        self._progress = progress

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Step]:
        """A step with a known (``total``) or unknown amount of work."""
        if self._progress is None:
            note(f"· {title}")
            yield Step(None, None)
            return
        task = self._progress.add_task(title, total=total)
        try:
            yield Step(self._progress, task)
        finally:
            self._progress.update(task, total=1, completed=1)


class Step:
    """One running step."""

    def __init__(self, progress: Any | None, task: Any) -> None:
        self._progress, self._task = progress, task

    def to(self, done: int, total: int | None = None, title: str | None = None) -> None:
        """Say how far the step has come."""
        if self._progress is not None:
            changes = {"total": total, "description": title}
            self._progress.update(self._task, completed=done, **{k: v for k, v in changes.items() if v is not None})


@contextmanager
def steps() -> Iterator[Steps]:
    """Show the progress of the steps inside on the error stream."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield Steps(None)
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen) as progress:
        yield Steps(progress)


def fail(text: str, detail: str | None = None) -> None:
    """Print an error line, and in a second line what the other side said."""
    from conversations.messages import Errors

    screen = console(stderr=True)
    screen.print(f"{Errors.PREFIX} {printable(text)}", style="bold red", markup=False, soft_wrap=True)
    if detail:
        screen.print(f"{Errors.DETAIL} {printable(detail)}", style="dim", markup=False, soft_wrap=True)
