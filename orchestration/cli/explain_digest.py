"""``otklik explain digest``: from a number of the whole company to the waits and messages behind it.

Here: the company as the sum of its channels, as the digest counts it. Not here: what a figure counts and where its
cases are read (``resources.warehouse``), how the list is drawn (``explain_lists``). Lines of the digest that name a
manager or a channel lead to ``manager_week_delta`` and ``channel_week_delta``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conversations.messages import Digests, Explain
from orchestration.cli import explain_asked as explain
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from orchestration.cli.explain_asked import Options
    from orchestration.cli.explain_lists import Drawing
    from resources.warehouse.evidence import Evidence
    from resources.warehouse.evidence_figures import Figure

SHOWN = ("in_target_share", "no_reply_share", "pending_now")
"""The company's figures in the digest, in its order."""


def show(drawing: Drawing, keys: list[str], options: Options) -> None:
    """Print where a number of the digest comes from; without one, which there are.

    Raises:
        CliError: no such week or figure, or a figure that channels do not add up to.
    """
    from resources.warehouse import evidence as of

    mart = of.MARTS["channel_week"]
    if len(keys) > 2:
        raise CliError(Explain.TOO_MANY_KEYS.format(" ".join(keys[2:])), EXIT_USAGE)
    if not of.there(drawing.connection, mart.name) or not (weeks := of.periods(drawing.connection, mart)):
        raise CliError(f"{mart.name}: {Explain.NONE_PUBLISHED}")
    if options.sql:
        raise CliError(Explain.NO_SQL)
    week = explain.period_of(mart, keys[0], weeks) if keys else weeks[0]
    rows = of.rows_of(drawing.connection, mart.name, week=week)
    summed = {one.name: one for one in of.figures_of(mart, rows[0]) if one.kind == "count" or _parts(one) is not None}
    drawing.say(f"{Digests.COMPANY}, {explain.period_title(week)}", style="bold")
    if len(keys) < 2:
        _list(drawing, week, {name: _shown(rows, summed[name]) for name in SHOWN}, summed)
        return
    figure = summed[explain.chosen(keys[1], list(summed))]
    found = _evidence(drawing, rows, figure, week)
    title, formula = Explain.figure(figure.name)
    drawing.say(f"{title}: {Explain.value(figure.kind, found.shown, found.hits, found.n)}")
    drawing.say(Explain.COUNTED.format(formula))
    drawing.say(f"{Digests.SUM_OF_CHANNELS} {Explain.CHANNEL_VIEW}")
    drawing.say(drawing.as_of(min(rows, key=lambda row: row["as_of"])))
    drawing.say(Explain.list_of(found.n, found.hits))
    if found.is_equal:
        drawing.say(Explain.EQUAL + (f" {Explain.KEPT}" if found.revision is not None else ""))
    else:
        counted = Explain.value(figure.kind, found.counted, found.hits, found.n)
        drawing.say(Explain.CHANGED.format(counted, week), style="yellow")
    facts = {"mart": "digest", "period": week, "revision": found.revision, "formula": formula}
    drawing.evidence(facts, found, mart.view)


def _evidence(drawing: Drawing, rows: list[dict[str, Any]], figure: Figure, week: str) -> Evidence:
    """The lists of all channels as one."""
    from resources.warehouse import evidence as of

    span = of.Span(
        week,
        "week",
        drawing.policy.time_zone,
        drawing.policy.early_delete_seconds,
        drawing.policy.telephony.short_call_seconds,
    )
    kept = of.latest_revision(drawing.connection, week)
    parts = [
        of.evidence(drawing.connection, "channel", figure, span, row["channel_id"], row[figure.name], kept)
        for row in rows
    ]
    cases = sorted(
        (case for part in parts for case in part.cases), key=lambda case: (not case.is_hit, case.at, case.case_id)
    )
    revisions = {part.revision for part in parts}
    return of.Evidence(figure, _shown(rows, figure), cases, revisions.pop() if len(revisions) == 1 else None)


def _shown(rows: list[dict[str, Any]], figure: Figure) -> float | int | None:
    """The number as the digest has it: counts added up, a share of the added counts."""
    parts = _parts(figure)
    if parts is None:
        return sum(row[figure.name] for row in rows)
    hits, n = (sum(row[name] for row in rows) for name in parts)
    return hits / n if n else None


def _parts(figure: Figure) -> tuple[str, str] | None:
    """The columns of a share's numerator and denominator; ``None``: it is no share that has both."""
    from conversations.metrics import METRICS

    found = {one.name: (one.numerator, one.denominator) for one in METRICS if one.numerator}
    return found.get(figure.name)  # type: ignore[return-value]


def _list(drawing: Drawing, week: str, values: dict[str, Any], figures: dict[str, Figure]) -> None:
    rows = [(Explain.figure(name)[0], name, Explain.short(figures[name].kind, value)) for name, value in values.items()]
    if drawing.as_json:
        drawing.told.append({"mart": "digest", "period": week, **values})
    elif drawing.as_csv:
        drawing.csv(("figure", "value"), values.items())
    else:
        screen.show(screen.table(Explain.FIGURES_TITLE, Explain.FIGURE_COLUMNS, rows))
        screen.note(Digests.ASK.format(week))
