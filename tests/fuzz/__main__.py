"""``python -m tests.fuzz``: bent files until the time is over; the seed of a failure repeats it."""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from tests.fuzz.mutate import bend
from tests.fuzz.targets import TARGETS, Target


def once(target: Target, seed: int) -> bool:
    """One bent file; whether the reader took it.

    Raises:
        AssertionError: something was lost or made up; any other exception is a crash.
    """
    dice = random.Random(seed)
    data = bend(dice.choice(target.files), target.files, target.words, dice)
    return target.read(data)


def main() -> int:
    """Run the targets in turns; exit code 1 at the first failure."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; default: all")
    asked.add_argument("--seconds", type=float, default=600, help="how long, together (default: 600)")
    asked.add_argument("--seed", type=int, help="repeat one file of one target")
    said = asked.parse_args()
    unknown = set(said.targets) - set(TARGETS)
    if unknown:
        asked.error(f"there is no target {', '.join(sorted(unknown))}")
    chosen = [TARGETS[name] for name in said.targets or TARGETS]
    if said.seed is not None:
        print([once(target, said.seed) for target in chosen])
        return 0
    first = time.time_ns()
    ends, done, taken = time.monotonic() + said.seconds, dict.fromkeys(TARGETS, 0), dict.fromkeys(TARGETS, 0)
    while time.monotonic() < ends:
        for target in chosen:
            seed = first + done[target.name]
            try:
                taken[target.name] += once(target, seed)
            except Exception:
                traceback.print_exc()
                print(f"python -m tests.fuzz {target.name} --seed {seed}", file=sys.stderr)
                return 1
            done[target.name] += 1
    for target in chosen:
        print(f"{target.name}: {done[target.name]} files, {taken[target.name]} of them read, nothing lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
