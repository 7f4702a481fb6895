"""Times the CPU of ``import orchestration.definitions`` against ``import dagster``, each in a fresh process."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 3.5
ROUNDS = 5
_SCRIPT = "import time, sys; b = time.process_time(); __import__({name!r}); print(time.process_time() - b)"


def cpu_seconds(name: str) -> float:
    """CPU of importing one module in a process of its own: the median of some rounds after one that is not counted."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    took = [
        float(
            subprocess.run(
                [sys.executable, "-W", "ignore", "-c", _SCRIPT.format(name=name)],
                cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
            ).stdout
        )
        for _ in range(ROUNDS + 1)
    ]  # fmt: skip
    return statistics.median(took[1:])


def main() -> int:
    """Print one JSON line; exit 1 above the limit."""
    base, ours = cpu_seconds("dagster"), cpu_seconds("orchestration.definitions")
    ratio = ours / base
    result = {
        "benchmark": "import",
        "timed": "CPU seconds of one import in a fresh process, median of 5",
        "dagster_cpu_s": round(base, 3),
        "definitions_cpu_s": round(ours, 3),
        "ratio": round(ratio, 2),
        "limit": LIMIT,
        "holds": ratio <= LIMIT,
    }
    print(json.dumps(result))
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
