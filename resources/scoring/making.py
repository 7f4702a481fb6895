"""The judge of the settings: model, prompts, door, clock.

Here: assembly only. Not here: what each part does.
"""

from __future__ import annotations

from collections.abc import Callable

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from conversations.scoring.masking import NameFinder
from conversations.scoring.shapes import Request
from resources.clients.errors import BadConfiguration
from resources.llm import tokens
from resources.llm.opening import door_of, prices_of
from resources.names import find_names, is_installed
from resources.prompts import prompt_in_force
from resources.scoring.plan import Priced
from resources.scoring.run import Scorer
from resources.settings import Settings


def scorer_of(settings: Settings, policy: Policy, lexicon: Lexicon) -> Scorer:
    """The judge in force; rules only where there is no key.

    Raises:
        BadConfiguration: a setting of the model cannot be used, or names are to be hidden and nothing finds them.
    """
    return Scorer(
        policy,
        lexicon,
        lambda name: prompt_in_force(name, settings.otklik_prompts_dir),
        settings.llm_model,
        door_of(settings, policy.scoring),
        settings.now,
        _name_finder(policy),
    )


def _name_finder(policy: Policy) -> NameFinder | None:
    if not policy.scoring.mask_names:
        return None
    if not is_installed():
        raise BadConfiguration(
            "llm",
            "scoring.mask_names needs the extra 'names'",
            "Install otklik[names], or switch the masking of names off",
        )
    return find_names


def price_of(settings: Settings, policy: Policy) -> Callable[[Request], Priced] | None:
    """What a question costs at worst; ``None``: no key.

    Raises:
        BadConfiguration: nobody says what a model costs; names it.
    """
    if door_of(settings, policy.scoring) is None:
        return None
    prices = prices_of(settings, policy.scoring)
    return lambda request: Priced(tokens.at_most(request.messages, request.schema), prices.worst_of(request).microusd)
