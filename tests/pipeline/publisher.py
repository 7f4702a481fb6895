"""A process that publishes the spreadsheet and dies where it is told: the orders come in, exit codes go out.

Each order is done by a fork of a process that has imported everything already: imports take longer than the work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import TracebackType

from assets.exports import frames, publication, status
from assets.exports.snapshot import read
from conversations.policy import Policy
from conversations.policy_exports import Exports
from resources.accounts import sheets_account
from resources.settings import Settings
from resources.sheets_resource import client_of
from resources.warehouse.engine import Warehouse
from resources.warehouse.exports import destination_of, exporting
from resources.warehouse.roles import Role

ZONE = "Europe/Moscow"


class Publisher:
    """The tests' end."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.publisher"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=600)

    def __call__(self, point: str, texts: str | None) -> int:
        """Publish with these texts (``None``: only the mark) up to a fail point; the exit code."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([point, texts]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def publish(texts: str | None) -> None:
    """What the asset does, without Dagster."""
    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        with warehouse.connect() as connection:
            account = sheets_account(settings, connection)
        assert account is not None
        database, now = warehouse.as_role(Role.PUBLISHER), settings.now()
        with client_of(settings, account) as client:
            if texts is None:
                publication.say_stale(database, client, account.spreadsheet_id, "проверка", now=now, time_zone=ZONE)
                return
            with exporting(database, destination_of(account.spreadsheet_id)):
                snapshot = read(database, Exports(), ZONE)
                policy = Policy.load(settings.policy_path).model_copy(update={"exports": Exports(texts=texts)})
                tabs = frames.sheets(snapshot, policy)
                known = {tab.title: status.known_weeks(snapshot, tab) for tab in tabs}
                publication.show(database, client, account.spreadsheet_id, tabs, known, now=now, time_zone=ZONE)


def main() -> None:
    """Fork a publisher per order."""
    for point, texts in map(json.loads, sys.stdin):
        child = os.fork()
        if child == 0:
            os.environ["FAILPOINT"] = f"{point}:1"
            code = 70
            try:
                publish(texts)
                code = 0
            finally:
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
