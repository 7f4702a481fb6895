"""A door in front of the emulated gateway, with a book in memory: what the tests of the door share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from conversations.policy_scoring import Price, Scoring
from conversations.scoring.answer import read_answer
from conversations.scoring.request import prepare, repair_messages
from conversations.scoring.shapes import Criterion, Parameters, Phrase, Prompt, Request, Rubric, Talk
from resources.llm.caller import Caller
from resources.llm.door import Door
from resources.llm.ledger import Begun, Evaluated, OverBudget, PaidCall, PlannedCall
from resources.llm.prices import Prices
from tests.emulators.llm import LlmEmulator

MODEL, OTHER = "litellm_proxy/first-judge", "litellm_proxy/second-judge"
PRICE = Price(input_per_million_usd=3.0, output_per_million_usd=12.0)
CRITERIA = (
    Criterion("greeting", "Приветствие", "Поздоровался?", 5, 1),
    Criterion("needs", "Потребность", "Задал вопросы?", 20, 2),
    Criterion("next_step", "Следующий шаг", "Договорился о шаге?", 10, 2, may_not_apply=True),
)
RUBRIC = Rubric("sales", 1, CRITERIA, "0" * 64)
PROMPT = Prompt("sales", 1, "Оцени.\n{criteria_list}\n{custom_instructions}\n{transcription}\n", "1" * 64)


def request_of(number: int = 0, lines: int = 3) -> Request:
    """A question about a talk; another number is another talk."""
    said = [
        Phrase("1", "manager", "Здравствуйте, меня зовут Анна, компания Лепесток."),
        Phrase("2", "customer", f"Добрый день, меня интересует заказ на {number + 2} штук."),
        Phrase("3", "manager", "Какой цвет вам нужен? Договорились, завтра перезвоню."),
        *(Phrase(str(n), "customer", f"И ещё раз уточню строку {n}.") for n in range(4, lines + 1)),
    ]
    parameters = Parameters(MODEL, 0.0, 2_000, 24_000, 6, mask_names=False)
    return prepare(Talk("call", tuple(said)), RUBRIC, PROMPT, "", parameters).requests[0]


@dataclass
class Book:
    """The ledger in memory: every call with what it came to."""

    cap_microusd: int | None = None
    """Most that one call may cost."""
    planned: list[PlannedCall] = field(default_factory=list)
    paid: dict[str, PaidCall] = field(default_factory=dict)
    ends: list[Evaluated] = field(default_factory=list)
    """How questions ended, as it came with a settlement."""
    begun: list[Begun] = field(default_factory=list)
    """What was to be repaired."""

    async def reserve(self, planned: PlannedCall) -> str:
        if self.cap_microusd is not None and planned.worst_microusd > self.cap_microusd:
            raise OverBudget("run")
        self.planned.append(planned)
        return str(len(self.planned) - 1)

    async def settle(self, llm_call_id: str, paid: PaidCall, evaluation: Evaluated | None) -> None:
        assert llm_call_id not in self.paid, "settled twice"
        self.paid[llm_call_id] = paid
        if evaluation is not None and evaluation.begun is not None:
            assert not evaluation.is_final and evaluation.answer is None
            self.begun.append(evaluation.begun)
        elif evaluation is not None:
            self.ends.append(evaluation)

    @property
    def outcomes(self) -> list[str]:
        """In the order of the reservations."""
        return [self.paid[str(n)].outcome for n in range(len(self.planned))]

    @property
    def purposes(self) -> list[str]:
        return [call.purpose for call in self.planned]

    @property
    def costs(self) -> list[int]:
        return [self.paid[str(n)].cost_microusd for n in range(len(self.planned))]


def scoring(**fields: Any) -> Scoring:
    """A policy that gives up soon."""
    few = {"attempts": 3, "deadline_seconds": 15.0, "concurrency": 8, "requests_per_minute": 100_000}
    return Scoring(
        **{**few, "tokens_per_minute": 1_000_000_000, "prices": {MODEL: PRICE, OTHER: PRICE}, **fields}
    )  # fmt: skip


def ask(
    emulator: LlmEmulator,
    requests: Sequence[Request],
    *,
    book: Book | None = None,
    policy: Scoring | None = None,
    models: Sequence[str] = (MODEL,),
    base_url: str | None = None,
    api_key: str | None = None,
    between: Callable[[Door], None] = lambda _: None,
    begun: Begun | None = None,
    **options: Any,
) -> list[Evaluated | BaseException]:
    """Ask all questions at once through one door; what each came to. ``begun``: what was said to each before."""
    policy = policy or scoring()

    async def all_of_them() -> list[Evaluated | BaseException]:
        caller = Caller(
            models,
            base_url or f"{emulator.base_url}/v1",
            api_key or emulator.api_key,
            connect_seconds=2.0,
            concurrency=policy.concurrency,
        )
        try:
            prices = Prices(models, policy.prices, policy.max_answer_tokens)
            options.setdefault("first_pause_seconds", 0.02)
            door = Door(caller, models, policy, prices, book or Book(), random=Random(1), **options)
            between(door)
            return await asyncio.gather(*(one(door, each) for each in requests), return_exceptions=True)
        finally:
            await caller.close()

    async def one(door: Door, request: Request) -> Evaluated:
        return await door.ask(
            request,
            lambda text, finish, refusal: read_answer(text, finish, refusal, RUBRIC),
            lambda text, problems: repair_messages(request, text, problems),
            begun,
        )

    return asyncio.run(all_of_them())
