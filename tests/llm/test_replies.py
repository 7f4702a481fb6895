"""What a gateway tells beside the answer, and what goes wrong with us while reading it: the book stays in order."""

from __future__ import annotations

import asyncio
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from resources.llm.caller import Reply, _reply
from resources.llm.door import Door
from resources.llm.network import Seen
from resources.llm.prices import Prices
from tests.llm.asking import MODEL, Book, request_of, scoring


def told(usage: Any = None, **fields: Any) -> Reply:
    message = SimpleNamespace(content="{}", provider_specific_fields=None)
    choice = SimpleNamespace(message=message, finish_reason="stop")
    found = _reply(SimpleNamespace(choices=[choice], usage=usage, **{"model": "m", "id": "1"} | fields), Seen())
    assert isinstance(found, Reply)
    return found


@pytest.mark.parametrize("tokens", [-1, 10**12, 2.5, "7", None])
def test_what_is_no_number_of_tokens_is_not_told(tokens: Any) -> None:
    found = told(SimpleNamespace(prompt_tokens=10, completion_tokens=tokens))
    assert (found.prompt_tokens, found.completion_tokens) == (10, None)
    found = told(SimpleNamespace(prompt_tokens=tokens, completion_tokens=5))
    assert (found.prompt_tokens, found.completion_tokens) == (None, None)


def test_names_and_ids_can_be_stored() -> None:
    found = told(model="litellm_proxy/a\x00b\ud800", id="x\x00\n" + "y" * 900)
    assert (found.answered_by, found.vendor_call_id) == ("ab", "x" + "y" * 199)
    found = told(model="", id=None)
    assert (found.answered_by, found.vendor_call_id) == (None, None)


def test_a_call_is_settled_whatever_breaks_while_its_answer_is_read() -> None:
    class Answers:
        async def call(self, *_: Any) -> Reply:
            return Reply("{}", "stop", None, "m", 10, 5, None, None)

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    async def ask() -> None:
        policy = scoring()
        prices = Prices([MODEL], policy.prices, policy.max_answer_tokens)
        door = Door(Answers(), [MODEL], policy, prices, book, random=Random(1))  # type: ignore[arg-type]
        await door.ask(request_of(), broken, broken)

    book = Book()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask())
    assert len(book.planned) == 1 and book.costs == [book.planned[0].worst_microusd] and not book.ends
