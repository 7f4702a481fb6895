"""What plays the compose file starts programs as a container does, whoever started the tests."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.deploy import stage

ASK = "import signal; print(*(signal.getsignal(one).name for one in (signal.SIGTERM, signal.SIGHUP)))"


def asked() -> str:
    return subprocess.run([sys.executable, "-S", "-c", ASK], capture_output=True, text=True, check=True).stdout.strip()


def test_what_the_tests_ignore_the_services_do_not() -> None:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in stage.ENDING}
    try:
        inherited = asked()
        with stage.no_signal_ignored():
            of_a_service = asked()
        kept = {signal.getsignal(number) for number in stage.ENDING}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

    assert (inherited, of_a_service) == ("SIG_IGN SIG_IGN", "SIG_DFL SIG_DFL")
    assert kept == {signal.SIG_IGN}
