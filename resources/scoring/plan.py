"""What a scoring run would buy, without buying anything: talks, questions, tokens and the most that it can cost.

Here: the same decisions as a run's (``works``), counted by department. Not here: how it is shown
(``orchestration.cli.score``), what a question costs at worst (``resources.llm``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from conversations.scoring.shapes import Request
from resources.prompts import PromptError
from resources.scoring.run import PORTION, Scorer
from resources.scoring.spent import caps_of
from resources.scoring.subjects import Chosen, list_subjects, read_subjects
from resources.scoring.works import Rejudged, Rulebook, parameters_of, works_of
from resources.warehouse.eligibility import refresh_eligibility
from resources.warehouse.engine import Warehouse
from resources.warehouse.requirements import NoRubric


class Priced(NamedTuple):
    """What a question may come to."""

    prompt_tokens: int
    worst_microusd: int
    """One call of it with the longest answer; repairs and further attempts come on top."""


@dataclass
class Line:
    """What a run would do with the talks of a department, or with chats."""

    talks: int = 0
    unsuitable: int = 0
    """No talk to judge, as rules see without a call."""
    cached: int = 0
    """All answers are paid for."""
    kept: int = 0
    """They keep the verdict they have."""
    kept_old: int = 0
    """Of those: by another version of the rubric."""
    not_ready: int = 0
    """Their rubric or prompt cannot be used."""
    to_buy: int = 0
    """Talks with questions to buy."""
    questions: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    """At most."""
    worst_microusd: int = 0


@dataclass
class Plan:
    """A run that was not made."""

    lines: dict[str | None, Line] = field(default_factory=dict)
    """By department; ``None``: chats."""
    problems: dict[str, str] = field(default_factory=dict)
    """Rubric or prompt to what is wrong with it."""
    run_cap_microusd: int = 0
    day_left_microusd: int = 0
    """What may still be spent today."""

    @property
    def total(self) -> Line:
        """All lines together."""
        total = Line()
        for line in self.lines.values():
            for name, value in vars(line).items():
                setattr(total, name, getattr(total, name) + value)
        return total


def plan(warehouse: Warehouse, scorer: Scorer, chosen: Chosen, price_of: Callable[[Request], Priced] | None) -> Plan:
    """Count what a run would do now.

    Args:
        price_of: ``None``: no model is there to ask, thus no price.
    """
    policy = scorer.policy
    refresh_eligibility(warehouse, policy, chosen.window(policy.time_zone))
    caps = caps_of(policy)
    found = Plan(run_cap_microusd=caps.run)
    bought: set[str] = set()
    with warehouse.connect("otklik plan", autocommit=True) as session:
        rulebook = Rulebook(session, scorer.prompt_of)
        how = Rejudged(parameters_of(policy.scoring, scorer.model), chosen.again, scorer.names)
        listed = list_subjects(session, policy, chosen)
        for subjects in read_subjects(session, policy, chosen, listed, PORTION):
            able = []
            for subject in subjects:
                line = found.lines.setdefault(subject.department_id, Line())
                line.talks += 1
                try:
                    able.append((subject, rulebook.of(subject)))
                except NoRubric as error:
                    found.problems[subject.rubric_id] = str(error)
                    line.not_ready += 1
                except PromptError as error:
                    found.problems[subject.prompt_id] = str(error)
                    line.not_ready += 1
            for work in works_of(session, able, how):
                line = found.lines[work.subject.department_id]
                line.unsuitable += work.unsuitable is not None
                line.kept += work.is_kept
                line.kept_old += work.is_old
                # two talks of the same words have one question: it is bought once
                asks = [one for one in work.missing if one.key not in bought]
                bought.update(one.key for one in asks)
                line.to_buy += bool(asks)
                line.cached += work.unsuitable is None and not work.is_kept and not asks
                line.questions += len(asks)
                for ask in asks if price_of is not None else ():
                    priced = price_of(ask)
                    line.prompt_tokens += priced.prompt_tokens
                    line.answer_tokens += policy.scoring.max_answer_tokens
                    line.worst_microusd += priced.worst_microusd
        row = session.execute(
            "select coalesce(sum(coalesce(cost_microusd, reserved_microusd)), 0)::bigint from ops.llm_calls"
            " where paid_on = (%s at time zone %s)::date",
            (scorer.now(), policy.time_zone),
        ).fetchone()
        found.day_left_microusd = max(0, caps.day - (row[0] if row else 0))
    return found
