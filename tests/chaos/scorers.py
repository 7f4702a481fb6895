"""Scoring runs for the workers of the nursery: the real door, the real book, an emulated gateway.

Here: what a worker does. Not here: who is killed when (the tests). Loaded only where somebody scores: the door's
library takes seconds to import.
"""

from __future__ import annotations

import gc
import os
from datetime import date
from typing import Any

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from resources.llm.caller import quiet_litellm
from resources.scoring.making import scorer_of
from resources.scoring.run import score
from resources.scoring.subjects import Chosen
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from tests.scoring import POLICY

MODEL = "litellm_proxy/demo-judge"


def settings_of(base_url: str, api_key: str) -> Settings:
    """Settings that ask the emulator and nobody else."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        llm_base_url=base_url,
        llm_api_key=api_key,
        llm_model=MODEL,
        http_allowed_private_hosts="127.0.0.1",
    )


def policy_of(concurrency: int, more: str = "") -> Policy:
    """Prices of the emulator, a budget that is no bound."""
    return Policy.parse(
        f"{POLICY}\nscoring:\n  concurrency: {concurrency}\n  requests_per_minute: 1000000\n"
        "  tokens_per_minute: 1000000000\n  budget: {run_usd: 1000, day_usd: 10000}\n"
        f"  prices: {{{MODEL}: {{input_per_million_usd: 2, output_per_million_usd: 8}}}}\n{more}"
    )


def warm() -> None:
    """Import what a worker needs."""
    quiet_litellm()
    for lexicon in (Lexicon.default(), Lexicon.speech()):
        lexicon.intents("добрый день", "manager")
    gc.freeze()


def work(warehouse: Warehouse, order: dict[str, Any]) -> None:
    """Score the days of an order."""
    settings = settings_of(order["base_url"], order["api_key"])
    policy = policy_of(order["concurrency"])
    chosen = Chosen(date.fromisoformat(order["first"]), date.fromisoformat(order["last"]))
    score(warehouse, scorer_of(settings, policy, Lexicon.default()), chosen, f"run-{os.getpid()}")
