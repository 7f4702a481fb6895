"""The seeded bootstrap: the stream of draws, golden numbers, and the oracle's loop on invented weeks of sessions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import resampling
from conversations.delta import Week, delta, headlines
from conversations.metrics import metric
from conversations.resampling import RESAMPLES, draws, resampled_mean, resampled_percentile, seed_of
from tests.oracle import delta as oracle

NOW = {"8-2": [95, 640, 1210], "8-10": [30], "9-1": [400, 410], "9-7": [2000], "я": [7, 7, 7, 9000]}
BEFORE = {"1": [1500, 1600], "2": [3000], "10": [800, 90, 2500], "11": [1700]}


def test_a_seed_is_the_first_8_bytes_big_endian_of_the_words_joined() -> None:
    # printf '7|reply_p50_seconds|2026-W47|1' | sha256sum
    assert f"{seed_of('7', 'reply_p50_seconds', '2026-W47', '1'):016x}" == "00c547629391debc"
    words = ("Мария", "llm_score_avg", "2026-W53", "2")
    assert seed_of(*words) == oracle.seed_of(*words)
    assert seed_of("7", "a", "2026-W47", "1") != seed_of("7", "a", "2026-W48", "1")


@pytest.mark.parametrize(("now", "before"), [(1, 1), (1, 7), (33, 1), (60, 50), (128, 5), (700, 900)])
def test_draws_are_those_of_one_call_per_week_and_resample(now: int, before: int) -> None:
    generator = np.random.Generator(np.random.PCG64(2026))
    blocks = list(draws(2026, now, before))
    first, second = (np.concatenate([block[side] for block in blocks]) for side in (0, 1))
    assert (first.shape, second.shape) == ((RESAMPLES, now), (RESAMPLES, before))
    for number in range(RESAMPLES):
        assert (first[number] == generator.integers(0, now, size=now)).all()
        assert (second[number] == generator.integers(0, before, size=before)).all()


def test_golden_numbers_hold_the_stream_over_versions_of_numpy() -> None:
    assert next(draws(47, 5, 4))[0][:3].tolist() == [[0, 3, 2, 3, 2], [4, 1, 1, 4, 1], [2, 0, 1, 3, 4]]
    found = resampled_percentile(NOW, BEFORE, 50, 47)
    assert (found.low, found.high, found.p_value) == (-2600.0, -390.0, 0.018)
    found = resampled_mean({"a": 50, "b": 90, "c": 70}, {"a": 40, "d": 45}, 1, 47)
    assert (round(found.low, 9), round(found.high, 9), found.p_value) == (10.0, 47.5, 0.0005)


def test_the_oracles_loop_finds_the_same_numbers() -> None:
    exact = oracle.bootstrap(NOW, BEFORE, oracle.median, 47)
    assert resampled_percentile(NOW, BEFORE, 50, 47) == pytest.approx(tuple(map(float, exact)), abs=1e-9)


def test_order_of_sessions_and_waits_changes_nothing_and_ids_are_text() -> None:
    random = Random(5)
    found = resampled_percentile(NOW, BEFORE, 50, 47)
    for _ in range(5):
        shuffled = [
            {key: random.sample(week[key], len(week[key])) for key in random.sample(list(week), len(week))}
            for week in (NOW, BEFORE)
        ]
        assert resampled_percentile(*shuffled, 50, 47) == found
    renamed = {{"10": "3", "11": "4"}.get(key, key): values for key, values in BEFORE.items()}
    assert resampled_percentile(NOW, renamed, 50, 47) != found, '"10" stands before "2", "3" behind it'


def test_blocks_do_not_change_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = resampled_percentile(NOW, BEFORE, 50, 47), resampled_mean({"a": 1, "b": 2}, {"c": 1, "d": 3}, 1, 3)
    monkeypatch.setattr(resampling, "_AT_ONCE", 700)
    assert len(list(draws(47, 5, 4, 11))) > 20
    again = resampled_percentile(NOW, BEFORE, 50, 47), resampled_mean({"a": 1, "b": 2}, {"c": 1, "d": 3}, 1, 3)
    assert again == at_once


def test_p_is_at_least_one_resample_and_at_most_1() -> None:
    apart = resampled_percentile({"a": [10], "b": [11]}, {"a": [90], "b": [95]}, 50, 1)
    assert (apart.p_value, apart.high < 0) == (1 / 2000, True)
    assert resampled_percentile({"a": [10]}, {"b": [10]}, 50, 1) == (0.0, 0.0, 1.0)


def test_percentiles_of_one_value_repeat_it() -> None:
    for percent in (1, 50, 90, 99):
        assert resampled_percentile({"a": [250]}, {"b": [100]}, percent, 1)[:2] == (150.0, 150.0)


def test_a_rerun_agrees_and_another_week_draws_otherwise() -> None:
    random = Random(3)
    weeks = [
        Week({f"s{n}": [random.randint(30, 4000) for _ in range(1 + n % 3)] for n in range(20)}, 1, "1")
        for _ in range(2)
    ]
    by = metric("reply_p50_seconds")
    first, again, other = (delta(by, "7", key, "1", *weeks) for key in ("2026-W47", "2026-W47", "2026-W48"))
    assert first == again
    assert (first.delta, first.value) == (other.delta, other.value)
    assert (first.low, first.high) != (other.low, other.high)
    assert first != delta(by, "7", "2026-W47", "2", *weeks) != delta(by, "8", "2026-W47", "1", *weeks)


# --- invented weeks against the oracle --------------------------------------------------------------------------------

VALUES = {
    "share": st.lists(st.integers(0, 1), max_size=6),
    "p50": st.lists(st.one_of(st.integers(0, 600), st.integers(0, 30_000)), max_size=6),
    "llm": st.lists(
        st.one_of(st.integers(60, 75), st.integers(0, 10_000).map(lambda n: Fraction(n, 100))), min_size=1, max_size=1
    ),
}
METRIC = {"share": "no_reply_share", "p50": "reply_p50_business_seconds", "llm": "llm_score_avg"}


@st.composite
def pairs(draw: st.DrawFn, kind: str) -> tuple[oracle.OracleWeek, oracle.OracleWeek | None]:
    """Two weeks of up to twenty sessions; most are comparable, so that the interval is reached."""
    weeks = []
    for _ in range(2):
        keys = draw(st.lists(st.text("0aя-", min_size=1, max_size=4), min_size=9, max_size=20, unique=True))
        sessions = {key: draw(VALUES[kind]) for key in keys}
        if draw(st.integers(0, 14)) == 14:
            sessions = {}
        completeness = Fraction(draw(st.sampled_from([100, 100, 100, 99, 98, 97])), 100)
        versions = (draw(st.sampled_from([1, 1, 1, 1, 1, 2])),)
        weeks.append(oracle.OracleWeek(sessions, completeness, versions))
    return weeks[0], None if draw(st.integers(0, 14)) == 14 else weeks[1]


def agree(kind: str, now: oracle.OracleWeek, before: oracle.OracleWeek | None) -> str:
    """Hold one row to the oracle's; the status of both."""
    by = metric(METRIC[kind])
    status, change, low, high, p = oracle.compare(
        kind, by.sign, now, before, oracle.seed_of("7", by.name, "2026-W47", "1")
    )
    row = delta(by, "7", "2026-W47", "1", as_week(now), None if before is None else as_week(before))
    assert row.status == status
    for ours, theirs in ((row.delta, change), (row.low, low), (row.high, high), (row.p_value, p)):
        assert ours == (None if theirs is None else pytest.approx(float(theirs), abs=1e-7))
    return status


