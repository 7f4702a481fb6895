"""``otklik labels repeat``: a judge is asked the same once more, or what that would cost is shown.

Here: what is printed. Not here: asking and keeping (``resources.labels.repeat``).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from conversations.messages import Labels, Score, number, share
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from conversations.policy import Policy
    from resources.labels.repeat import Repeated
    from resources.scoring.run import Scorer
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse


def repeat(rubric: str, sample: int, *, dry_run: bool) -> None:
    """Ask once more about at most ``sample`` talks of a rubric.

    Raises:
        CliError: there is no key, or nothing that the judge in force has judged.
        Busy: another process scores.
    """
    from conversations.policy import Policy
    from resources.lexicons import load_lexicon
    from resources.scoring.making import scorer_of
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    settings = Settings()
    policy = Policy.load(settings.policy_path)
    scorer = scorer_of(settings, policy, load_lexicon(settings))
    if scorer.open_door is None:
        raise CliError(Labels.NO_MODEL, EXIT_USAGE)
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        if dry_run:
            _show_plan(warehouse, settings, policy, scorer, rubric, sample)
        else:
            _show(rubric, _repeat(warehouse, scorer, rubric, sample))


def _show_plan(
    warehouse: Warehouse, settings: Settings, policy: Policy, scorer: Scorer, rubric: str, sample: int
) -> None:
    from resources.labels.repeat import to_repeat
    from resources.scoring.making import price_of

    with warehouse.connect("otklik labels", autocommit=True) as session:
        again = to_repeat(session, scorer, rubric, sample)
    if not again:
        raise CliError(Labels.NOTHING_TO_REPEAT.format(rubric))
    asks = {ask.key: ask for one in again for ask in one.work.missing}
    priced = price_of(settings, policy)
    worst = sum(priced(ask).worst_microusd for ask in asks.values()) if priced is not None else 0
    screen.say(Labels.PLANNED.format(number(len(again)), number(len(asks)), Score.usd(worst)))


def _repeat(warehouse: Warehouse, scorer: Scorer, rubric: str, sample: int) -> Repeated:
    from resources.labels.repeat import repeat as ask_again

    with screen.steps() as steps, steps.step(Labels.REPEATING) as step:
        return ask_again(warehouse, scorer, rubric, sample, f"labels-{secrets.token_hex(8)}", step.to)


def _show(rubric: str, done: Repeated) -> None:
    if not done.talks and not done.left and not done.invalid:
        raise CliError(Labels.NOTHING_TO_REPEAT.format(rubric))
    flips = share(done.flips / done.answers if done.answers else None)
    counts = map(number, (done.talks, done.answers, done.flips))
    screen.say(Labels.REPEATED.format(*counts, flips, number(done.bought)))
    if done.left or done.invalid:
        screen.say(Labels.NOT_REPEATED.format(number(done.left), number(done.invalid)))
    for reason in done.stopped:
        screen.say(Score.STOPPED[reason])
    screen.say(Labels.NEXT)
