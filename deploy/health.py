"""What the health checks of docker-compose.yml run: one cheap question, exit code 0 or 1.

    python deploy/health.py http http://127.0.0.1:3000/server_info
    python deploy/health.py grpc 127.0.0.1:4000
    python deploy/health.py looked 300

Here: questions that are asked every few seconds, hence without Dagster, whose import costs two CPU seconds. Not here:
the daemon's (`dagster-daemon liveness-check`, asked every two minutes) and alerts (`otklik watch`).
"""

from __future__ import annotations

import os
import sys
import urllib.request

SECONDS = 5


def http(url: str) -> bool:
    """Whether ``url`` is answered with a success."""
    # the machine's proxy settings are for the outside, not for our own loopback address
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=SECONDS) as answer:
        return 200 <= answer.status < 300


def grpc(address: str) -> bool:
    """Whether the code server at ``address`` says that it serves: its definitions are loaded."""
    import grpc as library
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with library.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        question = health_pb2.HealthCheckRequest(service="DagsterApi")
        answer = health_pb2_grpc.HealthStub(channel).Check(question, timeout=SECONDS)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def looked(seconds: str) -> bool:
    """Whether `otklik watch` has looked at the platform within the last ``seconds``, by what it wrote down."""
    import psycopg

    question = "select max(looked_at) > now() - make_interval(secs => %s) from ops.looks where what = 'platform'"
    with psycopg.connect(os.environ["PUBLISHER_DATABASE_URL"], connect_timeout=SECONDS) as connection:
        return connection.execute(question, (float(seconds),)).fetchone() == (True,)


def main(arguments: list[str]) -> int:
    """Ask; 0 for a good answer, 1 for a bad one or none, with the reason on one line."""
    kinds = {"http": http, "grpc": grpc, "looked": looked}
    if len(arguments) != 2 or arguments[0] not in kinds:
        print(f"usage: health.py {'|'.join(kinds)} WHAT", file=sys.stderr)
        return 2
    try:
        good = kinds[arguments[0]](arguments[1])
    except Exception as error:
        # whatever it is, it is no health; Docker keeps this line
        print(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300], file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
