"""Prices and tokens: who says what a call costs, and that the worst price is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.policy_scoring import Price
from resources.clients.errors import BadConfiguration
from resources.llm.prices import Prices
from resources.llm.tokens import about, at_most
from tests.llm.asking import request_of

POLICY = {"litellm_proxy/ours": Price(input_per_million_usd=1.5, output_per_million_usd=6.0)}


def _asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_the_worst_price_is_every_character_a_token_and_the_longest_answer() -> None:
    prices = Prices(["litellm_proxy/ours"], POLICY, 1_000)
    # 3 small letters, a capital of 2 bytes, 16 around the message, 2 of the empty form: 23 x 1.5 rounded up
    assert prices.worst("litellm_proxy/ours", _asked("Цена"), {}) == (35 + 6_000, "policy")
    assert prices.worst("litellm_proxy/ours", _asked("Цена"), {}, 2_000).microusd == 12_035


def test_a_model_of_the_list_has_the_lists_price_behind_a_gateway_too() -> None:
    # gpt-4.1: 2 and 8 dollars for a million tokens
    prices = Prices(["litellm_proxy/gpt-4.1", "openai/gpt-4.1"], {}, 1_000)
    for model in ("litellm_proxy/gpt-4.1", "openai/gpt-4.1"):
        assert prices.real(model, 1_000, 100, None) == (2_800, "model_map")
    assert prices.worst_of(request_of()).price_from == "model_map"


def test_a_model_that_nobody_prices_is_refused_before_anything_is_bought() -> None:
    with pytest.raises(BadConfiguration, match=r"nobody says what the model litellm_proxy/secret-7b costs"):
        Prices(["litellm_proxy/ours", "litellm_proxy/secret-7b"], POLICY, 1_000)


@pytest.mark.parametrize(
    ("told", "microusd", "price_from"),
    [
        ("0.002532", 2_532, "gateway"),
        ("0", 750, "policy"),
        ("0.0", 750, "policy"),
        ("1e-7", 1, "gateway"),
        ("nan", 750, "policy"),
        ("-1", 750, "policy"),
        ("inf", 750, "policy"),
        ("many", 750, "policy"),
        ("", 750, "policy"),
        (None, 750, "policy"),
    ],
)
def test_the_gateways_word_wins_where_it_is_a_price(told: str | None, microusd: int, price_from: str) -> None:
    prices = Prices(["litellm_proxy/ours"], POLICY, 1_000)
    assert prices.real("litellm_proxy/ours", 100, 100, told) == (microusd, price_from)


def test_a_price_of_zero_in_the_list_is_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"tried-out": {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}}
    monkeypatch.setattr("resources.llm.prices._listed", lambda: listed)
    with pytest.raises(BadConfiguration, match="nobody says what the model"):
        Prices(["litellm_proxy/tried-out"], {}, 1_000)
    # whoever runs it at no cost says so
    free = {"litellm_proxy/tried-out": Price(input_per_million_usd=0, output_per_million_usd=0)}
    assert Prices(["litellm_proxy/tried-out"], free, 1_000).real("litellm_proxy/tried-out", 9, 9, None) == (0, "policy")


@pytest.mark.parametrize("told", [(-5, 5), (5, -5)])
def test_tokens_below_zero_are_not_told(told: tuple[int, int]) -> None:
    """Else a call would give money back."""
    assert Prices(["litellm_proxy/ours"], POLICY, 1_000).real("litellm_proxy/ours", *told, None) is None


def test_without_tokens_nobody_knows_what_it_cost() -> None:
    assert Prices(["litellm_proxy/ours"], POLICY, 1_000).real("litellm_proxy/ours", None, 5, None) is None


@pytest.fixture(scope="module", params=["cl100k_base", "o200k_base"])
def tokenizer(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Two tokenizers that come with litellm: nothing is downloaded."""
    import tiktoken

    spec = find_spec("litellm")
    assert spec is not None and spec.submodule_search_locations
    files = Path(spec.submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_CACHE_DIR", str(files))
        yield tiktoken.get_encoding(request.param)


@given(text=st.text(max_size=400) | st.text(st.characters(min_codepoint=0x400, max_codepoint=0x4FF), max_size=99))
@settings(max_examples=150, deadline=None)
def test_no_tokenizer_makes_more_tokens_than_the_bound(tokenizer: Any, text: str) -> None:
    assert len(tokenizer.encode(text, disallowed_special=())) <= at_most(_asked(text), {})


def test_the_bound_holds_for_a_whole_question_with_its_form(tokenizer: Any) -> None:
    request = request_of(lines=60)
    real = sum(len(tokenizer.encode(one["content"])) for one in request.messages)
    form = len(tokenizer.encode(json.dumps(request.schema)))
    bound, guess = at_most(request.messages, request.schema), about(request.messages, request.schema)
    assert real + form < bound < 6 * (real + form)
    assert 0.5 < guess / (real + form) < 2
