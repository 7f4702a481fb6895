"""``otklik explain``: from a number of a mart, a sheet or the digest to the waits, sessions and messages behind it.

Here: which mart was asked for, and what is said about the number. Not here: finding the week or day, the person or
channel, the figure (``explain_asked``), the lists (``resources.warehouse.evidence``), how they are drawn
(``explain_lists``), marts that are lists or comparisons themselves (``explain_weekly``), judged calls and money
(``explain_talks``). What is not named is answered by what there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from conversations.messages import Explain, Words
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError
from orchestration.cli.explain_asked import (
    Options,
    asked,
    chosen,
    period_title,
    print_query,
    subject_title,
    week_of,
)

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
