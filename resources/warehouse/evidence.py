"""From a number of the marts to the cases and messages behind it, for a person who asks where it comes from.

Here: rows of the marts by week or day and subject, the cases that a figure counts. Not here: what a figure counts
(``evidence_figures``), where cases are read (``evidence_sources``), the messages of the cases (``evidence_messages``),
what is printed (``orchestration.cli.explain``). Functions take a session of the publisher and write nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from conversations.window import Window
from resources.warehouse.evidence_figures import FIGURES, NO_FIGURES, Figure, View
from resources.warehouse.evidence_sources import CONDITIONS, LIVE, PUBLISHED, TABLES, Period

_TOLERANCE = 1e-6
"""Shares are stored with six decimals, percentiles as floating point."""


class Mart(NamedTuple):
    """A table of one row per subject and period."""

    name: str
    view: View
    period: Period

    @property
    def subject(self) -> str:
        """The column that says whose row it is."""
        return "manager_key" if self.view == "manager" else "channel_id"

    @property
    def at(self) -> str:
        """The column that says of when it is."""
        return "week" if self.period == "week" else "business_on"


MARTS = {
    mart.name: mart
    for mart in (
        Mart("manager_week", "manager", "week"),
        Mart("channel_week", "channel", "week"),
        Mart("manager_day", "manager", "day"),
        Mart("channel_day", "channel", "day"),
    )
}
"""The marts whose numbers lead back to cases."""


class Subject(NamedTuple):
    """A person or a channel account."""

    key: str
    name: str
    kind: str = ""
    """Of a channel: whatsapp, instagram ..."""


@dataclass(frozen=True)
class Span:
    """A week or a day as the sources of cases need it."""

    key: str
    """2026-W46 or 2026-11-09."""
    kind: Period
    time_zone: str
    early_delete_seconds: int
    short_call_seconds: int = 20

    @property
    def window(self) -> Window:
        """From its first to its last instant."""
        if self.kind == "week":
            return Window.of_week(self.key, self.time_zone)
        return Window.of_day(date.fromisoformat(self.key), self.time_zone)

    @property
    def days(self) -> tuple[date, date]:
        """First and last local day."""
        days = list(self.window.days(self.time_zone))
        return days[0], days[-1]

    def parameters(self) -> dict[str, Any]:
        """What the queries of ``evidence_sources`` are given."""
        first, last = self.days
        return {
            "week": self.key,
            "first": first,
            "last": last,
            "start": self.window.start,
            "end": self.window.end,
            "early_delete_seconds": self.early_delete_seconds,
            "short": self.short_call_seconds,
        }


@dataclass(frozen=True)
class Case:
    """One thing that a figure counts: a wait, a session, a chat, a message."""

    case_id: str
    is_hit: bool
    """Whether it is in the numerator of a share; of other figures every case is."""
    at: datetime
    """When the wait opened, the session ended, the message was sent."""
    until: datetime | None
    """When the wait was settled: answered, or given up."""
    conversation_id: str
    session_id: str | None
    channel_id: str
    manager_key: str | None
    what: str | None
    """Outcome of a wait in the view of the table; why a next step was not judged; who sent a message."""
    business_seconds: int | None
    seconds: int | None
    message_ids: tuple[str, ...]
    """The messages to look at, in the order of the figure's evidence; the most telling one is ``telling``."""
    telling: str | None
    why: tuple[str, ...] = ()
    """Of a session that is not good: why not."""
    value: float | None = None
    """What a score or a sum is made of; other figures have none."""


@dataclass(frozen=True)
class Evidence:
    """A number and the list that it is made of."""

    figure: Figure
    shown: float | int | None
    """The number as the mart has it: a share from 0 to 1, seconds, a count; None: nothing was eligible."""
    cases: Sequence[Case]
    revision: int | None
    """Of the published week that the list was kept with; None: as everything is judged now."""

    @property
    def n(self) -> int:
        """How many cases were eligible."""
        return len(self.cases)

    @property
    def hits(self) -> int:
        """How many of them count."""
        return sum(case.is_hit for case in self.cases)

    @property
    def counted(self) -> float | int | None:
        """The number as it follows from the list."""
        return counted(self.figure, self.cases)

    @property
    def is_equal(self) -> bool:
        """Whether the list adds up to the number."""
        return is_equal(self.shown, self.counted)


def is_equal(shown: float | None, found: float | None) -> bool:
    """Whether two figures are one, but for the decimals that a mart does not keep."""
    if shown is None or found is None:
        return shown is found
    return abs(float(shown) - float(found)) <= _TOLERANCE