def as_week(week: oracle.OracleWeek) -> Week:
    return Week(week.sessions, week.completeness, week.versions)


@pytest.mark.parametrize("kind", ["share", "p50", "llm"])
def test_rows_are_the_oracles(kind: str) -> None:
    @settings(max_examples=60 if kind == "share" else 20, deadline=None)
    @given(pair=pairs(kind))
    def holds(pair: tuple[oracle.OracleWeek, oracle.OracleWeek | None]) -> None:
        agree(kind, *pair)

    holds()


def test_rows_of_busy_weeks_are_the_oracles() -> None:
    """Larger weeks, in which something really changed in every second row."""
    random = Random(8)
    seen: Counter[str] = Counter()
    for number in range(24):
        kind = ("share", "share", "p50", "llm")[number % 4]
        weeks = []
        for side in range(2):
            size = random.choice((1.0, 1.0, 0.4, 2.5)) if side else 1.0
            weeks.append(oracle.OracleWeek(busy_week(kind, size, random)))
        seen[agree(kind, *weeks)] += 1
    assert set(seen) == {"improved", "worsened", "no_change_detected"} and min(seen.values()) >= 3, seen


def busy_week(kind: str, size: float, random: Random) -> oracle.Sessions:
    """Some forty sessions; ``size`` scales the share, the waits or the points that are missing."""
    if kind == "llm":
        return {f"s{n}": [Fraction(10_000 - int(2_000 * size * random.random()), 100)] for n in range(40)}
    one = {
        "share": lambda: int(random.random() < 0.2 * size),
        "p50": lambda: int(random.expovariate(1 / (900 * size))),
    }[kind]
    return {f"s{n}": [one() for _ in range(random.randint(1, 4))] for n in range(40)}


def test_the_headline_of_invented_weeks_is_the_oracles() -> None:
    random = Random(11)
    rows = []
    for number in range(60):
        shift = random.choice((0, 0, 0.1, 0.3))
        weeks = [
            Week({f"s{n}": [int(random.random() < 0.15 + rate)] for n in range(random.randint(12, 80))}, 1, "1")
            for rate in (shift, 0)
        ]
        rows.append(delta(metric("no_reply_share"), str(number), "2026-W47", "1", *weeks))
    tested = [row for row in rows if row.p_value is not None]
    passes = iter(oracle.benjamini_hochberg([Fraction(row.p_value or 0) for row in tested]))
    expected = [row.p_value is not None and next(passes) and row.status in ("improved", "worsened") for row in rows]
    assert headlines(rows) == expected
    assert 5 < sum(expected) < len(tested) < len(rows)
