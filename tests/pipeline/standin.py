"""A warehouse in which a test says what was judged, and a stand-in for dbt: weeks are published in a moment.

The stand-in counts manager_week, channel_week and data_status in plain Python from the judged rows; what is tested then
runs as in production: the marts of Python, their checks, the swap, all as the publisher.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from assets.marts.dbt import Built
from assets.marts.description import Mart, marts
from assets.marts.publish import publishing, swap
from assets.marts.python.build import build
from conversations.policy import Policy
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from resources.warehouse.schema import metadata
from tests.pipeline import talks
from tests.pipeline.counting import percentile

WHATSAPP, TELEGRAM = "shop:wa", "shop:tg"
ANNA, BORIS = "shop:1", "shop:2"
_EMPTIED = (
    "core.channels", "core.managers", "core.messages", "core.events", "reference.people", "reference.person_teams",
    "evaluated.waits", "evaluated.sessions", "evaluated.behaviour", "evaluated.advice", "ops.connections",
    "evaluated.scorecards", "evaluated.scorecard_criteria", "evaluated.scorecard_notes", "reference.criterion_gates",
)  # fmt: skip
PUBLISHED_AT = datetime(2026, 11, 16, 5, tzinfo=UTC)
_EMPTY = {"TEXT": "", "DATETIME": PUBLISHED_AT, "INTEGER": 0, "BIGINT": 0, "BOOLEAN": False, "TEXT[]": [],
          "ARRAY": [], "DATE": date(2026, 1, 1)}  # fmt: skip


class Floor:
    """Two channels, two managers, and whatever happens to them."""

    def __init__(self, database: Warehouse, open_session: ExitStack, policy: Policy | None = None) -> None:
        self.database = database
        self.publisher = database.as_role(Role.PUBLISHER)
        self.policy = policy or Policy.default()
        self.at = PUBLISHED_AT
        self.complete: dict[tuple[str, str], float | None] = {}
        self._numbers = 0
        self.owner = open_session.enter_context(database.connect(autocommit=True))
        self.owner.execute(f"truncate {', '.join(_EMPTIED)}")
        for (table,) in self.owner.execute("select tablename from pg_tables where schemaname = 'marts'").fetchall():
            self.owner.execute(f"drop table marts.{table}")
        self.put("core.channels", channel_id=WHATSAPP, connection_id="shop", kind="whatsapp", name="WA")
        self.put("core.channels", channel_id=TELEGRAM, connection_id="shop", kind="telegram", name="TG")
        for key, name in ((ANNA, "Анна"), (BORIS, "Борис")):
            self.put("core.managers", manager_id=key, connection_id="shop", name=name)

    def put(self, table: str, **values: Any) -> None:
        """Add a row; columns that are not named are empty."""
        described = metadata.tables[table]
        for column in described.columns:
            if column.name not in values and not column.nullable:
                values[column.name] = _EMPTY[str(column.type).split("(")[0].split(" ")[0]]
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        places = sql.SQL(", ").join(map(sql.Placeholder, values))
        target = sql.Identifier(*table.split("."))
        self.owner.execute(sql.SQL("insert into {} ({}) values ({})").format(target, names, places), values)

    def wait(self, week: str, manager: str | None = ANNA, outcome: str = "in_target", **values: Any) -> str:
        """A settled wait; returns its id. ``seconds`` is how long it took to answer."""
        self._numbers += 1
        settled = moment(week) + timedelta(seconds=self._numbers)
        seconds = values.pop("seconds", 60)
        seconds = seconds if outcome in ("in_target", "slow_reply") else None
        chat = values.pop("chat", f"shop:c{self._numbers}")
        row = {
            "wait_id": f"{chat}:m{self._numbers}", "conversation_id": chat, "session_id": f"{chat}:s",
            "channel_id": WHATSAPP, "connection_id": "shop", "wait_kind": "message", "outcome": outcome,
            "outcome_manager": outcome, "owner_manager_id": manager, "settled_at": settled, "settled_week": week,
            "opened_at": settled - timedelta(seconds=seconds or 28_800), "hours_basis": "calendar",
            "wait_seconds": seconds, "manager_wait_seconds": seconds, "definition_version": 1,
            "policy_hash": self.policy.hash,
            "opening_message_id": f"m{self._numbers}", "asking_message_ids": [f"m{self._numbers}"],
        } | values  # fmt: skip
        self.put("evaluated.waits", **row)
        return str(row["wait_id"])

    def session(self, week: str, manager: str | None = ANNA, **values: Any) -> str:
        """An ended and judged session; returns its id."""
        self._numbers += 1
        chat = values.pop("chat", f"shop:c{self._numbers}")
        judged = {name: values.get(name) for name in ("asked_clarifying", "made_offer")}
        if any(judged.values()) or False in judged.values():
            # both are judged where the customer wanted to buy, and only there
            judged = {name: bool(value) for name, value in judged.items()}
        row = {
            "session_id": f"{chat}:s", "conversation_id": chat, "channel_id": WHATSAPP, "connection_id": "shop",
            "manager_id": manager, "ended_week": week, "ended_at": moment(week), "definition_version": 1,
            "lexicon_hash": "words-1", "policy_hash": self.policy.hash,
            "has_intent": judged["made_offer"] is not None, "human_replies": 2,
            "intent_message_ids": ["i"] if judged["made_offer"] is not None else [],
            "clarifying_message_ids": ["q"] if judged["asked_clarifying"] else [],
            "offer_message_ids": ["o"] if judged["made_offer"] else [],
            "next_step_message_ids": ["n"] if values.get("has_next_step") is not None else [],
            "is_good_customer": values.get("is_good"), "good_score_at_least": 80,
        } | values | judged  # fmt: skip
        self.put("evaluated.behaviour", **row)
        self.put("evaluated.sessions", **{name: row[name] for name in ("session_id", "conversation_id", "channel_id")},
                 ended_week=week, ended_at=moment(week), last_message_id="last", definition_version=1)  # fmt: skip
        return str(row["session_id"])

    def score(self, week: str, manager: str | None = ANNA, given: int | str = 10, **values: Any) -> str:
        """A session's scorecard by a model with one criterion of 0 to 10, ``greeting``; returns the session's id."""
        self._numbers += 1
        subject = values.pop("subject", f"shop:c{self._numbers}:s")
        rows = values.pop("rows", None) or talks.marks_of({"greeting": (1, 10, given)})
        values = {"manager_id": manager, "channel_id": WHATSAPP, "happened_week": week, "happened_at": moment(week),
                  "happened_on": moment(week).date()} | values  # fmt: skip
        talks.card(self.put, subject, rows, **values)
        return str(subject)

    def change_rules(self, policy: Policy) -> None:
        """Another policy, and everything loaded again: all is judged by it."""
        self.policy = policy
        for table in ("waits", "behaviour"):
            self.owner.execute(f"update evaluated.{table} set policy_hash = %s", [policy.hash])

    def publish(self, *weeks: str) -> Built:
        """Publish weeks, every check passed."""
        with publishing(self.publisher):
            built = self.built(*weeks)
            assert not built.failed, built.failed
            swap(self.publisher, weeks)
        return built

    def built(self, *weeks: str) -> Built:
        """Only build and test them."""
        self._play_dbt(weeks)
        return build(self.publisher, weeks, self.policy, self.at)

    def rows(self, mart: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a published mart, in the order of its key."""
        conditions = " and ".join(f"{name} = %({name})s" for name in where) or "true"
        key = next(", ".join(one.key) for one in marts() if one.name == mart)
        with self.publisher.connect() as connection:
            cursor = connection.execute(f"select * from marts.{mart} where {conditions} order by {key}", where)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, mart: str, **where: Any) -> dict[str, Any]:
        (found,) = self.rows(mart, **where)
        return found

    def _play_dbt(self, weeks: Sequence[str]) -> None:
        with self.publisher.connect() as connection:
            people = dict(connection.execute("select manager_id, person_id from reference.people").fetchall())
            cursor = connection.execute("select * from evaluated.waits where settled_week = any(%s)", [list(weeks)])
            names = [column.name for column in cursor.description or ()]
            waits = [dict(zip(names, row, strict=True)) for row in cursor]
            cursor = connection.execute("select * from evaluated.behaviour where ended_week = any(%s)", [list(weeks)])
            names = [column.name for column in cursor.description or ()]
            sessions = [dict(zip(names, row, strict=True)) for row in cursor]
            cards, gates = self._cards(connection, weeks)
            talks.say_good(sessions, cards, gates)
            for mart in marts("week"):
                if mart.by == "dbt":
                    _create(connection, mart)
            for week in weeks:
                for channel in (WHATSAPP, TELEGRAM):
                    share = self.complete.get((week, channel), 1.0)
                    _insert(connection, "data_status", {
                        "week": week, "channel_id": channel, "connection_id": "shop", "completeness_share": share,
                        "status": "incomplete" if share is None else "ok",
                    })  # fmt: skip
                    here = (week, channel)
                    of_waits = [one for one in waits if (one["settled_week"], one["channel_id"]) == here]
                    of_sessions = [one for one in sessions if (one["ended_week"], one["channel_id"]) == here]
                    subject = {"channel_id": channel}
                    of_cards = [one for one in cards if (one[0]["happened_week"], one[0]["channel_id"]) == here]
                    scores = talks.figures(of_cards, gates)
                    self._figures(connection, week, "channel_week", subject | scores, "", of_waits, of_sessions)
                mine: dict[str, tuple[list[Any], list[Any], list[Any]]] = defaultdict(lambda: ([], [], []))
                for wait in waits:
                    if wait["settled_week"] == week:
                        owner = wait["owner_manager_id"]
                        mine[people.get(owner, owner) or "none"][0].append(wait)
                for session in sessions:
                    if session["ended_week"] == week:
                        owner = session["manager_id"]
                        mine[people.get(owner, owner) or "none"][1].append(session)
                for one in cards:
                    if one[0]["happened_week"] == week:
                        owner = one[0]["manager_id"]
                        mine[people.get(owner, owner) or "none"][2].append(one)
                for key, (*cases, of_cards) in mine.items():
                    subject = {"manager_key": key, "manager_id": None if key == "none" else key, "manager_name": key}
                    subject |= talks.figures(of_cards, gates)
                    self._figures(connection, week, "manager_week", subject, "manager_", *cases)

    def _cards(self, connection: Any, weeks: Sequence[str]) -> tuple[list[Any], dict[str, str]]:
        """The current scorecards with their criteria, and the gates by criterion."""
        told = connection.cursor(row_factory=dict_row)
        cards = told.execute(
            "select * from evaluated.scorecards where is_current and happened_week = any(%s)", [list(weeks)]
        ).fetchall()
        rows = told.execute("select * from evaluated.scorecard_criteria").fetchall()
        gates = dict(connection.execute("select criterion, state from reference.criterion_gates").fetchall())
        return [(one, [row for row in rows if row["scorecard_id"] == one["scorecard_id"]]) for one in cards], gates

    def _figures(
        self, connection: Any, week: str, mart: str, subject: Mapping[str, Any], view: str,
        waits: Sequence[Mapping[str, Any]], sessions: Sequence[Mapping[str, Any]],
    ) -> None:  # fmt: skip
        outcome = "outcome_manager" if view else "outcome"
        told = [wait[outcome] for wait in waits if wait["wait_kind"] == "message"]
        calls = [wait[outcome] for wait in waits if wait["wait_kind"] == "missed_call"]
        row: dict[str, Any] = {"week": week, "definition_version": 1, **subject}
        if mart == "channel_week":
            row |= {"channel_kind": "whatsapp" if subject["channel_id"] == WHATSAPP else "telegram"}
        row |= {name: told.count(name) for name in ("in_target", "slow_reply")}
        row["unanswered"] = told.count("no_reply") + told.count("window_expired")
        row["waits_settled"] = row["in_target"] + row["slow_reply"] + row["unanswered"]
        answered = [wait for wait in waits if wait["wait_kind"] == "message"
                    and wait[outcome] in ("in_target", "slow_reply")]  # fmt: skip
        firsts = [wait for wait in answered if wait["is_first_reply"]]
        row |= {"answered": len(answered), "first_replies": len(firsts)}
        for name, group in (("reply", answered), ("first_reply", firsts)):
            for clock in ("seconds", "business_seconds"):
                values = [wait[f"{view}wait_{clock}"] for wait in group if wait[f"{view}wait_{clock}"] is not None]
                row[f"{name}_p50_{clock}"] = percentile(values, 0.5)
        row["missed_calls_settled"] = len([call for call in calls if call != "not_required"])
        row["missed_calls_in_target"] = calls.count("in_target")
        row["sessions_judged"] = len(sessions)
        row["sessions_with_intent"] = sum(one["has_intent"] for one in sessions)
        for name in ("asked_clarifying", "made_offer", "has_next_step"):
            row[name] = sum(bool(one[name]) for one in sessions)
        steps = [one["has_next_step"] for one in sessions if one["has_next_step"] is not None]
        row |= {"next_step_judged": len(steps), "no_next_step": steps.count(False)}
        good = "is_good" if mart == "manager_week" else "is_good_customer"
        judged = [one[good] for one in sessions if one[good] is not None]
        row |= {"good_judged": len(judged), "good": judged.count(True)}
        for share, hits, n in _SHARES:
            row[share] = row[hits] / row[n] if row[n] else None
        _insert(connection, mart, row)