def counted(figure: Figure, cases: Sequence[Case]) -> float | int | None:
    """The number that follows from a list of cases.

    >>> counted(FIGURES["manager"]["no_reply_share"], []) is None
    True
    """
    if figure.kind == "count":
        return len(cases)
    if figure.kind == "sum":
        return sum(int(case.value or 0) for case in cases)
    if not cases:
        return None
    if figure.kind == "score":
        return sum(case.value or 0 for case in cases) / len(cases)
    if figure.kind == "share":
        return sum(case.is_hit for case in cases) / len(cases)
    return percentile([_value(figure, case) for case in cases], figure.percent)


def percentile(values: Iterable[float], percent: int) -> float:
    """Linear interpolation between the two nearest values (contract, section 6).

    >>> percentile([2, 3, 4, 5, 6, 8, 12, 15, 40, 95], 50), percentile([2, 3, 4, 5, 6, 8, 12, 15, 40, 95], 90)
    (7.0, 45.5)
    """
    ordered = sorted(values)
    place, rest = divmod((len(ordered) - 1) * percent, 100)
    if not rest:
        return float(ordered[place])
    return ordered[place] + (ordered[place + 1] - ordered[place]) * rest / 100


def _value(figure: Figure, case: Case) -> float:
    value = case.business_seconds if "business" in str(figure.value) else case.seconds
    if value is None:
        raise ValueError(f"{case.case_id} has no value for {figure.name}")
    return value


# --- rows of the marts ------------------------------------------------------------------------------------------------


def there(connection: psycopg.Connection[Any], mart: str) -> bool:
    """Whether the mart was ever published."""
    return connection.execute("select to_regclass(%s) is not null", [f"marts.{mart}"]).fetchone() == (True,)


def periods(connection: psycopg.Connection[Any], mart: Mart) -> list[str]:
    """The published weeks or days, newest first."""
    statement = sql.SQL("select distinct {at}::text from {mart} order by 1 desc").format(
        at=sql.Identifier(mart.at), mart=sql.Identifier("marts", mart.name)
    )
    return [row[0] for row in connection.execute(statement)]


def subjects(connection: psycopg.Connection[Any], mart: Mart, key: str) -> list[Subject]:
    """Whose rows there are of a week or day, by name."""
    name = "manager_name" if mart.view == "manager" else "channel_name"
    # the status of a channel's data does not repeat its kind
    has_kind = mart.view == "channel" and mart.name != "data_status"
    kind = sql.Identifier("channel_kind") if has_kind else sql.SQL("''")
    statement = sql.SQL("select distinct {key}, {name}, {kind} from {mart} where {at}::text = %s order by 2, 1").format(
        key=sql.Identifier(mart.subject), name=sql.Identifier(name), kind=kind,
        mart=sql.Identifier("marts", mart.name), at=sql.Identifier(mart.at),
    )  # fmt: skip
    return [Subject(*row) for row in connection.execute(statement, [key])]


