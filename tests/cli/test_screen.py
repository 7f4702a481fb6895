"""What customers wrote does not steer the terminal: no escape sequences, no turned writing direction."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from orchestration.cli import screen
from orchestration.cli.sql import write_csv

ODD = "Анна\x1b[2J\x1b]0;x\x07 \x9b31m \u202eевсе\u2066\r\nвторая"
SIGNS = "\x1b\x07\x9b\u202e\u2066\r"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "say",
    [
        lambda: screen.say(ODD),
        lambda: screen.say(ODD, style="bold"),
        lambda: screen.note(ODD),
        lambda: screen.fail(ODD, ODD),
        lambda: screen.show(screen.table(None, [("Имя", "left")], [[ODD]])),
        lambda: screen.show(screen.styled(ODD, "bold")),
    ],
)
def test_no_sign_of_a_stranger_steers_the_terminal(say: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    say()
    shown = "".join(capsys.readouterr())
    assert "вторая" in shown and "\n" in shown
    assert not set(shown) & set(SIGNS)


def test_csv_is_cleaned_for_a_terminal_and_kept_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, is_kept in ((Terminal(), False), (io.StringIO(), True)):
        monkeypatch.setattr(sys, "stdout", stream)
        write_csv(("a", "b"), [(ODD, 1)])
        assert stream.getvalue().startswith("a,b\n") and stream.getvalue().endswith('вторая",1\n')
        assert bool(set(stream.getvalue()) & set(SIGNS)) is is_kept
