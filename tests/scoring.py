"""Talks to judge, put straight into the tables, and a judge of our own that books its calls like the real door.

Here: rows and the stand-in. Not here: the door to models and its emulator, which the tests of the whole way use.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from conversations.lexicon import Lexicon
from conversations.policy import Policy
from conversations.scoring.rubric import criteria_of_yaml
from conversations.scoring.shapes import Answer, CriterionAnswer, Problems, Request
from resources.llm.ledger import Evaluated, Ledger, Outcome, PaidCall, PlannedCall
from resources.prompts import prompt_in_force
from resources.scoring.run import Scorer
from resources.warehouse.requirements import keep_rubric

DAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 18, 1, tzinfo=UTC)
POLICY = """
departments:
  sales: {name: Торговые, agent_group: Торговые представители, rubric: sales_calls, prompt: sales_calls}
  office: {name: Офис, agent_group: Офис-менеджеры, rubric: office_calls, prompt: office_calls}
"""
RUBRIC = """
criteria:
  - {code: greeting, title: Приветствие, question: "Поздоровался?", weight: 40, rule: greeting}
  - {code: offer, title: Предложение, question: "Предложил?", weight: 60, best: 2}
"""
GROUPS = {"sales": "Торговые представители", "office": "Офис-менеджеры"}


def policy(more: str = "") -> Policy:
    """Two departments; ``more``: further sections."""
    return Policy.parse(POLICY + more)


def put_rubrics(session: psycopg.Connection[Any], text: str = RUBRIC, *names: str) -> None:
    """Make a rubric the one in force, of both departments unless named."""
    for name in names or ("sales_calls", "office_calls", "chats"):
        keep_rubric(session, name, criteria_of_yaml(text), "file", NOW)


def put_call(
    session: psycopg.Connection[Any],
    number: int,
    *,
    on: date = DAY,
    department: str = "sales",
    phrases: Sequence[tuple[str, str]] | None = None,
    **values: Any,
) -> str:
    """A call with its transcript; every number has words of its own."""
    at = datetime(on.year, on.month, on.day, 9, tzinfo=UTC) + timedelta(seconds=number)
    row = {
        "call_id": f"tbank:{number:05}", "connection_id": "tbank", "conversation_id": f"tbank:c{number}",
        "message_id": str(number), "channel_id": "tbank:phone", "operator_id": f"tbank:{number % 3}",
        "operator_login": None, "customer_id": f"tbank:k{number}", "agent_group": GROUPS[department],
        "direction": "out", "started_at": at, "talk_seconds": 90, "is_answered": True, "is_internal": False,
        "flags": [], "business_on": on, "ingested_at": at, "raw_stream": "calls", "raw_id": str(number),
    } | values  # fmt: skip
    session.execute(
        f"insert into core.calls ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",  # type: ignore[arg-type]
        [*row.values()],
    )
    put_transcript(session, row["call_id"], phrases or talk(number))
    return str(row["call_id"])


def put_transcript(session: psycopg.Connection[Any], call_id: str, phrases: Sequence[tuple[str, str]]) -> None:
    """What was said, in place of what was said before."""
    said = [
        {"n": n, "speaker": speaker, "text": text, "start": float(n), "end": n + 1.0}
        for n, (speaker, text) in enumerate(phrases)
    ]
    session.execute("delete from core.call_transcripts where call_id = %s", [call_id])
    session.execute(
        "insert into core.call_transcripts (call_id, connection_id, state, phrases, speakers, flags, characters,"
        " ingested_at, raw_stream, raw_id)"
        " values (%s, 'tbank', 'ready', %s, 'as_labelled', '{}', 100, %s, 'transcripts', %s)",
        [call_id, json.dumps(said, ensure_ascii=False), NOW, call_id],
    )


def talk(number: int) -> list[tuple[str, str]]:
    """Words of a talk that no other number has."""
    return [
        ("manager", f"Добрый день, меня зовут Анна, компания Отклик, заявка {number}."),
        ("customer", f"Здравствуйте, сколько стоит товар номер {number} и есть ли он в наличии?"),
        ("manager", f"Могу предложить товар {number} за {number + 100} рублей, доставка завтра."),
        ("customer", "Хорошо, я подумаю и перезвоню вам вечером."),
    ]


def put_session(session: psycopg.Connection[Any], number: int) -> None:
    """A session of a chat that ended two days before now, a note in it and another talk after it."""
    at = NOW - timedelta(days=2)
    chat, name = f"shop:{number}", f"shop:{number}:a"
    said = {
        "a": ("customer", "in", f"Здравствуйте, почём товар {number}?"),
        "b": ("note", "none", "клиент торопится"),
        "c": ("manager", "out", f"Могу предложить товар {number} за 100 рублей"),
        "z": ("manager", "out", "это уже другой разговор"),
    }
    for place, (message_id, (kind, direction, text)) in enumerate(said.items()):
        sent_at = at + (timedelta(days=9) if message_id == "z" else timedelta(seconds=place))
        session.execute(
            "insert into core.messages (conversation_id, message_id, connection_id, sent_at, direction, sender_kind,"
            " is_public, delivery_status, content_kind, text, flags, ingested_at, raw_stream, raw_id)"
            " values (%s, %s, 'shop', %s, %s, %s, %s, 'delivered', 'text', %s, '{}', %s, 'messages', %s)",
            [chat, message_id, sent_at, direction, kind, kind != "note", text, NOW, message_id],
        )
    context = {
        "conversation_id": chat, "connection_id": "shop", "channel_id": "shop:w", "customer_id": f"shop:k{number}",
        "session_id": name, "ended_at": at + timedelta(hours=1), "ended_on": DAY, "ended_week": "2026-W47",
        "definition_version": 1, "policy_hash": "-",
    }  # fmt: skip
    _put(session, "evaluated.sessions", context | {
        "first_message_id": "a", "started_at": at, "last_message_at": at + timedelta(seconds=2),
        "initiated_by": "customer", "is_new_contact": True, "is_bot_only": False, "customer_messages": 1,
        "manager_messages": 1, "bot_messages": 0, "last_message_id": "c", "ends_outgoing": True,
    })  # fmt: skip
    lists = ("not_good", "not_good_customer", "intent_message_ids", "clarifying_message_ids", "offer_message_ids",
             "next_step_message_ids", "refusal_message_ids", "paid_message_ids")  # fmt: skip
    _put(session, "evaluated.behaviour", context | {name: [] for name in lists} | {
        "manager_id": "shop:7", "human_replies": 1, "has_intent": False, "good_score_at_least": 80,
        "lexicon_hash": "-",
    })  # fmt: skip


def _put(session: Any, table: str, row: dict[str, Any]) -> None:
    statement = f"insert into {table} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})"
    session.execute(statement, [*row.values()])


class Judge:
    """A door that answers by itself; what it is asked and what it books is what the real one asks and books.

    Args:
        cost: millionths of a dollar of one call; ``worst``: what is reserved for it.
        answer: the answer to a question; ``None``: nobody answers, ``Problems``: no valid answer.
    """

    def __init__(
        self,
        cost: int = 30,
        worst: int = 100,
        answer: Callable[[Request], Answer | Problems | None] | None = None,
        delay: float = 0.0,
    ) -> None:
        self.cost, self.worst, self.delay = cost, worst, delay
        self.answer = answer or full_marks
        self.asked: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.in_flight = self.most_in_flight = 0

    @asynccontextmanager
    async def open(self, ledger: Ledger) -> AsyncIterator[Judge]:
        """Stand in for ``resources.llm``."""
        self.ledger = ledger
        yield self

    async def ask(self, request: Request, read: Any, repair: Any, begun: Any = None) -> Evaluated:
        """One call, one answer."""
        call = await self.ledger.reserve(PlannedCall(request.key, 1, "first", "demo", self.worst))
        self.asked[request.key] += 1
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.delay)
        self.in_flight -= 1
        said = self.answer(request)
        outcome: Outcome = "unavailable" if said is None else "ok" if isinstance(said, Answer) else "refused"
        cost = 0 if said is None else self.cost
        reason = None if isinstance(said, Answer) else "unavailable" if said is None else said.reason
        kept = said if isinstance(said, Answer) else None
        ended = Evaluated(request.key, kept, reason, said is not None, 1, "demo", "demo", 10, 5, cost)
        await self.ledger.settle(call, PaidCall(outcome, cost, "policy", 10, 5, None), ended)
        return ended


def full_marks(request: Request) -> Answer:
    """The best marks, each proved by the manager's own words."""
    lines = [line for line in request.messages[1]["content"].splitlines() if "] Менеджер: " in line]
    quotes = [line.split("] Менеджер: ", 1)[1] for line in lines]
    marks = (
        CriterionAnswer("greeting", 1, "поздоровался", quotes[0]),
        CriterionAnswer("offer", 2, "предложил", quotes[-1]),
    )
    return Answer(True, None, "о товаре", "цена", "positive", marks, ())


def scorer(judge: Judge | None, rules: Policy | None = None, now: datetime = NOW) -> Scorer:
    """Everything that a run needs beside the days."""
    return Scorer(
        rules or policy(), Lexicon.default(), prompt_in_force, "demo", judge.open if judge else None, lambda: now
    )
