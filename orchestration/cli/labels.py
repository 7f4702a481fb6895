"""``otklik labels``: people mark talks, and the judge is held against them.

Here: files in and out, what is printed. Not here: the table (``conversations.scoring.labelling``), the figures and
gates (``conversations.scoring.gates``), asking a judge once more (``labels_repeat``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversations.messages import NONE, Errors, Labels, number, share
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from resources.labels.store import Measurement

SHOWN_FAULTS = 20
ENDINGS = (".xlsx", ".csv")


def export(rubric: str, sample: int, file: Path, seed: int) -> None:
    """Write a table of talks to be marked.

    Raises:
        CliError: the model has judged nothing by the rubric, or the file cannot be written.
    """
    from conversations.policy import Policy
    from conversations.scoring.labelling import chosen, headings, row_of
    from resources.labels import files, store, talks
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    _check_name(file)
    if file.exists():
        raise CliError(Labels.FILE_EXISTS.format(file), EXIT_USAGE)
    settings = Settings()
    policy = Policy.load(settings.policy_path)
    names = _names(policy)
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect("otklik labels", autocommit=True) as session:
            found = store.population(session, rubric)
            picked = chosen(found.talks, sample, seed)
            if not picked:
                raise CliError(Labels.NONE_JUDGED.format(rubric))
            rubrics = store.rubrics_of(session, {one.judge for one in picked})
            newest = rubrics[rubric, max(version for _, version in rubrics)]
            # one table has one set of columns: what another version judged waits for its own
            picked = [one for one in picked if one.judge.rubric_version == newest.version]
            said = {
                (one.kind, one.subject_id): talks.transcript(one.talk, names)
                for one in talks.subjects(session, policy, picked, found.days)
            }
    shown = [one for one in picked if said.get((one.kind, one.subject_id))]
    rows = [headings(newest.criteria)]
    rows += [row_of(n, one, said[one.kind, one.subject_id], newest.criteria) for n, one in enumerate(shown, 1)]
    files.write(file, rows, newest.criteria)
    screen.say(Labels.EXPORTED.format(file, number(len(shown)), number(len(found.talks))))


def _names(policy: Any) -> Any:
    """What finds names, where the policy hides them."""
    if not policy.scoring.mask_names:
        return None
    from resources.names import find_names

    return find_names


def bring(file: Path, grader: str | None) -> None:
    """Take a marked table: all of it or nothing.

    Raises:
        CliError: there is no such file, or something in it is wrong; the places are printed.
    """
    from conversations.scoring.labelling import BadCell, judges_of, read
    from resources.labels import files, store
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    _check_name(file)
    if not file.is_file():
        raise CliError(Errors.NO_FILE.format(file), EXIT_USAGE)
    try:
        rows = files.read(file)
    except files.BadLabelFile:
        raise CliError(Labels.BAD_LABELS.format(file.name, Labels.NO_TABLE)) from None
    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect("otklik labels", autocommit=True) as session:
            labels, faults = read(rows, store.rubrics_of(session, judges_of(rows)), grader)
            if not faults:
                strangers = store.unknown(session, labels)
                faults = [BadCell(subject_id, "unknown") for _, subject_id in sorted(strangers)]
            if faults:
                raise CliError(Labels.BAD_LABELS.format(file.name, _told(faults)))
            done = store.keep(session, labels, settings.now())
    talks = len({(one.kind, one.subject_id) for one in labels})
    graders = len({one.grader for one in labels})
    screen.say(Labels.IMPORTED.format(*map(number, (*done, talks, graders))))
    screen.say(Labels.NEXT)


def _told(faults: Sequence[Any]) -> str:
    lines = [f"{one.cell}: {Labels.FAULTS[one.fault]}" for one in faults[:SHOWN_FAULTS]]
    if len(faults) > SHOWN_FAULTS:
        lines.append(Labels.MORE_FAULTS.format(number(len(faults) - SHOWN_FAULTS)))
    return "\n" + "\n".join(lines)


def _check_name(file: Path) -> None:
    if file.suffix.lower() not in ENDINGS:
        raise CliError(Labels.BAD_FILE_NAME.format(file), EXIT_USAGE)


def measure(rubric: str | None, *, as_json: bool, plot: Path | None) -> None:
    """Hold the judge against people, write the gates, print them."""
    from resources.labels import store
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse

    if plot is not None and rubric is None:
        raise CliError(Labels.PLOT_NEEDS_ONE, EXIT_USAGE)
    settings = Settings()
    with Warehouse.open(settings) as warehouse:
        warehouse.check_migrations()
        with warehouse.connect("otklik labels") as session:
            found = store.measure(session, rubric)
            store.write_gates(session, found, settings.now())
    if as_json:
        print(json.dumps([_as_json(one) for one in found], ensure_ascii=False))
    elif not found:
        screen.say(Labels.NOTHING_MEASURED)
    else:
        for _, of_judge in groupby(found, key=lambda one: one.judge):
            _show(list(of_judge))
        screen.say(Labels.LEGEND, style="dim")
    if plot is not None and found:
        _plot(found, plot, quietly=as_json)


def _plot(found: Sequence[Measurement], file: Path, *, quietly: bool) -> None:
    from resources.labels.plot import plot

    # the judge with most labels: one picture, one judge
    judge = max(found, key=lambda one: one.measured.labelled).judge
    title = Labels.PLOT_HEAD.format(judge.rubric_id, judge.rubric_version, judge.model)
    file.write_bytes(plot([one for one in found if one.judge == judge], title))
    if not quietly:
        screen.say(Labels.PLOTTED.format(file))


def _show(found: Sequence[Measurement]) -> None:
    judge = found[0].judge
    title = Labels.TITLE.format(judge.rubric_id, number(judge.rubric_version), judge.model)
    screen.show(screen.table(title, Labels.COLUMNS, [_agreement(one) for one in found]))
    screen.show(screen.table(None, Labels.MORE_COLUMNS, [_answers(one) for one in found]))
    for one in found:
        if one.gate.reasons:
            why = "; ".join(Labels.REASONS[reason] for reason in one.gate.reasons)
            screen.say(Labels.WHY.format(one.criterion.code, why), style="dim")


def _agreement(one: Measurement) -> list[str]:
    figures = one.measured
    interval = NONE if figures.interval is None else "…".join(map(_figure, figures.interval))
    return [
        one.criterion.code,
        Labels.STATES[one.gate.state],
        f"n = {number(figures.labelled)}",
        _figure(figures.kappa),
        interval,
        _figure(figures.human_kappa),
        _figure(figures.alpha),
        _figure(figures.ac1),
    ]


def _answers(one: Measurement) -> list[str]:
    figures = one.measured
    return [
        one.criterion.code,
        _percent(figures.flip_rate, figures.repeated),
        _percent(figures.verified_share, figures.marks),
        _percent(figures.insufficient_share, figures.applicable),
    ]


def _figure(value: Fraction | float | None) -> str:
    return NONE if value is None else f"{float(value):.2f}".replace(".", ",").replace("-", "−")


def _percent(value: Fraction | None, of: int) -> str:
    return NONE if value is None else f"{share(float(value))} (n = {number(of)})"


def _as_json(one: Measurement) -> dict[str, Any]:
    figures = {
        name: float(value) if isinstance(value, Fraction) else value
        for name, value in one.measured._asdict().items()
        if name != "interval"
    }
    interval: Iterable[float] | None = one.measured.interval
    return {
        **one.judge._asdict(),
        "criterion": one.criterion.code,
        "state": one.gate.state,
        "reasons": list(one.gate.reasons),
        **figures,
        "interval": None if interval is None else list(interval),
    }
