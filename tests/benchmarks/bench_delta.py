"""Times a week of deltas: 200 managers x 10 metrics x 2,000 resamples, beside a plain Python loop over such sessions.

Every metric of this week is a bootstrapped one (nine medians of waits, one average score), which is the worst case; the
week as it is declared, mostly shares, is timed beside it. A manager has 60 sessions of 1 to 4 waits in either week. The
loop does what the contract says word for word: draw sessions, gather their waits, sort, take the median; it runs on a
few rows and is scaled up. Limits are held against CPU seconds of this process.

    python -m tests.benchmarks.bench_delta
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from random import Random
from statistics import median

from conversations.delta import Delta, Week, delta, headlines
from conversations.metrics import METRICS, Kind, Metric, metric
from conversations.resampling import RESAMPLES

MANAGERS = 200
SESSIONS = 60
LOOP_ROWS = 4
LIMIT_SECONDS = 40.0
MINIMUM_RATIO = 5.0

MEDIAN, SCORE = metric("reply_p50_business_seconds"), metric("llm_score_avg")
BOOTSTRAPPED = [
    *(Metric(f"wait_{number}_p50_seconds", Kind.PERCENTILE, -1, "answered waits") for number in range(9)),
    SCORE,
]


def week_of(by: Metric, random: Random) -> Week:
    """60 sessions with what the metric counts."""
    if by.kind is Kind.SCORE:
        return Week({f"s{n}": [random.randint(4000, 10_000) / 100] for n in range(SESSIONS)}, 1, "1")
    sizes = [random.randint(1, 4) for _ in range(SESSIONS)]
    if by.kind is Kind.SHARE:
        return Week(
            {f"s{n}": [int(random.random() < 0.2) for _ in range(size)] for n, size in enumerate(sizes)}, 1, "1"
        )
    return Week(
        {f"s{n}": [int(random.expovariate(1 / 900)) for _ in range(size)] for n, size in enumerate(sizes)}, 1, "1"
    )


def measure(metrics: Sequence[Metric]) -> dict[str, float]:
    """CPU seconds of all rows of a week with their headline; the weeks are made before the clock starts."""
    random = Random(1)
    weeks = [
        (by, str(manager), week_of(by, random), week_of(by, random)) for by in metrics for manager in range(MANAGERS)
    ]
    cpu, wall = time.process_time(), time.monotonic()
    rows: list[Delta] = [delta(by, manager, "2026-W47", "1", now, before) for by, manager, now, before in weeks]
    chosen = sum(headlines(rows))
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    return {"rows": len(rows), "headlines": chosen, "cpu_s": round(cpu, 2), "wall_s": round(wall, 2)}


def loop(now: Week, before: Week, random: Random) -> tuple[float, float]:
    """The bootstrap of one median as it is told: no arrays."""
    changes = []
    for _ in range(RESAMPLES):
        found = []
        for week in (now, before):
            sessions = list(week.sessions.values())
            found.append(median(wait for session in random.choices(sessions, k=len(sessions)) for wait in session))
        changes.append(found[0] - found[1])
    changes.sort()
    return changes[50], changes[1949]


def measure_loop() -> float:
    random = Random(1)
    weeks = [(week_of(MEDIAN, random), week_of(MEDIAN, random)) for _ in range(LOOP_ROWS)]
    cpu = time.process_time()
    for now, before in weeks:
        loop(now, before, random)
    return (time.process_time() - cpu) / LOOP_ROWS


def main() -> int:
    """Print one JSON line; exit 1 above the limit or when the arrays are not worth it."""
    random = Random(2)
    # numpy and scipy load here
    headlines([delta(by, "0", "2026-W47", "1", week_of(by, random), week_of(by, random)) for by in METRICS])
    declared, bootstrapped = measure(METRICS), measure(BOOTSTRAPPED)
    loop_row = measure_loop()
    loop_all = loop_row * bootstrapped["rows"]
    ratio = loop_all / bootstrapped["cpu_s"]
    holds = bootstrapped["cpu_s"] <= LIMIT_SECONDS and ratio >= MINIMUM_RATIO
    print(
        json.dumps(
            {
                "benchmark": "delta",
                "timed": f"{MANAGERS} managers, {SESSIONS} sessions a week each, {RESAMPLES} resamples",
                "ten_bootstrapped_metrics": bootstrapped,
                "declared_metrics": declared,
                "python_loop_s_per_row": round(loop_row, 3),
                "python_loop_s_scaled": round(loop_all),
                "times_faster": round(ratio, 1),
                "limit_s": LIMIT_SECONDS,
                "holds": holds,
            }
        )
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
