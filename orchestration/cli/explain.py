"""``otklik explain``: from a number of a mart, a sheet or the digest to the waits, sessions and messages behind it.

Here: what was asked for (mart, week or day, person or channel, figure), and what is said about the number. Not here:
the lists (``resources.warehouse.evidence``), how they are drawn (``explain_lists``), marts that are lists or
comparisons themselves (``explain_weekly``), judged calls and money (``explain_talks``). What is not named is answered
by what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from conversations.messages import Explain, Words, channel_title, day, week_title
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from orchestration.cli.explain_lists import Drawing
    from resources.warehouse.evidence import Mart, Subject

TABS = {
    "manager_summary": "manager_week",
    "manager_report": "manager_week",
    "channel_summary": "channel_week",
    "weekly_behavior_delta_managers": "manager_week_delta",
    "weekly_digest_managers": "manager_week_delta",
    "weekly_digest_channels": "channel_week_delta",
    "behavior_snapshot_managers": "behavior_snapshot",
    "week_revisions": "revision",
    "weekly_trend": "digest",
    "calls_and_chats": "manager_week",
}
"""The tabs of the spreadsheet, and the mart that each shows."""
FIGURES = ("manager_week", "channel_week", "manager_day", "channel_day")
WEEKLY = (
    "manager_week_delta", "channel_week_delta", "behavior_snapshot", "weekly_examples", "chat_advice", "revision",
)  # fmt: skip
TALKS = ("call_results", "llm_spend_day")
DIGEST, STATUS = "digest", "data_status"
_MOST_NAMED = 12


class Options(NamedTuple):
    """How the answer is wanted."""

    revision: int | None
    as_csv: bool
    as_json: bool
    texts: bool
    sql: bool


def explain(mart: str, keys: Sequence[str], options: Options) -> None:
    """Print where a number comes from.

    Raises:
        CliError: what was asked for is not there; the text says what is.
    """
    from conversations.policy import Policy
    from orchestration.cli.explain_lists import Drawing
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse
    from resources.warehouse.roles import Role

    name = TABS.get(mart, mart)
    known = (*FIGURES, *WEEKLY, *TALKS, DIGEST, STATUS)
    if name not in known:
        raise CliError(Explain.NO_MART.format(mart, ", ".join(known)), EXIT_USAGE)
    settings = Settings()
    policy = Policy.load(settings.policy_path)
    with Warehouse.open(settings, Role.PUBLISHER) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect("otklik explain") as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            drawing = Drawing(warehouse, connection, policy, options.as_csv, options.as_json, options.texts)
            if name in FIGURES:
                _figure(drawing, name, list(keys), options)
            elif name == DIGEST:
                from orchestration.cli import explain_digest

                explain_digest.show(drawing, list(keys), options)
            elif name == STATUS:
                from orchestration.cli import explain_status

                explain_status.show(drawing, list(keys))
            elif name in TALKS:
                from orchestration.cli import explain_talks

                explain_talks.show(drawing, name, keys)
            else:
                from orchestration.cli import explain_weekly

                explain_weekly.show(drawing, name, list(keys), options)
            drawing.finish()


def _figure(drawing: Drawing, name: str, keys: list[str], options: Options) -> None:
    from resources.warehouse import evidence as of

    mart = of.MARTS[name]
    key, subject, figure_name = asked(drawing, mart, keys)
    if key is None or subject is None:
        return
    row = of.row_of(drawing.connection, mart, key, subject.key)
    figures = {figure.name: figure for figure in of.figures_of(mart, row)}
    if figure_name is None:
        _list_figures(drawing, mart, key, subject, row, figures)
        return
    figure = figures[chosen(figure_name, list(figures))]
    span = of.Span(
        key,
        mart.period,
        drawing.policy.time_zone,
        drawing.policy.early_delete_seconds,
        drawing.policy.telephony.short_call_seconds,
    )
    revision = of.latest_revision(drawing.connection, key) if mart.period == "week" else None
    if options.sql:
        print_query(of.for_analysts(mart.view, figure, span, subject.key, revision))
        return
    found = of.evidence(drawing.connection, mart.view, figure, span, subject.key, row[figure.name], revision)
    title, formula = Explain.figure(figure.name)
    drawing.say(f"{subject_title(subject)}, {period_title(key)}", style="bold")
    drawing.say(f"{title}: {Explain.value(figure.kind, found.shown, found.hits, found.n)}")
    drawing.say(Explain.COUNTED.format(formula))
    if figure.source == "waits":
        drawing.say(Explain.MANAGER_VIEW if mart.view == "manager" else Explain.CHANNEL_VIEW)
    drawing.say(_trust(drawing, row, revision))
    drawing.say(Explain.list_of(found.n, found.hits))
    if found.is_equal:
        drawing.say(Explain.EQUAL + (f" {Explain.KEPT}" if found.revision is not None else ""))
    else:
        drawing.say(
            Explain.CHANGED.format(Explain.value(figure.kind, found.counted, found.hits, found.n), week_of(row)),
            style="yellow",
        )
    facts = {
        "mart": mart.name,
        "period": key,
        "subject_key": subject.key,
        "subject": subject.name,
        "as_of": row["as_of"],
        "definition_version": row["definition_version"],
        "revision": revision,
        "formula": formula,
    }
    drawing.evidence(facts, found, mart.view)


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
    wanted = _folded(said)
    fits: tuple[Callable[[Subject], bool], ...] = (
        lambda one: one.key == said,
        lambda one: wanted in (_folded(one.name), _folded(one.key)),
        lambda one: bool(one.kind) and wanted in (_folded(one.kind), _folded(channel_title(one.kind, one.name))),
        lambda one: _folded(one.name).startswith(wanted),
        lambda one: wanted in _folded(one.name),
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
    wanted = _folded(said)
    titled = [name for name in names if wanted in (_folded(Explain.figure(name)[0]), _folded(name))]
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
            shown.setdefault(made.source, set()).add(_folded(made.column.name))
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


def _list_figures(
    drawing: Drawing, mart: Mart, key: str, subject: Subject, row: dict[str, Any], figures: dict[str, Any]
) -> None:
    drawing.say(f"{subject_title(subject)}, {period_title(key)}", style="bold")
    drawing.say(_trust(drawing, row, None))
    values = [
        (Explain.figure(name)[0], name, Explain.short(figure.kind, row[name])) for name, figure in figures.items()
    ]
    if drawing.is_for_people:
        screen.show(screen.table(Explain.FIGURES_TITLE, Explain.FIGURE_COLUMNS, values))
        screen.note(Explain.ASK.format(mart.name, key, f'"{subject.name}"'))
    elif drawing.as_csv:
        drawing.csv(("figure", "value"), ((name, row[name]) for name in figures))
    else:
        drawing.told.append({"mart": mart.name, "period": key, **{name: row[name] for name in row}})


def _trust(drawing: Drawing, row: dict[str, Any], revision: int | None) -> str:
    parts = [drawing.as_of(row)]
    if revision is not None:
        parts.append(Explain.REVISION.format(revision))
    parts.append(Explain.DATA.format(Words.STATUSES.get(row["data_status"], row["data_status"])))
    return " ".join(parts)


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").replace("_", " ").split())
