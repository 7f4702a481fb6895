"""Times the door to models against the endpoint's own limit and against bare ``litellm.acompletion``, in one run.

Timed: the same questions at concurrency 64 against an emulated gateway in a process of its own, which takes 3 s or
0.3 s for an answer: bare litellm behind a semaphore, then the door with its book in memory, turn about, the best of
each. Throughput is a share of concurrency/latency; CPU is that of the asking process alone, for 1,000 calls. Held
against the limits: throughput of the door, and its CPU as a multiple of bare litellm's.

    python -m tests.benchmarks.bench_llm [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from conversations.scoring.answer import read_answer
from conversations.scoring.request import repair_messages
from conversations.scoring.shapes import Request
from resources.llm.caller import Caller
from resources.llm.door import Door
from resources.llm.prices import Prices
from tests.llm.asking import MODEL, RUBRIC, Book, request_of, scoring

CONCURRENCY = 64
CASES = ((3.0, 0.95, 640), (0.3, 0.35, 1_280))
"""Seconds of an answer, least share of the limit, calls."""
MOST_CPU = 1.3
LINES = 24
"""Phrases of a talk: about three minutes."""


class Measured(NamedTuple):
    share: float
    """Of concurrency/latency."""
    per_second: float
    cpu_per_1000: float

    def better(self, other: Measured) -> Measured:
        """The fastest and the cheapest of two rounds."""
        return Measured(
            max(self.share, other.share),
            max(self.per_second, other.per_second),
            min(self.cpu_per_1000, other.cpu_per_1000),
        )


async def measure(ask: Callable[[Request], Awaitable[Any]], requests: list[Request], delay: float) -> Measured:
    """Ask all of them, so many at once."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(request: Request) -> None:
        async with slots:
            await ask(request)

    clock, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(one, requests))
    seconds, spent = time.perf_counter() - clock, time.process_time() - cpu
    # whole waves at the limit: what the last, half empty one loses is not the door's doing
    ideal = len(requests) * delay / CONCURRENCY
    return Measured(ideal / seconds, len(requests) / seconds, spent / len(requests) * 1_000)


async def bare(base_url: str, api_key: str, requests: list[Request], delay: float) -> Measured:
    """litellm alone, with the same payloads, on its own aiohttp transport."""
    import litellm

    async def ask(request: Request) -> None:
        form = {"name": request.schema_name, "strict": True, "schema": request.schema}
        answer = await litellm.acompletion(
            model=MODEL,
            messages=list(request.messages),
            api_base=base_url,
            api_key=api_key,
            temperature=0.0,
            max_tokens=2_000,
            response_format={"type": "json_schema", "json_schema": form},
            num_retries=0,
            max_retries=0,
            timeout=60,
        )
        assert answer.choices[0].message.content

    await asyncio.gather(*map(ask, requests[:8]))
    return await measure(ask, requests, delay)


async def ours(base_url: str, api_key: str, requests: list[Request], delay: float) -> Measured:
    """The door, reading every answer, with its book in memory."""
    policy = scoring(concurrency=CONCURRENCY, deadline_seconds=120.0, requests_per_minute=10_000_000)
    caller = Caller((MODEL,), base_url, api_key, connect_seconds=5.0, concurrency=CONCURRENCY)
    book = Book()
    door = Door(caller, (MODEL,), policy, Prices((MODEL,), policy.prices, policy.max_answer_tokens), book)

    async def ask(request: Request) -> None:
        evaluated = await door.ask(
            request,
            lambda *said: read_answer(*said, RUBRIC),
            lambda text, problems: repair_messages(request, text, problems),
        )
        assert evaluated.answer is not None, evaluated.reason

    try:
        await asyncio.gather(*map(ask, requests[:8]))
        return await measure(ask, requests, delay)
    finally:
        await caller.close()


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.bench_llm", description="The door's speed.")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    emulator = subprocess.Popen(
        [sys.executable, "-m", "tests.emulators", "--only", "llm", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    # before anybody imports litellm: else the import asks the network
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    results: dict[str, Any] = {}
    is_good = True
    try:
        assert emulator.stdout is not None
        told = json.loads(emulator.stdout.readline())["llm"]
        for delay, least, calls in CASES:
            _set(told["base_url"], delay)
            requests = [request_of(n, LINES) for n in range(calls)]
            best: dict[str, Measured] = {}
            for turn in range(given.rounds):
                for name, way in (
                    (("bare", bare), ("ours", ours)) if turn % 2 == 0 else (("ours", ours), ("bare", bare))
                ):
                    found = asyncio.run(way(told["base_url"], told["api_key"], requests, delay))
                    best[name] = found.better(best.get(name, found))
                    print(f"  {delay:g} s {name}: {found.share:.2f} of the limit, {found.per_second:.0f}/s, "
                          f"{found.cpu_per_1000:.1f} CPU-s per 1,000 calls", file=sys.stderr)  # fmt: skip
            ratio = best["ours"].cpu_per_1000 / best["bare"].cpu_per_1000
            results[f"{delay:g} s"] = {
                **{name: {key: round(value, 3) for key, value in one._asdict().items()} for name, one in best.items()},
                "cpu_ratio": round(ratio, 3),
            }
            is_good &= best["ours"].share >= least and ratio <= MOST_CPU
    finally:
        emulator.terminate()
        emulator.wait(timeout=10)
    print(json.dumps({"concurrency": CONCURRENCY, **results, "holds": is_good}, indent=2))
    return 0 if is_good else 1


def _set(base_url: str, delay: float) -> None:
    url = base_url.removesuffix("/v1") + "/_emulator/settings"
    body = json.dumps({"delay": delay}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, method="POST"), timeout=10).close()


if __name__ == "__main__":
    sys.exit(main())
