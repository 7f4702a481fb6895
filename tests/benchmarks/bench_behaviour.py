"""What words cost inside a refresh: messages per CPU second of the language rules, beside the lexicons alone.

Timed: ``refresh_evaluated`` over the same chats twice in one process, with the lexicons and with a reader that finds
nothing; the difference is what language costs: looking up, judging sessions, giving advice and writing all of it.
Counted: the messages that the lexicons were given. Texts are the invented shop's, each many times, so remembering whole
texts is switched off and only words are remembered; how much remembering saves is printed apart. Not timed: making the
data, the first refresh (its words are learned then, printed apart). In the same run: ``Lexicon.find`` alone on the
texts that were read (``bench_lexicon``).

    python -m tests.benchmarks.bench_behaviour --messages 100000
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import conversations.words
from conversations.lexicon import Lexicon, Place, Side
from conversations.policy import Policy
from conversations.window import Window
from resources.warehouse.engine import Warehouse
from resources.warehouse.refresh import refresh_evaluated
from resources.warehouse.server import EmbeddedServer
from tests.benchmarks.bench_lexicon import Message, messages, per_second
from tests.benchmarks.bench_refresh import CONNECTION, DAYS, FIRST, ZONE, cpu, fill

LEAST = 20_000
END = Window.of_day(FIRST + timedelta(days=DAYS), ZONE).end


class Silent:
    """Finds nothing."""

    hash = "silent"

    def places(self, text: str | None, side: Side) -> list[Place]:
        return []


class Listening(Silent):
    """Finds what the lexicons find and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[Message] = []

    def places(self, text: str | None, side: Side) -> list[Place]:
        self.given.append((text or "", side))
        return Lexicon.default().places(text, side)


def put_words(warehouse: Warehouse) -> int:
    """Give the chats of ``bench_refresh`` the words of the shop; returns how many different texts there are."""
    said = messages(1_000_000)
    with warehouse.connect() as sql:
        sql.execute("create temp table said (sender text, n int, text text, primary key (sender, n))")
        for side in ("customer", "manager"):
            texts = [text for text, whose in said if whose == side]
            with sql.cursor() as cursor, cursor.copy("copy said from stdin") as copy:
                for number, text in enumerate(texts):
                    copy.write_row((side, number, text))
            sql.execute(
                "update core.messages as m set text = s.text from said as s where s.sender = %(side)s"
                " and m.sender_kind = s.sender and s.n = abs(hashtext(m.message_id)) %% %(many)s",
                {"side": side, "many": len(texts)},
            )
        sql.execute("analyze core.messages")
    return len(said)


def judged(warehouse: Warehouse, reader: object) -> float:
    """CPU seconds of judging everybody from nothing."""
    with warehouse.connect() as sql:
        for table in ("waits", "sessions", "left_waiting", "behaviour", "advice"):
            sql.execute(f"truncate evaluated.{table}")
        sql.execute("delete from ops.as_of")
    began = cpu()
    policy = Policy.load("policy.yaml")
    refresh_evaluated(warehouse, policy, None, END, connection_id=CONNECTION, lexicon=reader)  # type: ignore[arg-type]
    return cpu() - began


def measure(warehouse: Warehouse, total: int) -> dict[str, object]:
    """All figures."""
    different = put_words(warehouse)
    as_in_production = conversations.words._SHORT
    conversations.words._SHORT = 0
    listening = Listening()
    first = judged(warehouse, listening)
    given = len(listening.given)
    silent = min(judged(warehouse, Silent()) for _ in range(2))
    read = min(judged(warehouse, Lexicon.default()) for _ in range(2))
    conversations.words._SHORT = as_in_production
    remembered = judged(warehouse, Lexicon.default())
    with warehouse.connect() as sql:
        counts = sql.execute(
            "select (select count(*) from evaluated.sessions where ended_at is not null),"
            " (select count(*) from evaluated.behaviour), (select count(*) from evaluated.behaviour where has_intent),"
            " (select count(*) from evaluated.advice)"
        ).fetchone()
    assert counts is not None
    per_cpu = given / (read - silent)
    return {
        "benchmark": "behaviour",
        "timed": "what the lexicons add to a refresh, CPU seconds of one process",
        "messages": total,
        "different_texts": different,
        "read_by_rules": given,
        "sessions_ended": counts[0],
        "behaviour": counts[1],
        "with_intent": counts[2],
        "advice": counts[3],
        "language_per_cpu_s": round(per_cpu),
        "lexicon_alone_per_cpu_s": round(max(per_second(Lexicon.default().find, listening.given) for _ in range(2))),
        "refresh_cpu_s": round(read, 2),
        "refresh_without_words_cpu_s": round(silent, 2),
        "refresh_first_run_cpu_s": round(first, 2),
        "refresh_remembering_texts_cpu_s": round(remembered, 2),
        "limit": LEAST,
        "holds": per_cpu >= LEAST,
    }


def main() -> int:
    """Print one JSON line; exit 1 below the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    total = parser.parse_args().messages
    with tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedServer.join(Path(folder) / "home")
        try:
            warehouse = Warehouse.at(server.urls.owner)
            warehouse.migrate()
            fill(warehouse, total)
            result = measure(warehouse, total)
        finally:
            server.close()
    print(json.dumps(result))
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
