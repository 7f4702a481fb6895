"""Monday's digest as a report: the same facts for e-mail and printing, with a row for every manager and channel.

Here: which sections there are, and every cell as the text that is shown. Not here: what is told first
(``conversations.digest``), words (``conversations.messages.digest``), how it is drawn as a page or a PDF
(``resources.report``). Both show this one structure, so they cannot say different things.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from conversations.delta import DeltaStatus
from conversations.digest import Change, Digest, Figures
from conversations.messages import NONE, Changes, minutes, number, share, week_title
from conversations.messages.digest import (
    Digests,
    as_of,
    bounded,
    change_text,
    compared,
    condition_text,
    of_waits,
    points,
    target_note,
    unanswered_text,
)

Tone: TypeAlias = Literal["plain", "good", "bad", "muted"]
_TONES: dict[str, Tone] = {DeltaStatus.IMPROVED: "good", DeltaStatus.WORSENED: "bad"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and how it is meant."""

    text: str
    tone: Tone = "plain"
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """One large figure."""

    label: str
    value: str
    note: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal length under their headings; the last is a total where ``has_total``."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int]
    """Relative widths of the columns."""
    has_total: bool = True


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report, top to bottom."""

    title: str
    subtitle: str
    tiles: Sequence[Tile]
    changes_title: str
    changes: Sequence[Cell]
    caveats: Sequence[str]
    picture_title: str
    tables: Sequence[Table]
    notes_title: str
    notes: Sequence[str]
    link: str | None
    link_text: str


def report_of(digest: Digest) -> Report:
    """The report of a digest."""
    facts = digest.facts
    subtitle = f"{bounded(facts.organisation)} · {as_of(facts.as_of, facts.time_zone)}"
    if facts.revision > 1:
        subtitle += f" · {Digests.REVISION.format(facts.revision)}"
    return Report(
        Digests.REPORT.format(week_title(facts.week, facts.monday)),
        subtitle,
        _tiles(digest),
        Digests.MAIN,
        [_main(one) for one in digest.main] or [Cell(Digests.NO_MAIN, "muted")],
        [f"{Digests.CAUTION}: {condition_text(one)}" for one in digest.caveats],
        Digests.PICTURE_PEOPLE,
        [
            _table(Digests.MANAGERS, Digests.MANAGER, facts.managers, facts.changes, "manager", has_team=True),
            _table(Digests.CHANNELS, Digests.CHANNEL, facts.channels, facts.changes, "channel"),
        ],
        Digests.NOTES,
        [
            Digests.NOTE_N,
            target_note(*facts.targets),
            Digests.NOTE_NO_REPLY,
            Digests.NOTE_WAITING,
            Digests.NOTE_ARROWS,
            Digests.NOTE_VIEWS,
            Digests.NOTE_EXPLAIN,
        ],
        facts.link,
        Digests.LINK,
    )


def _tiles(digest: Digest) -> list[Tile]:
    total, company = digest.total, digest.facts.company
    waiting = ", ".join(f"{bounded(row.name)} {number(row.pending)}" for row in digest.waiting)
    unanswered = ", ".join(f"{bounded(row.name)} {unanswered_text(row)}" for row in digest.unanswered)
    return [
        Tile(
            f"{Digests.IN_TARGET}: {of_waits(total.in_target, total.settled)}",
            share(company.value),
            compared(company) if total.settled else Digests.NO_WAITS,
            _TONES.get(company.status, "plain"),
        ),
        Tile(
            f"{Digests.NO_REPLY}: {of_waits(total.unanswered, total.settled)}",
            share(total.unanswered / total.settled if total.settled else None),
            Digests.MOST.format(unanswered) if unanswered else "",
        ),
        Tile(Digests.WAITING, number(total.pending), Digests.MOST.format(waiting) if waiting else ""),
    ]


def _main(one: Change) -> Cell:
    return Cell(f"{bounded(one.name)}: {change_text(one)}", _TONES.get(one.status, "plain"))


def _table(
    title: str, subject: str, rows: Iterable[Figures], changes: Iterable[Change], kind: str, *, has_team: bool = False
) -> Table:
    known = {one.key: one for one in changes if one.subject_kind == kind and one.metric == "in_target_share"}
    headings = [subject, *([Digests.TEAM] if has_team else []), Digests.ANSWERED]
    headings += [f"{word}, %" for word in (Digests.IN_TARGET, Digests.SLOW, Digests.NO_REPLY)]
    headings += [f"{Digests.IN_TARGET}: {Digests.COMPARED}", Digests.MEDIAN, Digests.NEXT_STEP, Digests.PENDING]
    made = [_row(row, known.get(row.key), has_team=has_team) for row in rows]
    if made:
        made.append(_row(_sum(rows), None, has_team=has_team, is_total=True))
    widths = [24, *([10] if has_team else []), 11, 10, 10, 10, 27, 11, 13, 9]
    return Table(title, headings, made, widths, has_total=bool(made))


def _row(row: Figures, change: Change | None, *, has_team: bool, is_total: bool = False) -> list[Cell]:
    tone: Tone = "plain" if row.status == "ok" else "muted"
    judged = row.next_step_judged
    step = f"{share(row.has_next_step / judged)} ({number(judged)})" if judged else NONE
    return [
        Cell(bounded(row.name), tone),
        *([Cell(row.group or "", tone)] if has_team else []),
        Cell(number(row.settled), tone, is_number=True),
        *(_share(count, row.settled, tone) for count in (row.in_target, row.slow, row.unanswered)),
        Cell("") if is_total else _compared(change),
        Cell("" if is_total else minutes(row.reply_p50_business_seconds), tone, is_number=True),
        Cell(step, tone, is_number=True),
        Cell(number(row.pending), tone, is_number=True),
    ]


def _share(count: int, n: int, tone: Tone) -> Cell:
    return Cell(share(count / n if n else None).removesuffix(" %"), tone, is_number=True)


def _compared(change: Change | None) -> Cell:
    if change is None:
        return Cell(NONE, "muted")
    said = Changes.verdict(change.status, change.delta)
    if change.delta is not None and change.status in (DeltaStatus.IMPROVED, DeltaStatus.WORSENED):
        said += f" на {points(change.delta)}"
    return Cell(said, _TONES.get(change.status, "muted"))


def _sum(rows: Iterable[Figures]) -> Figures:
    """Counts add up, and shares follow from them; a median of medians is no median."""
    rows = list(rows)
    names = ("settled", "in_target", "slow", "unanswered", "pending", "answered")
    counts = {name: sum(getattr(row, name) for row in rows) for name in (*names, "next_step_judged", "has_next_step")}
    return Figures("", Digests.ALL, None, reply_p50_business_seconds=None, **counts)