_SHARES = (
    ("in_target_share", "in_target", "waits_settled"),
    ("slow_reply_share", "slow_reply", "waits_settled"),
    ("no_reply_share", "unanswered", "waits_settled"),
    ("missed_calls_in_target_share", "missed_calls_in_target", "missed_calls_settled"),
    ("asked_clarifying_share", "asked_clarifying", "sessions_with_intent"),
    ("made_offer_share", "made_offer", "sessions_with_intent"),
    ("has_next_step_share", "has_next_step", "next_step_judged"),
    ("no_next_step_share", "no_next_step", "next_step_judged"),
    ("good_share", "good", "good_judged"),
)


def moment(week: str) -> datetime:
    """Wednesday noon of an ISO week."""
    year, number = week.split("-W")
    return datetime.combine(date.fromisocalendar(int(year), int(number), 3), time(12), UTC)


def _create(connection: Any, mart: Mart) -> None:
    columns = ", ".join(
        f"{column.name} {column.kind}{'' if column.is_nullable else ' not null'}" for column in mart.columns
    )
    connection.execute(f"drop table if exists marts_next.{mart.name}")
    connection.execute(f"create table marts_next.{mart.name} ({columns}, primary key ({', '.join(mart.key)}))")


def _insert(connection: Any, name: str, row: Mapping[str, Any]) -> None:
    mart = next(one for one in marts() if one.name == name)
    empty = {"text": "", "bigint": 0, "integer": 0, "boolean": False, "date": date(2026, 1, 1)}
    values = {
        column.name: row.get(column.name, None if column.is_nullable else empty[column.kind]) for column in mart.columns
    }
    places = ", ".join(f"%({name})s" for name in values)
    connection.execute(f"insert into marts_next.{mart.name} ({', '.join(values)}) values ({places})", values)
