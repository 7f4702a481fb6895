"""Which sessions are talks to judge: those in which the customer or a manager wrote a word; the dry run, a run and the
check of unjudged talks count the same ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assets.checks.scorecards import UNJUDGED
from resources.scoring.plan import Priced, plan
from resources.scoring.run import Counts, score
from resources.scoring.subjects import Chosen
from resources.warehouse.engine import Warehouse
from tests.scoring import DAY, Judge, policy, put_call, put_rubrics, put_session, scorer

CHOSEN = Chosen(DAY, DAY)
RULES = policy("scoring: {chats: {enabled: true}}")
TABLES = (
    "core.calls", "evaluated.scorecards", "evaluated.evaluations", "evaluated.behaviour", "evaluated.sessions",
    "core.messages", "ops.llm_calls", "reference.rubrics",
)  # fmt: skip
OF_SESSION = "update core.messages set {} where conversation_id = 'shop:1' and message_id in ('a', 'c')"
WORDLESS = {
    "calls of the telephony": OF_SESSION.format("content_kind = 'call', text = null"),
    "calls that somebody noted": OF_SESSION.format("content_kind = 'call'"),
    "pictures": OF_SESSION.format("content_kind = 'media', text = ''"),
    "a bot alone": OF_SESSION.format("sender_kind = 'bot'"),
    "notes": OF_SESSION.format("is_public = false"),
    "deleted": OF_SESSION.format("deleted_at = sent_at"),
    "never sent": OF_SESSION.format("delivery_status = 'failed'"),
}


@pytest.fixture(autouse=True)
def _two_sessions_and_a_call(database: Warehouse) -> Iterator[None]:
    with database.connect() as session:
        for table in TABLES:
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
        put_call(session, 1)
        put_session(session, 1)
        put_session(session, 2)
    yield


def run(database: Warehouse, judge: Judge | None, name: str) -> Counts:
    return score(database, scorer(judge, RULES), CHOSEN, name)


def cards(database: Warehouse) -> list[str]:
    with database.connect() as session:
        found = session.execute("select subject_id from evaluated.scorecards where judge = 'model' order by 1")
        return [one for (one,) in found]


def unjudged(database: Warehouse) -> tuple[int, int]:
    """Talks and those of them that were not bought, as the check counts them."""
    with database.connect() as session:
        row = session.execute(UNJUDGED, {"first": DAY, "last": DAY}).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0], row[2]


@pytest.mark.parametrize("statement", WORDLESS.values(), ids=WORDLESS)
def test_a_session_without_a_written_word_is_no_talk(statement: str, database: Warehouse) -> None:
    assert plan(database, scorer(Judge(), RULES), CHOSEN, lambda _: Priced(1, 1)).total.talks == 3
    with database.connect() as session:
        assert session.execute(statement).rowcount == 2  # type: ignore[arg-type]
    assert plan(database, scorer(Judge(), RULES), CHOSEN, lambda _: Priced(1, 1)).total.talks == 2
    counts = run(database, Judge(), "run")
    assert (counts.talks, counts.scored, counts.unsuitable, counts.calls) == (2, 2, 0, 2)
    assert cards(database) == ["shop:2:a", "tbank:00001"]
    assert unjudged(database) == (2, 0)


def test_chats_that_were_not_bought_are_counted_by_the_check(database: Warehouse) -> None:
    tight = policy("scoring: {chats: {enabled: true, day_budget_usd: 0}}")
    counts = score(database, scorer(Judge(), tight), CHOSEN, "run")
    assert (counts.talks, counts.scored, counts.left, counts.stopped) == (3, 1, 2, ("department",))
    assert unjudged(database) == (3, 2)


def test_one_word_of_one_side_is_enough(database: Warehouse) -> None:
    with database.connect() as session:
        session.execute(
            "update core.messages set content_kind = 'call', text = null"
            " where conversation_id = 'shop:1' and message_id = 'a'"
        )
    assert run(database, Judge(), "run").talks == 3


def test_a_card_of_a_session_whose_words_are_deleted_goes(database: Warehouse) -> None:
    run(database, Judge(), "first")
    assert cards(database) == ["shop:1:a", "shop:2:a", "tbank:00001"]
    with database.connect() as session:
        session.execute(WORDLESS["deleted"])  # type: ignore[arg-type]
    run(database, Judge(), "second")
    assert cards(database) == ["shop:2:a", "tbank:00001"]
