"""The judge of the settings: model, prompts, door, clock.

Here: assembly only. Not here: what each part does.
"""

from __future__ import annotations

from collections.abc import Callable

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from conversations.scoring.shapes import Request
from resources.prompts import prompt_in_force
from resources.scoring.plan import Priced
from resources.scoring.run import Scorer
from resources.settings import Settings


def scorer_of(settings: Settings, policy: Policy, lexicon: Lexicon) -> Scorer:
    """The judge in force; rules only where there is no key."""
    return Scorer(
        policy,
        lexicon,
        lambda name: prompt_in_force(name, settings.otklik_prompts_dir),
        settings.llm_model,
        None,
        settings.now,
    )


def price_of(settings: Settings, policy: Policy) -> Callable[[Request], Priced] | None:
    """What a question costs at worst; ``None``: no key."""
    return None
