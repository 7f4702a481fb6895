"""What ``otklik explain`` says of comparisons, kept figures, examples, advice and revisions of a week.

Here: the marts that are more than one row per person and week. Not here: finding who was meant and drawing lists
(``explain``, ``explain_lists``). Everything is read from the revision that the row names: a comparison is explained by
the lists that it was made from, not by those of today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from conversations.messages import NONE, Changes, Explain, minutes, number
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError
from orchestration.cli.explain_asked import (
    Options,
    asked,
    chosen,
    found_in,
    listed,
    period_of,
    period_title,
    print_query,
    subject_title,
    tell,
)

if TYPE_CHECKING:
    from orchestration.cli.explain_lists import Drawing
    from resources.warehouse.evidence import Mart, Subject


def show(drawing: Drawing, name: str, keys: list[str], options: Options) -> None:
    """Answer for one of the marts of ``explain.WEEKLY``.

    Raises:
        CliError: what was asked for is not there.
    """
    if name in ("manager_week_delta", "channel_week_delta"):
        _delta(drawing, name, keys, options)
    elif name == "behavior_snapshot":
        _snapshot(drawing, keys, options)
    elif name == "revision":
        _revisions(drawing, keys)
    else:
        _cases(drawing, name, keys)


# --- this week against the week before --------------------------------------------------------------------------------


def _delta(drawing: Drawing, name: str, keys: list[str], options: Options) -> None:
    from resources.warehouse import evidence as of

    mart = of.Mart(name, "manager" if name.startswith("manager") else "channel", "week")
    week, subject, said = asked(drawing, mart, keys)
    if week is None or subject is None:
        return
    rows = {
        row["metric"]: row for row in of.rows_of(drawing.connection, name, week=week, **{mart.subject: subject.key})
    }
    if said is None:
        _list_metrics(drawing, mart, week, subject, rows)
        return
    row = rows[chosen(said, list(rows))]
    figure = of.FIGURES[mart.view][row["metric"]]
    if options.sql:
        print_query(of.for_analysts(mart.view, figure, _span(drawing, week), subject.key, row["revision"]))
        return
    title, formula = Explain.figure(figure.name)
    drawing.say(f"{subject_title(subject)}, {period_title(week)}", style="bold")
    drawing.say(title)
    drawing.say(Explain.COUNTED.format(formula))
    drawing.say(drawing.as_of(row))
    _compare(drawing, row)
    facts = {"mart": name, "subject_key": subject.key, "subject": subject.name}
    if drawing.as_csv:
        # one document of both lists, also where neither was kept
        drawing.csv(("week", *Explain.HEADINGS), ())
    sides = (
        (Explain.THIS_WEEK, week, row["value"], row["revision"], row),
        # without a row of that week there is nothing to list, whatever was published of others
        (Explain.WEEK_BEFORE, row["previous_week"], row["previous_value"],
         row["previous_revision"] if row["previous_n"] is not None else None, {}),
    )  # fmt: skip
    for heading, one, value, revision, more in sides:
        drawing.say("")
        drawing.say(f"{heading}: {period_title(one)}", style="bold")
        if revision is None:
            drawing.say(Explain.NOT_KEPT)
            continue
        _kept(drawing, mart, figure.name, one, subject, value, revision, {**facts, "week": one, "row": more or None})


def _compare(drawing: Drawing, row: Mapping[str, Any]) -> None:
    """What came of the comparison, and why, in plain words."""
    kind = row["kind"]
    drawing.say(Explain.VERDICT.format(Changes.verdict(row["delta_status"], row["delta"])), style="bold")
    drawing.say(Explain.WHY.format(Changes.MEANINGS.get(row["delta_status"], row["delta_status"])))
    if row["delta"] is not None:
        change, low, high = (Explain.change(kind, float(row[one])) for one in ("delta", "low", "high"))
        drawing.say(Explain.CHANGE.format(change, low, high))
        drawing.say(Explain.CHANCE.format(Explain.chance(float(row["p_value"]))))
        if kind == "share" and max(row["deff"], row["previous_deff"]) > 1:
            drawing.say(
                Explain.EFFECT.format(*(f"{row[one]:.2f}".replace(".", ",") for one in ("deff", "previous_deff")))
            )
        if row["delta_status"] in ("improved", "worsened"):
            drawing.say(Explain.IS_HEADLINE if row["is_headline"] else Explain.NO_HEADLINE)
    if row["average_4w"] is not None:
        drawing.say(Explain.AVERAGE.format(Explain.short(kind, row["average_4w"]), row["weeks_4w"]))


def _list_metrics(
    drawing: Drawing, mart: Mart, week: str, subject: Subject, rows: Mapping[str, Mapping[str, Any]]
) -> None:
    drawing.say(f"{subject_title(subject)}, {period_title(week)}", style="bold")
    lines = [
        (
            Explain.figure(name)[0],
            name,
            f"{Explain.short(row['kind'], row['value'])} · {Changes.verdict(row['delta_status'], row['delta'])}",
        )
        for name, row in rows.items()
    ]
    if drawing.is_for_people:
        screen.show(screen.table(Explain.FIGURES_TITLE, Explain.FIGURE_COLUMNS, lines))
        screen.note(Explain.ASK.format(mart.name, week, f'"{subject.name}"'))
    else:
        _machine(drawing, mart.name, list(rows.values()), {"mart": mart.name, "period": week})


def _kept(
    drawing: Drawing, mart: Mart, metric: str, week: str, subject: Subject, value: Any, revision: int,
    facts: dict[str, Any],
) -> None:  # fmt: skip
    """One number of a published revision with the list that was kept with it."""
    from resources.warehouse import evidence as of

    figure = of.FIGURES[mart.view][metric]
    listed_cases = of.cases(drawing.connection, mart.view, figure, _span(drawing, week), subject.key, revision)
    found = of.Evidence(figure, value, listed_cases, revision)
    drawing.say(Explain.value(figure.kind, value, found.hits, found.n))
    drawing.say(Explain.REVISION.format(revision))
    drawing.say(Explain.list_of(found.n, found.hits))
    if found.is_equal:
        drawing.say(f"{Explain.EQUAL} {Explain.KEPT}")
    else:
        counted = Explain.value(figure.kind, found.counted, found.hits, found.n)
        drawing.say(Explain.CHANGED.format(counted, week), style="yellow")
    lead = {"week": week} if mart.name.endswith("_delta") else None
    drawing.evidence({**facts, "revision": revision}, found, mart.view, lead)


# --- figures as they were published -----------------------------------------------------------------------------------


def _snapshot(drawing: Drawing, keys: list[str], options: Options) -> None:
    from resources.warehouse import evidence as of

    name = "behavior_snapshot"
    mart = of.Mart(name, "manager", "week")
    if len(keys) < 1:
        asked_periods(drawing, mart)
        return
    week = _week(drawing, mart, keys[0])
    revision = _revision(drawing, week, options.revision)
    rows = of.rows_of(drawing.connection, name, week=week, revision=revision)
    subjects = [_named(drawing, *one) for one in sorted({(row["subject_kind"], row["subject_key"]) for row in rows})]
    if len(keys) < 2:
        tell(drawing, Explain.SUBJECTS.format("; ".join(subject_title(one) for one in subjects)),
             {"mart": name, "period": week, "subjects": [one._asdict() for one in subjects]})  # fmt: skip
        return
    subject = found_in(subjects, keys[1], f"{name} {week}")
    mine = _in_order([row for row in rows if row["subject_key"] == subject.key])
    if len(keys) < 3:
        lines = [(Explain.figure(one)[0], one, Explain.short(_kind(one), row["value"])) for one, row in mine.items()]
        if drawing.is_for_people:
            drawing.say(f"{subject_title(subject)}, {period_title(week)}", style="bold")
            screen.show(screen.table(Explain.FIGURES_TITLE, Explain.FIGURE_COLUMNS, lines))
        else:
            _machine(drawing, name, list(mine.values()), {"mart": name, "period": week})
        return
    row = mine[chosen(keys[2], list(mine))]
    view = row["subject_kind"]
    figure = of.FIGURES[view][row["metric"]]
    if options.sql:
        print_query(of.for_analysts(view, figure, _span(drawing, week), subject.key, revision))
        return
    title, formula = Explain.figure(figure.name)
    drawing.say(f"{subject_title(subject)}, {period_title(week)}", style="bold")
    drawing.say(title)
    drawing.say(Explain.COUNTED.format(formula))
    drawing.say(drawing.as_of(row))
    facts = {"mart": name, "week": week, "subject_key": subject.key, "subject": subject.name, "row": row}
    _kept(drawing, of.Mart(name, view, "week"), figure.name, week, subject, row["value"], revision, facts)


def _revisions(drawing: Drawing, keys: list[str]) -> None:
    from resources.warehouse import evidence as of

    mart = of.Mart("week_revisions", "manager", "week")
    if not keys:
        asked_periods(drawing, mart)
        return
    week = _week(drawing, mart, keys[0])
    rows = sorted(of.rows_of(drawing.connection, mart.name, week=week), key=lambda row: row["revision"])
    changes = of.rows_of(drawing.connection, "week_changes", week=week)
    if drawing.as_csv:
        _changes_csv(drawing, rows, changes)
        return
    if drawing.as_json:
        drawing.told.append({"week": week, "revisions": rows, "changes": changes})
        return
    lines = [
        (str(row["revision"]), drawing.moment(row["published_at"]), drawing.moment(row["as_of"]),
         Explain.REASONS.get(row["reason"], row["reason"]), number(row["changed_rows"]),
         *(NONE if row.get(name) is None else number(row[name])
           for name in ("changed_cases", "changed_cases_by_links")))
        for row in rows
    ]  # fmt: skip
    # cases change between two publications: for the first one two columns of nothing would only take room
    shown = 7 if len(rows) > 1 else 5
    title = Explain.REVISIONS.format(period_title(week))
    screen.show(screen.table(title, Explain.REVISION_COLUMNS[:shown], [line[:shown] for line in lines]))
    if not changes:
        screen.say(Explain.NO_CHANGES)
    for revision in sorted({row["revision"] for row in changes}):
        lines = [_change(drawing, row) for row in changes if row["revision"] == revision]
        screen.show(screen.table(Explain.CHANGES_TITLE.format(revision), Explain.CHANGE_COLUMNS, lines))


def _changes_csv(drawing: Drawing, rows: list[dict[str, Any]], changes: list[dict[str, Any]]) -> None:
    """A row for each change of a figure with its revision; a revision without one is a row by itself."""
    of_rows, of_changes = _columns(drawing, "week_revisions"), _columns(drawing, "week_changes")
    more = [name for name in of_changes if name not in of_rows]
    lines = []
    for row in rows:
        mine = [one for one in changes if one["revision"] == row["revision"]] or [dict.fromkeys(more)]
        lines += [[*(row[name] for name in of_rows), *(one[name] for name in more)] for one in mine]
    drawing.csv((*of_rows, *more), lines)


def _change(drawing: Drawing, row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    kind = _kind(row["metric"])
    was, now = (
        Explain.value(kind, row[f"{side}value"], row[f"{side}hits"] or 0, row[f"{side}n"] or 0) for side in ("was_", "")
    )
    subject = _named(drawing, row["subject_kind"], row["subject_key"])
    return subject_title(subject), Explain.figure(row["metric"])[0], was, now


# --- examples and advice ----------------------------------------------------------------------------------------------


def _cases(drawing: Drawing, name: str, keys: list[str]) -> None:
    from conversations.messages import TalkWords, WeeklyWords
    from resources.warehouse import evidence as of
    from resources.warehouse.evidence_messages import messages

    mart = of.Mart(name, "manager", "week")
    if not keys:
        asked_periods(drawing, mart)
        return
    week = _week(drawing, mart, keys[0])
    if len(keys) > 2:
        raise CliError(Explain.TOO_MANY_KEYS.format(" ".join(keys[2:])), EXIT_USAGE)
    rows = of.rows_of(drawing.connection, name, week=week)
    if len(keys) > 1:
        subject = found_in(of.subjects(drawing.connection, mart, week), keys[1], f"{name} {week}")
        rows = [row for row in rows if row["manager_key"] == subject.key]
    is_advice = name == "chat_advice"
    order = ("manager_name", "manager_key", "at", "conversation_id") if is_advice else ("manager_name", "rank")
    rows.sort(key=lambda row: tuple((row[one] is None, row[one]) for one in order))
    # the marts hold no words: the analyst reads them
    said = messages(drawing.connection, [(row["conversation_id"], row["message_id"]) for row in rows])
    for row in rows:
        row["snippet"] = drawing.words(said.get((row["conversation_id"], row["message_id"])), 280)
    if rows:
        drawing.record(name, week)
    if not drawing.is_for_people:
        _machine(drawing, name, rows, {"mart": name, "week": week}, ("snippet",))
        return
    if not rows:
        screen.say(Explain.EMPTY.format(week))
        return
    lines = [
        (
            row["manager_name"],
            WeeklyWords.ADVICE.get(row["rule"], (TalkWords.MODEL_ADVICE,))[0]
            if is_advice
            else WeeklyWords.KINDS.get(row["kind"], row["kind"]),
            row["conversation_id"],
            row["message_id"] or "",
            minutes(row["seconds"]) if row.get("seconds") is not None else "",
            row["snippet"],
        )
        for row in rows
    ]
    title = Explain.ADVICE if is_advice else Explain.EXAMPLES
    drawn = screen.table(title.format(period_title(week)), Explain.LIST_COLUMNS, lines)
    for column in drawn.columns:
        column.vertical = "top"
    screen.show(drawn)
    if drawing.whole_texts:
        for row in rows:
            screen.say(row["conversation_id"], style="bold")
            for line in drawing.messages(row["conversation_id"], [row["message_id"]]):
                screen.say(f"   {row['message_id']}: {line}")


def _machine(
    drawing: Drawing, name: str, rows: list[dict[str, Any]], facts: dict[str, Any], more: Sequence[str] = ()
) -> None:
    """Rows of a mart and ``more`` columns of ours; the heading is there without rows, too."""
    if drawing.as_json:
        drawing.told.append({**facts, "rows": rows})
    else:
        columns = [*_columns(drawing, name), *more]
        drawing.csv(columns, ([row[column] for column in columns] for row in rows))


def _columns(drawing: Drawing, mart: str) -> list[str]:
    from psycopg import sql

    found = drawing.connection.execute(sql.SQL("select * from {} limit 0").format(sql.Identifier("marts", mart)))
    return [column.name for column in found.description or ()]


# --- what was meant ---------------------------------------------------------------------------------------------------


def asked_periods(drawing: Drawing, mart: Mart) -> None:
    """Say of which weeks there is something.

    Raises:
        CliError: of none.
    """
    weeks = _weeks(drawing, mart)
    tell(drawing, Explain.PERIODS.format(mart.name, listed(weeks)), {"mart": mart.name, "periods": weeks})


def _weeks(drawing: Drawing, mart: Mart) -> list[str]:
    from resources.warehouse import evidence as of

    if not of.there(drawing.connection, mart.name) or not (weeks := of.periods(drawing.connection, mart)):
        raise CliError(f"{mart.name}: {Explain.NONE_PUBLISHED}")
    return weeks


def _week(drawing: Drawing, mart: Mart, said: str) -> str:
    return period_of(mart, said, _weeks(drawing, mart))


def _revision(drawing: Drawing, week: str, wanted: int | None) -> int:
    from resources.warehouse import evidence as of

    there = sorted(row["revision"] for row in of.rows_of(drawing.connection, "week_revisions", week=week))
    if wanted is not None and wanted not in there:
        raise CliError(Explain.NO_REVISION.format(week, wanted, ", ".join(map(str, there))), EXIT_USAGE)
    return wanted or there[-1]


def _named(drawing: Drawing, kind: str, key: str) -> Subject:
    from resources.warehouse.evidence import Subject

    if kind == "channel":
        return drawing.channels.get(key) or Subject(key, key, "")
    return Subject(key, drawing.person(key))


def _in_order(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows by metric, in the order in which metrics are declared."""
    from conversations.metrics import METRICS

    found = {row["metric"]: row for row in rows}
    return {metric.name: found[metric.name] for metric in METRICS if metric.name in found}


def _kind(metric: str) -> str:
    from conversations.metrics import metric as declared

    return declared(metric).kind.value


def _span(drawing: Drawing, week: str) -> Any:
    from resources.warehouse.evidence import Span

    return Span(
        week,
        "week",
        drawing.policy.time_zone,
        drawing.policy.early_delete_seconds,
        drawing.policy.telephony.short_call_seconds,
    )
