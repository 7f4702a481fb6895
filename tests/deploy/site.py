"""The server as a person meets it: addresses behind the proxy, a password, the questions that the UI asks.

Here: asking. Not here: what is behind the proxy (``stage``), what is expected of it (``test_played``).
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
from typing import Any, NamedTuple

LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STATE = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


class Site:
    """The server as a person sees it: through the proxy."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, path: str, user: tuple[str, str] | None, data: Any = None, **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            given["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        body = None if data is None else json.dumps(data).encode()
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, body, given)
        try:
            with self._opener.open(request, timeout=300) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.read(), dict(refused.headers))

    def graphql(self, user: tuple[str, str], query: str, path: str = "/graphql", **variables: Any) -> dict[str, Any]:
        answer = self.ask(path, user, {"query": query, "variables": variables})
        assert answer.status == 200, answer
        found = json.loads(answer.body)
        assert "errors" not in found, found
        return found["data"]

    def run(self, user: tuple[str, str], job: str, partition: str, seconds: float, *assets: str) -> str:
        """Launch a job for a partition as the UI does; the status in which its run ended."""
        launched = self.launch(user, job, partition, *assets)
        assert launched["__typename"] == "LaunchRunSuccess", launched
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.graphql(user, STATE, id=launched["run"]["runId"])["runOrError"]["status"]
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return status
            time.sleep(0.5)
        return "still " + status

    def launch(
        self, user: tuple[str, str], job: str, partition: str, *assets: str, path: str = "/graphql"
    ) -> dict[str, Any]:
        """Ask for a run of a job, or of some of its assets (``layer/table``); what is answered."""
        selector: dict[str, Any] = {
            "repositoryLocationName": "otklik", "repositoryName": "__repository__", "jobName": job,
        }  # fmt: skip
        if assets:
            selector["assetSelection"] = [{"path": asset.split("/")} for asset in assets]
        tags = [{"key": "dagster/partition", "value": partition}]
        params = {"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}}
        return self.graphql(user, LAUNCH, path, params=params)["launchRun"]