def rows_of(connection: psycopg.Connection[Any], mart: str, **keys: Any) -> list[dict[str, Any]]:
    """The rows of a mart that have these values in these columns; a value of None is no condition."""
    given = {name: value for name, value in keys.items() if value is not None}
    wanted = [sql.SQL("{}::text = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in given]
    statement = sql.SQL("select * from {mart} where {wanted}").format(
        mart=sql.Identifier("marts", mart), wanted=sql.SQL(" and ").join([sql.SQL("true"), *wanted])
    )
    parameters = {name: str(value) for name, value in given.items()}
    return connection.cursor(row_factory=dict_row).execute(statement, parameters).fetchall()


def row_of(connection: psycopg.Connection[Any], mart: Mart, key: str, subject: str) -> dict[str, Any]:
    """One row of a mart.

    Raises:
        LookupError: there is none.
    """
    found = rows_of(connection, mart.name, **{mart.at: key, mart.subject: subject})
    if not found:
        raise LookupError(f"{mart.name} has no row of {subject} in {key}")
    return found[0]


def figures_of(mart: Mart, row: Mapping[str, Any]) -> list[Figure]:
    """The figures of a row, in the order of its columns.

    Raises:
        LookupError: a column is no figure that can be explained, and is not known to be none.
    """
    known = FIGURES[mart.view]
    unknown = [name for name in row if name not in known and name not in NO_FIGURES]
    if unknown:
        raise LookupError(f"{mart.name}: nobody has said what {', '.join(unknown)} count")
    return [known[name] for name in row if name in known]


def latest_revision(connection: psycopg.Connection[Any], week: str) -> int | None:
    """The newest revision of a published week; None: published before revisions were kept."""
    if not there(connection, "week_revisions"):
        return None
    found = connection.execute("select max(revision) from marts.week_revisions where week = %s", [week]).fetchone()
    return found[0] if found else None


# --- cases ------------------------------------------------------------------------------------------------------------


def evidence(
    connection: psycopg.Connection[Any],
    view: View,
    figure: Figure,
    span: Span,
    subject: str,
    shown: float | int | None,
    revision: int | None,
) -> Evidence:
    """The number with its list: the list that was kept with the revision, else the one of today.

    A revision is only written when a figure with a delta changed, so a figure without one may follow later cases: then
    the list that adds up is the one that is given.
    """
    kept = None
    if revision is not None and figure.source in PUBLISHED and there(connection, TABLES[figure.source]):
        kept = Evidence(figure, shown, cases(connection, view, figure, span, subject, revision), revision)
        if kept.is_equal:
            return kept
    now = Evidence(figure, shown, cases(connection, view, figure, span, subject), None)
    return now if kept is None or now.is_equal else kept


def cases(
    connection: psycopg.Connection[Any],
    view: View,
    figure: Figure,
    span: Span,
    subject: str,
    revision: int | None = None,
) -> list[Case]:
    """The eligible cases of a figure: hits first, then by time; those of a percentile by their value."""
    parameters = {**span.parameters(), "subject": subject, "revision": revision}
    statement = query(view, figure, span.kind, is_published=revision is not None)
    found = connection.cursor(row_factory=dict_row).execute(statement, parameters)  # type: ignore[arg-type]
    read = [_case(view, figure, row) for row in found]
    if figure.kind == "percentile":
        return sorted(read, key=lambda case: (_value(figure, case), case.case_id))
    return sorted(read, key=lambda case: (not case.is_hit, case.at, case.case_id))


def query(view: View, figure: Figure, period: Period, *, is_published: bool) -> str:
    """The statement that lists the cases, with psycopg's named parameters."""
    source = PUBLISHED[figure.source] if is_published else LIVE[figure.source].format(**CONDITIONS[period])
    subject = "manager_key" if view == "manager" else "channel_id"
    return (
        f"select c.*, coalesce({figure.hit or 'true'}, false) as is_hit\nfrom ({source}) as c\n"
        f"where c.{subject} = %(subject)s and ({figure.eligible})\norder by c.at, c.case_id"
    )


def for_analysts(view: View, figure: Figure, span: Span, subject: str, revision: int | None) -> str | None:
    """The same query for a BI tool, values filled in; None where it needs more than the marts."""
    if revision is None or figure.source not in PUBLISHED:
        return None
    statement = query(view, figure, span.kind, is_published=True)
    values = {"week": span.key, "revision": revision, "subject": subject}
    return re.sub(r"%\((\w+)\)s", lambda found: sql.Literal(values[found[1]]).as_string(None), statement)


def _case(view: View, figure: Figure, row: Mapping[str, Any]) -> Case:
    by_manager = view == "manager"
    ids = [one for column in figure.evidence for one in row[column] or ()]
    telling = [row[column][0] for column in figure.evidence if row[column]]
    return Case(
        case_id=row["case_id"],
        is_hit=row["is_hit"],
        at=row["at"],
        until=row.get("settled_at"),
        conversation_id=row["conversation_id"],
        session_id=row["session_id"],
        channel_id=row["channel_id"],
        manager_key=row["manager_key"],
        what=row.get("outcome_manager" if by_manager else "outcome")
        or row.get("next_step_not_judged")
        or row.get("sender_kind"),
        business_seconds=row.get("manager_wait_business_seconds" if by_manager else "wait_business_seconds"),
        seconds=_first(
            row.get("manager_wait_seconds" if by_manager else "wait_seconds"),
            row.get("pending_seconds"),
            row.get("held_seconds"),
            row.get("talk_seconds"),
        ),
        message_ids=tuple(dict.fromkeys(ids)),
        telling=(telling[0] if figure.source in ("waits", "pending", "left_waiting") else telling[-1])
        if telling
        else None,
        why=tuple(row.get("not_good" if by_manager else "not_good_customer") or ()),
        value=float(row[figure.value]) if figure.kind in ("score", "sum") and figure.value is not None else None,
    )


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
