"""What was asked of ``otklik explain``: the week or day, the person or channel, the figure, found by what people type.

Here: keys and names to what is there, what is said where something is missing, titles that all answers share. Not here:
the answers (``explain`` and the other ``explain_*``), how they are drawn (``explain_lists``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from conversations.messages import Explain, channel_title, day, week_title
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from orchestration.cli.explain_lists import Drawing
    from resources.warehouse.evidence import Mart, Subject

_MOST_NAMED = 12


class Options(NamedTuple):
    """How the answer is wanted."""

    revision: int | None
    as_csv: bool
    as_json: bool
    texts: bool
    sql: bool


def asked(drawing: Drawing, mart: Mart, keys: list[str]) -> tuple[str | None, Subject | None, str | None]:
    """The week or day, the subject and the figure that were named; what is missing is answered by a list.

    Raises:
        CliError: what was named is not there.
    """
    from resources.warehouse import evidence as of

    if len(keys) > 3:
        raise CliError(Explain.TOO_MANY_KEYS.format(" ".join(keys[3:])), EXIT_USAGE)
    if not of.there(drawing.connection, mart.name) or not (periods := of.periods(drawing.connection, mart)):
        raise CliError(f"{mart.name}: {Explain.NONE_PUBLISHED}")
    if not keys:
        tell(drawing, Explain.PERIODS.format(mart.name, listed(periods)), {"mart": mart.name, "periods": periods})
        return None, None, None
    key = period_of(mart, keys[0], periods)
    subjects = of.subjects(drawing.connection, mart, key)
    if len(keys) < 2:
        named = [subject_title(subject) for subject in subjects]
        tell(
            drawing,
            Explain.SUBJECTS.format("; ".join(named)),
            {"mart": mart.name, "period": key, "subjects": [subject._asdict() for subject in subjects]},
        )
        return key, None, None
    return key, found_in(subjects, keys[1], f"{mart.name} {key}"), keys[2] if len(keys) > 2 else None


def period_of(mart: Mart, said: str, periods: Sequence[str]) -> str:
    """The week or day that was meant: a week by its key or any of its days, a day by its date.

    Raises:
        CliError: it was not published, or is no week and no day.
    """
    from conversations.window import iso_week

    key = said.upper() if mart.period == "week" else said
    try:
        of_day = date.fromisoformat(said)
        key = iso_week(of_day) if mart.period == "week" else of_day.isoformat()
    except ValueError:
        pass
    if key not in periods:
        raise CliError(Explain.NO_PERIOD.format(mart.name, said, listed(periods)), EXIT_USAGE)
    return key


def found_in(subjects: Sequence[Subject], said: str, where: str) -> Subject:
    """The person or channel that was meant: by key, name, kind of channel, or a part of the name that only one has.

    Raises:
        CliError: nobody fits, or several do.
    """
    wanted = folded(said)
    fits: tuple[Callable[[Subject], bool], ...] = (
        lambda one: one.key == said,
        lambda one: wanted in (folded(one.name), folded(one.key)),
        lambda one: bool(one.kind) and wanted in (folded(one.kind), folded(channel_title(one.kind, one.name))),
        lambda one: folded(one.name).startswith(wanted),
        lambda one: wanted in folded(one.name),
    )
    for fit in fits:
        found = [subject for subject in subjects if fit(subject)]
        if len(found) == 1:
            return found[0]
        if found:
            named = "; ".join(f"{subject_title(one)} ({one.key})" for one in found)
            raise CliError(Explain.MANY_SUBJECTS.format(said, named), EXIT_USAGE)
    raise CliError(Explain.NO_SUBJECT.format(where, said, listed([subject.name for subject in subjects])), EXIT_USAGE)


def chosen(said: str, names: Sequence[str]) -> str:
    """The figure that was meant: by its column, its name here, or its heading in the sheet.

    Raises:
        CliError: there is none.
    """
    if said in names:
        return said
    wanted = folded(said)
    titled = [name for name in names if wanted in (folded(Explain.figure(name)[0]), folded(name))]
    if not titled:
        headed = headings()
        titled = [name for name in names if wanted in headed.get(name, ())]
    # one name may be that of a count and of its share: the share is what people read
    for name in sorted(titled, key=lambda name: not name.endswith("_share")):
        return name
    raise CliError(Explain.NO_FIGURE.format(said, ", ".join(names)), EXIT_USAGE)


def headings() -> dict[str, set[str]]:
    """The headings under which the summaries show each column, folded for comparison."""
    from assets.exports import frames

    shown: dict[str, set[str]] = {}
    for tab in (frames.MANAGERS, frames.CHANNELS):
        for made in frames.columns_of(tab, has_talks=True):
            shown.setdefault(made.source, set()).add(folded(made.column.name))
    return shown


def tell(drawing: Drawing, text: str, facts: dict[str, Any]) -> None:
    """Say what there is, to people or to a machine."""
    drawing.say(text)
    if drawing.as_json:
        drawing.told.append(facts)
    elif drawing.as_csv and "subjects" in facts:
        drawing.csv(
            ("key", "name", "kind"), ([one[name] for name in ("key", "name", "kind")] for one in facts["subjects"])
        )
    elif drawing.as_csv:
        drawing.csv(("period",), ([one] for one in facts["periods"]))


def print_query(query: str | None) -> None:
    """Print a query for a BI tool.

    Raises:
        CliError: the marts alone do not hold the list.
    """
    if query is None:
        raise CliError(Explain.NO_SQL)
    print(f"{query.strip()};")


def subject_title(subject: Subject) -> str:
    """A person's name, or a channel with its kind."""
    return channel_title(subject.kind, subject.name) if subject.kind else subject.name


def period_title(key: str) -> str:
    """A week with its days, or a day.

    >>> period_title("2026-W46"), period_title("2026-11-09")
    ('2026-W46 (09.11–15.11)', '09.11.2026')
    """
    from conversations.window import monday_of

    return week_title(key, monday_of(key)) if "W" in key else day(date.fromisoformat(key))


def week_of(row: dict[str, Any]) -> str:
    """The week that a row of a week or a day belongs to."""
    from conversations.window import iso_week

    return str(row.get("week") or iso_week(row["business_on"]))


def listed(names: Sequence[str]) -> str:
    """Names in a row, the end left out where there are many."""
    return ", ".join([*names[:_MOST_NAMED], *(["…"] if len(names) > _MOST_NAMED else [])])


def folded(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").replace("_", " ").split())
