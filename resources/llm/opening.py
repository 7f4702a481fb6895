"""The door to models of the settings: which models, where, with which key, at which prices.

Here: assembly. Not here: asking (``door``). Nothing is imported from litellm until the door is opened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random

from conversations.policy_scoring import Scoring
from resources.clients.redact import hide
from resources.llm.door import Door
from resources.llm.ledger import Ledger
from resources.llm.prices import Prices
from resources.settings import Settings

OpenDoor = Callable[[Ledger], AbstractAsyncContextManager[Door]]


def models_of(settings: Settings) -> tuple[str, ...]:
    """The models in the order in which they are asked, each once."""
    named = [settings.llm_model, *settings.llm_fallback_models.split(",")]
    return tuple(dict.fromkeys(name.strip() for name in named if name.strip()))


def prices_of(settings: Settings, scoring: Scoring) -> Prices:
    """What the models cost.

    Raises:
        BadConfiguration: nobody says what one of them costs; names it.
    """
    return Prices(models_of(settings), scoring.prices, scoring.max_answer_tokens)


def door_of(settings: Settings, scoring: Scoring) -> OpenDoor | None:
    """How the door is opened, once for each run and event loop; ``None``: no key, so nobody is asked.

    Raises:
        BadConfiguration: a model, its price, the key or the address cannot be used; said now, before anything is read.
    """
    from resources.llm.caller import check_settings

    key = settings.llm_api_key.get_secret_value().strip() if settings.llm_api_key else ""
    if not key:
        return None
    hide(key)
    models = models_of(settings)
    check_settings(models, settings.llm_base_url, key)
    prices = prices_of(settings, scoring)

    @asynccontextmanager
    async def opened(ledger: Ledger) -> AsyncIterator[Door]:
        from resources.llm.caller import Caller

        caller = Caller(
            models,
            settings.llm_base_url,
            key,
            connect_seconds=settings.http_connect_timeout_seconds,
            concurrency=scoring.concurrency,
        )
        try:
            yield Door(caller, models, scoring, prices, ledger, random=Random(settings.otklik_seed))
        finally:
            await caller.close()

    return opened
