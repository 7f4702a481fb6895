"""The judge of talk as a Dagster resource: settings, prompts and the door to models are found when a run needs them.

Here: the scorer in force, what a run's tags ask for. Not here: a run (``resources.scoring``), how a model is asked
(``resources.llm``). The resource has no configuration: a key must never be seen in the Launchpad.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import dagster as dg

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from conversations.scoring.shapes import SubjectKind
from resources.scoring.making import scorer_of
from resources.scoring.run import Scorer
from resources.scoring.subjects import Chosen
from resources.settings import Settings

KINDS_TAG, DEPARTMENT_TAG, AGAIN_TAG = "otklik/score_kinds", "otklik/score_department", "otklik/score_again"
"""Tags of a run that judges a part: call or session; a department's key; rubrics to judge again, commas between."""
NIGHT_TAG = "otklik/night"
"""The tag of a night's run, with its local day: it judges the talks of any day as well whose words have changed."""


class LLMResource(dg.ConfigurableResource):
    """Who judges talk: rules, and a model where there is a key."""

    def scorer(self, policy: Policy, lexicon: Lexicon) -> Scorer:
        """The judge of the settings.

        Raises:
            BadConfiguration: a setting of the model cannot be used; names it.
        """
        return scorer_of(Settings(), policy, lexicon)


def chosen_of(first: date, last: date, tags: Mapping[str, str]) -> Chosen:
    """What a run is asked for."""
    kinds: tuple[SubjectKind, ...] = tuple(
        kind for kind in ("call", "session") if kind in tags.get(KINDS_TAG, "call,session").split(",")
    )
    again = frozenset(one for one in tags.get(AGAIN_TAG, "").split(",") if one)
    return Chosen(first, last, kinds, tags.get(DEPARTMENT_TAG), again, with_awaited=NIGHT_TAG in tags)


def tags_of(chosen: Chosen) -> dict[str, str]:
    """The way back: tags for a run that is asked for a part."""
    tags = {KINDS_TAG: ",".join(chosen.kinds), AGAIN_TAG: ",".join(sorted(chosen.again))}
    if chosen.department is not None:
        tags[DEPARTMENT_TAG] = chosen.department
    return {name: value for name, value in tags.items() if value}
