"""``otklik score``: the talks of days are judged, or what that would cost is shown.

Here: reading the arguments, the table, progress, what a run came to. Not here: a run (``resources.scoring``), words
(``conversations.messages.score``).
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from conversations.messages import Errors, Score, number
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError
from orchestration.cli.load import prepare, read_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conversations.policy import Policy
    from conversations.scoring.shapes import SubjectKind
    from resources.scoring.plan import Line, Plan
    from resources.scoring.run import Counts
    from resources.scoring.subjects import Chosen
    from resources.warehouse.engine import Warehouse


def score(
    first: str,
    last: str,
    *,
    department: str | None = None,
    calls: bool = False,
    chats: bool = False,
    dry_run: bool = False,
    again: list[str] | None = None,
) -> None:
    """Judge the talks of the days ``first`` to ``last``, in runs of at most seven days.

    Raises:
        CliError: the arguments contradict each other or the policy.
        Busy: another process scores.
        RunFailed: a run failed; what is paid for is kept.
    """
    from conversations.policy import Policy
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    policy = Policy.load(settings.policy_path)
    begin, end = read_day(first, settings), read_day(last, settings)
    if begin > end:
        raise CliError(Errors.ORDER.format(first, last), EXIT_USAGE)
    chosen = _chosen(policy, begin, end, department, calls, chats, again or [])
    with Warehouse.open(settings) as warehouse:
        prepare(warehouse, settings)
        if dry_run:
            _show_plan(policy, _plan(warehouse, policy, chosen))
            return
        _show_runs(list(_runs(chosen)))


def _chosen(
    policy: Policy, begin: date, end: date, department: str | None, calls: bool, chats: bool, again: list[str]
) -> Chosen:
    from resources.scoring.subjects import Chosen

    if calls and chats:
        raise CliError(Score.BOTH, EXIT_USAGE)
    if department is not None and chats:
        raise CliError(Score.CHATS_OF_DEPARTMENT, EXIT_USAGE)
    if department is not None and department not in policy.departments:
        known = ", ".join(policy.departments) or "—"
        raise CliError(Score.UNKNOWN_DEPARTMENT.format(department, known), EXIT_USAGE)
    if chats and not policy.scoring.chats.enabled:
        raise CliError(Score.CHATS_OFF, EXIT_USAGE)
    kinds: tuple[SubjectKind, ...] = ("call",) if calls else ("session",) if chats else ("call", "session")
    return Chosen(begin, end, kinds, department, frozenset(again))


def _plan(warehouse: Warehouse, policy: Policy, chosen: Chosen) -> Plan:
    from resources.lexicons import load_lexicon
    from resources.scoring.making import price_of, scorer_of
    from resources.scoring.plan import plan
    from resources.settings import Settings

    settings = Settings()
    scorer = scorer_of(settings, policy, load_lexicon(settings))
    return plan(warehouse, scorer, chosen, price_of(settings, policy))


def _runs(chosen: Chosen) -> Iterator[Counts]:
    """Runs of at most seven days, one after the other; stops where a run left something for want of money."""
    from resources.scoring.subjects import DAYS_OF_A_RUN
    from resources.scoring.watching import Watcher, watching

    begin = chosen.first
    while begin <= chosen.last:
        end = min(begin + timedelta(days=DAYS_OF_A_RUN - 1), chosen.last)
        with screen.steps() as steps, steps.step(Score.scoring(begin, end)) as step:
            from orchestration.runner import score_days

            with watching(Watcher(_telling(step, begin, end))) as watcher:
                score_days(replace(chosen, first=begin, last=end))
        yield from watcher.counts
        if any({"run", "day", "unavailable"} & set(one.stopped) for one in watcher.counts):
            return
        begin = end + timedelta(days=1)


def _telling(step: screen.Step, begin: date, end: date) -> Callable[[int, int], None]:
    """Shows how far a run is and how fast, from its first talk on."""
    began: float | None = None

    def tell(done: int, total: int) -> None:
        nonlocal began
        now = time.monotonic()
        began = now if began is None else began
        seconds = now - began
        step.to(done, total, Score.progress(begin, end, done, total, done * 60 / seconds if seconds else 0.0))

    return tell


def _show_plan(policy: Policy, found: Plan) -> None:
    total = found.total
    if not total.talks:
        screen.say(Score.NOTHING)
        return
    rows = [
        _cells(policy.departments[one].name if one is not None else Score.CHATS, line)
        for one, line in found.lines.items()
    ]
    if len(rows) > 1:
        rows.append(_cells(Score.TOTAL, total))
    screen.show(screen.table(Score.TITLE, Score.COLUMNS, rows))
    for problem in found.problems.values():
        screen.say(Score.PROBLEM.format(problem))
    if total.kept_old:
        screen.say(Score.old(total.kept_old))
    if not total.worst_microusd and total.to_buy:
        screen.say(Score.NO_MODEL)
        return
    screen.say(Score.WORST)
    screen.say(Score.budget(found.run_cap_microusd, found.day_left_microusd))
    warning = Score.enough(total.worst_microusd, found.run_cap_microusd, found.day_left_microusd)
    if warning is not None:
        screen.say(warning)


def _cells(name: str, line: Line) -> list[str]:
    counted = (
        line.talks,
        line.unsuitable,
        line.cached,
        line.kept,
        line.to_buy,
        line.questions,
        line.prompt_tokens,
        line.answer_tokens,
    )
    return [name, *map(number, counted), Score.usd(line.worst_microusd)]


def _show_runs(runs: list[Counts]) -> None:
    def total(name: str) -> int:
        return sum(getattr(one, name) for one in runs)

    if not total("talks"):
        screen.say(Score.NOTHING)
        return
    screen.say(Score.by_rules(total("by_rules")))
    if not any(one.has_model for one in runs):
        screen.say(Score.ONLY_RULES)
    else:
        judged = [total(name) for name in ("scored", "unsuitable", "unscored", "cached", "kept")]
        screen.say(Score.judged(*judged))
        paid = [total(name) for name in ("calls", "prompt_tokens", "completion_tokens", "cost_microusd")]
        screen.say(Score.paid(*paid))
        if total("calls"):
            screen.say(Score.pace(total("calls"), sum(one.seconds for one in runs)))
    for one in runs:
        for reason, count in {**one.reasons, **{Score.NOT_READY[why]: n for why, n in one.not_ready.items()}}.items():
            screen.say(Score.unscored(reason, count))
    if total("lost"):
        screen.say(Score.lost(total("lost")))
    if total("kept_old"):
        screen.say(Score.old(total("kept_old")))
    stopped = sorted({why for one in runs for why in one.stopped})
    if stopped:
        screen.say(Score.left(total("left"), "; ".join(Score.STOPPED[why] for why in stopped)))
