"""The command ``otklik``: what an operator types.

Here: arguments, order of steps, printing. Not here: any of the work itself (``orchestration.runner``,
``resources.warehouse``), any Russian word (``conversations.messages``).

Everything heavy is imported inside the command that needs it, so that ``otklik --help`` answers at once.
"""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    from orchestration.cli.app import app

    app()
