"""What a call to a model costs: at worst before it, really after it.

Here: where a price comes from. Not here: budgets (``resources.scoring.ledger``). Before a call: the policy's price of
the model, else that of litellm's own list, which is a file of the package (nothing is downloaded, litellm is not
imported). A model without a price, or with 0 in that list, is not asked at all: a budget that nobody can check is none.
After a call the gateway's own word wins, where it sends one. Money is in millionths of a US dollar.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from conversations.policy_scoring import Price
from conversations.scoring.shapes import Request
from resources.clients.errors import BadConfiguration
from resources.llm import tokens
from resources.llm.ledger import PriceFrom

COST_HEADER = "x-litellm-response-cost"
_MAP = "model_prices_and_context_window_backup.json"
_HIGHEST_USD = 10_000.0
"""A header that says more for one call is no price."""


class ModelPrice(NamedTuple):
    """Of one model, in millionths of a US dollar for a token."""

    per_input_token: float
    per_output_token: float
    price_from: PriceFrom


class Cost(NamedTuple):
    """What a call came to."""

    microusd: int
    price_from: PriceFrom


class Prices:
    """The prices of the models that may be asked.

    Args:
        models: as the settings name them.
        by_policy: ``policy.scoring.prices``.

    Raises:
        BadConfiguration: nobody says what one of them costs; names it.
    """

    def __init__(self, models: Sequence[str], by_policy: Mapping[str, Price], max_answer_tokens: int) -> None:
        self._max_answer_tokens = max_answer_tokens
        self._prices = {model: _price_of(model, by_policy) for model in models}

    def worst(
        self,
        model: str,
        messages: Sequence[dict[str, str]],
        schema: dict[str, Any],
        max_answer_tokens: int | None = None,
    ) -> Cost:
        """The most that a call can cost: every character a token, the longest answer."""
        price = self._prices[model]
        answer = self._max_answer_tokens if max_answer_tokens is None else max_answer_tokens
        asked = tokens.at_most(messages, schema)
        return Cost(math.ceil(asked * price.per_input_token + answer * price.per_output_token), price.price_from)

    def worst_of(self, request: Request) -> Cost:
        """The same over all models for a question's first call: what one call of it may cost whoever answers."""
        return max(self.worst(model, request.messages, request.schema) for model in self._prices)

    def real(
        self, model: str, prompt_tokens: int | None, completion_tokens: int | None, told: str | None
    ) -> Cost | None:
        """What a call cost: by the gateway's header, else by its tokens; ``None``: neither is known."""
        if (usd := _usd(told)) is not None:
            return Cost(math.ceil(usd * 1_000_000), "gateway")
        if prompt_tokens is None or completion_tokens is None or min(prompt_tokens, completion_tokens) < 0:
            return None
        price = self._prices[model]
        cost = prompt_tokens * price.per_input_token + completion_tokens * price.per_output_token
        return Cost(math.ceil(cost), price.price_from)


def _usd(told: str | None) -> float | None:
    try:
        usd = float(told) if told else math.nan
    except ValueError:
        return None
    # 0 is what a gateway says of a model that it has no price for: a cap must not trust it
    return usd if 0.0 < usd <= _HIGHEST_USD else None


def _price_of(model: str, by_policy: Mapping[str, Price]) -> ModelPrice:
    if model in by_policy:
        price = by_policy[model]
        # dollars for a million tokens are millionths of a dollar for one
        return ModelPrice(price.input_per_million_usd, price.output_per_million_usd, "policy")
    listed = _listed()
    names = dict.fromkeys((model, model.partition("/")[2] or model, model.rpartition("/")[2]))
    for name in names:
        entry = listed.get(name)
        # the list writes 0 where nobody knows: who runs a model at no cost says so in the policy
        if entry is not None and (dearest := _highest(entry, "output")) > 0:
            return ModelPrice(_highest(entry, "input"), dearest, "model_map")
    raise BadConfiguration(
        "llm",
        f"nobody says what the model {model} costs, so no budget could be kept",
        "Set scoring.prices in the policy: its name as in LLM_MODEL, dollars for a million tokens in and out",
    )


def _highest(entry: Mapping[str, Any], side: str) -> float:
    """The dearest of its prices for a text token: some models cost more beyond a length."""
    start = f"{side}_cost_per_token"
    found = [
        value
        for name, value in entry.items()
        if (name == start or name.startswith(f"{start}_above_")) and isinstance(value, int | float)
    ]
    return max(found, default=0.0) * 1_000_000


@lru_cache(maxsize=1)
def _listed() -> dict[str, dict[str, Any]]:
    """litellm's list of chat models with a price, read without importing litellm."""
    spec = find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        return {}
    path = Path(spec.submodule_search_locations[0]) / _MAP
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        name: entry
        for name, entry in content.items()
        if isinstance(entry, dict) and "input_cost_per_token" in entry and "output_cost_per_token" in entry
    }
