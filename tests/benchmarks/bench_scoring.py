"""Times a whole scoring run against the endpoint's own limit and against bare ``litellm.acompletion``, in one run.

Timed: calls of a day out of PostgreSQL, masked, judged by rules, asked about at concurrency 64 through the door, booked
before and after each call, checked, written as scorecards; beside it bare litellm behind a semaphore with the very same
questions, as many. The emulated gateway has a process of its own and takes 3 s or 0.3 s for an answer; its CPU is
shown, lest it is what is measured. So many talks that the first and the last wave, which no rate has, weigh little. CPU
is all that of the asking process, without its imports; throughput is that of the whole run, its first and last
statement included. Held against the limits: both of them over the whole run. Then the same run once more, which asks
nobody: what it costs is reading, masking, rules and cards; the rest of the first run's CPU is asking (the door, the
book, reading answers).

    python -m tests.benchmarks.bench_scoring [--rounds 1] [--seconds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from conversations.lexicon import Lexicon
from resources.llm.caller import quiet_litellm
from resources.scoring.making import scorer_of
from resources.scoring.run import Counts, score
from resources.scoring.subjects import Chosen, list_subjects, read_subjects
from resources.scoring.works import Rejudged, Rulebook, parameters_of, works_of
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from resources.warehouse.server import EmbeddedServer
from resources.warehouse.server_logins import OWNER
from tests.benchmarks.bench_llm import CONCURRENCY, MOST_CPU, Measured, _set, bare
from tests.chaos.scorers import policy_of, settings_of, warm
from tests.conftest import DatabaseServer
from tests.scoring import DAY, put_call, put_rubrics, talk

CASES = ((3.0, 0.95, 1_920), (0.3, 0.35, 1_920))
"""Seconds of an answer, least share of the limit, calls."""


def one_round(warehouse: Warehouse, told: dict[str, Any], calls: int, delay: float, run_id: str) -> tuple[Any, ...]:
    """Bare litellm and a run over the same talks; then the run again."""
    with warehouse.connect() as session:
        for table in ("evaluated.scorecards", "evaluated.evaluations", "ops.llm_calls", "core.calls"):
            session.execute(sql.SQL("delete from {}").format(sql.SQL(table)))
        put_rubrics(session)
        for number in range(calls):
            lines = [(one, f"{text} Строка {n}.") for n in range(6) for one, text in talk(number)]
            put_call(session, number, phrases=lines)
        for number in range(calls, calls + 8):
            put_call(session, number, on=DAY + timedelta(days=1))
    loader, policy, chosen = warehouse.as_role(Role.LOADER), policy_of(CONCURRENCY), Chosen(DAY, DAY)
    scorer = scorer_of(settings_of(told["base_url"], told["api_key"]), policy, Lexicon.default())

    # what the libraries do once, as beside it bare litellm
    score(loader, scorer, Chosen(DAY + timedelta(days=1), DAY + timedelta(days=1)), f"{run_id}-first")

    def run(name: str) -> tuple[Measured, Counts]:
        clock, cpu = time.perf_counter(), time.process_time()
        counts = score(loader, scorer, chosen, name)
        seconds, spent = time.perf_counter() - clock, time.process_time() - cpu
        assert counts.scored == calls, counts
        return Measured(calls * delay / CONCURRENCY / seconds, calls / seconds, spent / calls * 1_000), counts

    ours, counts = run(run_id)
    assert counts.calls == calls
    again, counts = run(f"{run_id}-again")
    assert counts.calls == counts.cards_changed == 0
    with loader.connect("otklik", autocommit=True) as session:
        rulebook = Rulebook(session, scorer.prompt_of)
        how = Rejudged(parameters_of(policy.scoring, scorer.model), frozenset())
        listed = list_subjects(session, policy, chosen)
        subjects = [one for portion in read_subjects(session, policy, chosen, listed) for one in portion]
        works = works_of(session, [(one, rulebook.of(one)) for one in subjects], how)
    questions = [one for work in works for one in work.prepared.requests]
    alone = asyncio.run(bare(told["base_url"], told["api_key"], questions, delay))
    return ours, alone, again


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.bench_scoring", description="The speed of a run.")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="only the case of so many seconds for an answer")
    given = parser.parse_args()
    emulator = subprocess.Popen(
        [sys.executable, "-m", "tests.emulators", "--only", "llm", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    folder = Path(tempfile.mkdtemp(prefix="otklik-bench-"))
    folder.chmod(0o755)
    server = EmbeddedServer.join(folder / "home")
    results: dict[str, Any] = {}
    is_good = True
    try:
        assert emulator.stdout is not None
        told = json.loads(emulator.stdout.readline())["llm"]
        with psycopg.connect(server.urls.admin, autocommit=True) as admin:
            admin.execute(sql.SQL("alter role {} createrole").format(sql.Identifier(OWNER)))
        databases = DatabaseServer(server.urls.admin, server.urls.owner, server)
        warm()
        quiet_litellm()
        with databases.warehouse(databases.clone("bench")) as warehouse:
            for delay, least, calls in CASES:
                if given.seconds not in (None, delay):
                    continue
                _set(told["base_url"], delay)
                best: dict[str, Measured] = {}
                for turn in range(given.rounds):
                    gateway = _cpu_of(emulator.pid)
                    found = one_round(warehouse, told, calls, delay, f"{delay:g}-{turn}")
                    gateway = (_cpu_of(emulator.pid) - gateway) / (2 * calls) * 1_000
                    print(f"  {delay:g} s gateway: {gateway:.1f} CPU-s per 1,000 answers", file=sys.stderr)
                    for name, one in zip(("ours", "bare", "again"), found, strict=True):
                        best[name] = one.better(best.get(name, one))
                        print(f"  {delay:g} s {name}: {one.share:.2f} of the limit, {one.per_second:.0f}/s, "
                              f"{one.cpu_per_1000:.1f} CPU-s per 1,000 talks", file=sys.stderr)  # fmt: skip
                asking = best["ours"].cpu_per_1000 - best["again"].cpu_per_1000
                ratio = best["ours"].cpu_per_1000 / best["bare"].cpu_per_1000
                results[f"{delay:g} s"] = {
                    **{name: {key: round(value, 3) for key, value in one._asdict().items()}
                       for name, one in best.items()},
                    "cpu_ratio": round(ratio, 3),
                    "cpu_ratio_of_asking": round(asking / best["bare"].cpu_per_1000, 3),
                }  # fmt: skip
                is_good &= best["ours"].share >= least and ratio <= MOST_CPU
    finally:
        emulator.terminate()
        emulator.wait(timeout=10)
        server.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"concurrency": CONCURRENCY, **results, "holds": is_good}, indent=2))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
