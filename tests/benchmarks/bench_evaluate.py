"""How many messages per CPU second ``evaluate`` judges, on invented contacts of usual shape.

Timed: ``evaluate`` alone, one process, rules compiled before, tuples already in memory. Not timed: reading, writing.
Run: ``python -m tests.benchmarks.bench_evaluate [MESSAGES]``.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from pathlib import Path

from conversations.evaluate import Rules, compile_policy, evaluate
from conversations.policy import Policy
from conversations.timeline import SECOND, Chat, Contact, TimedEvent, TimedMessage

_ROOT = Path(__file__).parents[2]
_START = 1_767_600_000  # 2026-01-05
_WORDS = ["Здравствуйте, есть 42 размер?", "а доставка в Алматы?", "спасибо", "хорошо, жду", "Сколько стоит?", "ок"]


def contacts(messages: int, seed: int = 7) -> list[Contact]:
    """Contacts with 5 to 60 messages, a fifth with two chats, about 0.28 waits a message."""
    chance = random.Random(seed)
    made: list[Contact] = []
    left = messages
    while left > 0:
        size = min(left, chance.randint(5, 60))
        made.append(_contact(chance, len(made), size))
        left -= size
    return made


def _contact(chance: random.Random, number: int, size: int) -> Contact:
    kinds = [chance.choice(["whatsapp", "telegram"])]
    if chance.random() < 0.2:
        kinds.append("instagram")
    chats = tuple(Chat(f"shop:{number}-{kind}", f"shop:{kind}", kind, False) for kind in kinds)
    second = _START + chance.randrange(80 * 86_400)
    managers = [f"shop:{chance.randrange(12)}" for _ in range(2)]
    messages, events = [], []
    for index in range(size):
        chat = chance.choice(chats)
        second += chance.choice([20, 60, 200, 900, 4000]) if chance.random() < 0.93 else 40 * 3600
        sender = chance.choices(["customer", "manager", "bot", "autoreply", "note"], [50, 42, 3, 3, 2])[0]
        if chance.random() < 0.03:
            chosen = chance.choice(managers)
            events.append(TimedEvent(chat.conversation_id, f"e{index}", second * SECOND, "assigned", chosen))
        messages.append(
            TimedMessage(
                chat.conversation_id, f"{number}-{index:04}", None, second * SECOND, second * SECOND,
                "in" if sender == "customer" else "out", sender,
                chance.choice(managers) if sender == "manager" else None, sender != "note",
                "delivered", "text", None, None,
                chance.choice(_WORDS) if sender == "customer" else None, None, None,
            )
        )  # fmt: skip
    return Contact(chats, messages, events)


def measure(made: list[Contact], rules: Rules) -> tuple[float, int]:
    """CPU seconds and waits of judging all contacts once."""
    as_of = (_START + 120 * 86_400) * SECOND
    begin = time.process_time()
    waits = 0
    for contact in made:
        waits += len(evaluate(contact, rules, as_of).waits)
    return time.process_time() - begin, waits


def main() -> None:
    """Print messages per CPU second, with and without the garbage collector."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    made = contacts(total)
    teams = {f"shop:{number}": ["sales", "care", "almaty"][number % 3] for number in range(12)}
    rules = compile_policy(Policy.load(_ROOT / "policy.yaml"), teams)
    measure(made[:50], rules)
    for label in ("gc on", "gc frozen", "gc off"):
        if label == "gc frozen":
            gc.freeze()
        if label == "gc off":
            gc.disable()
        seconds, waits = measure(made, rules)
        print(f"{label}: {total / seconds:,.0f} messages per CPU second, {waits / total:.2f} waits a message")


if __name__ == "__main__":
    main()
