"""What stands in the tabs of the week, made from a snapshot written by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from assets.checks.exports import RULES
from assets.checks.shown import Shown
from assets.exports import frames, status
from assets.exports.frames import (
    ADVICE,
    DELTAS,
    DIGEST_CHANNELS,
    DIGEST_MANAGERS,
    EXAMPLES,
    README,
    REPORT,
    SNAPSHOTS,
    TITLES,
    TREND,
)
from assets.exports.status_columns import COLUMNS
from conversations.delta import DeltaStatus
from conversations.messages import DEFINITIONS, Changes, Metrics, Weekly, WeeklyWords
from conversations.metrics import METRICS
from conversations.ranking import TRAINED
from resources.sheets.look import problems
from tests.unit import snapshots
from tests.unit.snapshots import ANNA, MISS, NOBODY, delta, kept, made, policy, snapshot, tab

SURE = {"n": 50, "previous_n": 50, "delta": -0.2, "low": -0.35, "high": -0.04}
STATES = {
    "no_previous_week": "— (нет прошлой недели)",
    "previous_empty": "— (не было обращений)",
    "current_empty": "нет данных",
    "not_comparable": "— (изменились правила)",
    "data_incomplete": "— (данные неполные)",
    "low_sample": "— (мало обращений)",
    "no_change_detected": "без заметных изменений",
    "improved": "▼ лучше",
    "worsened": "▼ хуже",
}


@pytest.mark.parametrize(("state", "words"), STATES.items())
def test_each_state_in_the_words_of_the_contract(state: str, words: str) -> None:
    change = -0.2 if state in ("no_change_detected", "improved", "worsened") else None
    row = delta("in_target_share", **ANNA, delta_status=state, delta=change)
    anna = tab(DIGEST_MANAGERS, manager_deltas=[row])[0]
    assert anna["Вывод"] == words
    assert anna["Изменение, п.п."] == (None if change is None else -20.0)
    assert tab(DELTAS, manager_deltas=[row])[0]["Вывод"] == words


def test_every_state_and_metric_has_words() -> None:
    assert set(Changes.STATES) == set(Changes.MEANINGS) == {state.value for state in DeltaStatus}
    shown = {one.name for one in METRICS}
    assert set(WeeklyWords.FOCUS) == set(TRAINED)
    assert set(Metrics.NAMES) == set(Metrics.COUNTED) == shown


def test_a_digest_begins_with_the_headline_and_its_change() -> None:
    rows = [
        delta("in_target_share", **ANNA, n=4, delta_status="worsened", delta=-0.305, average_4w=0.71, is_headline=True),
        delta("no_reply_share", **ANNA, delta_status="improved", delta=0.2),
        delta("has_next_step_share", **ANNA, is_headline=True, delta_status="improved", delta=0.1),
        delta("no_next_step_share", **ANNA, is_headline=True, delta_status="improved", delta=-0.1),
        delta("first_reply_p50_business_seconds", **ANNA, hits=None, value=90.0, n=1),
        delta("in_target_share", **NOBODY, week="2026-W45", delta_status="improved", delta=0.9),
    ]
    anna, nobody = tab(DIGEST_MANAGERS, manager_deltas=rows)
    assert list(anna)[:8] == [
        "Менеджер", "Команда", "В норме, % от n", "Закрыто вопросов, n", "В норме неделей раньше, %",
        "Неделей раньше, n", "Изменение, п.п.", "Вывод",
    ]  # fmt: skip
    assert list(anna.values())[:8] == ["Анна Ким", "sales", 0.5, 4, 0.25, 4, -30.5, "▼ хуже"]
    assert anna["В среднем за 4 прошлые недели, %"] == 0.71
    assert anna["Главное за неделю"] == "В норме ▼ хуже; Есть следующий шаг ▲ лучше", "the other way round is said once"
    assert (anna["Первый ответ: медиана, раб. мин"], anna["Первых ответов, n"]) == (1.5, 1)
    assert anna["Без ответа: вывод"] == "▲ лучше"
    # what was said of another week is not said of this one
    assert (nobody["Менеджер"], nobody["Вывод"], nobody["В норме неделей раньше, %"]) == ("Без менеджера", None, None)
    (north,) = tab(DIGEST_CHANNELS)
    assert (north["Канал"], north["В норме, % от n"], north["Вывод"]) == ("ВКонтакте: Север", 0.5, "— (мало обращений)")


def test_comparisons_stand_in_their_units_and_empty_ones_are_left_out() -> None:
    rows = [
        delta("no_reply_share", **ANNA, value=0.125, previous_value=0.2, **SURE, delta_status="improved"),
        delta("reply_p50_seconds", **ANNA, hits=None, value=455.0, previous_value=None, previous_n=None),
        delta("good_share", **ANNA, n=0, previous_n=None, value=None, previous_value=None),
    ]
    share, median = tab(DELTAS, manager_deltas=rows)
    names = ("Показатель", "Единица", "Эта неделя", "Неделей раньше", "Изменение (у % — в п.п.)")
    assert [share[name] for name in names] == ["Без ответа", "%", 12.5, 20.0, -20.0]
    assert (share["Изменение: не меньше"], share["Изменение: не больше"]) == (-35.0, -4.0)
    assert (median["Эта неделя"], median["Неделей раньше"], median["Единица"]) == (7.58, None, "мин")
    assert median["n — это"] == "ответов"


def test_a_snapshot_is_one_row_of_the_latest_revision_and_says_why_it_is_there() -> None:
    figures = [kept("in_target_share"), kept("reply_p50_business_seconds", value=120.0, n=2), kept("good_share", n=0)]
    other = [kept("in_target_share", subject_key="crm:2", manager_name="Пусто", n=0, value=None)]
    (anna,) = tab(SNAPSHOTS, snapshots=[*figures, *other])
    assert (anna["Закрыто вопросов, n"], anna["В норме, % от n"]) == (4, 0.5)
    assert (anna["Любой ответ: медиана, раб. мин"], anna["Всего ответов"]) == (2.0, 2)
    assert (anna["Версия недели"], anna["Почему эта версия"], anna["Изменилось показателей"]) == (
        2, "пришли поздние сообщения", 3,
    )  # fmt: skip
    assert anna["Сделано предложение, % от них"] is None


def test_the_company_is_the_sum_of_its_channels_oldest_week_first() -> None:
    north = snapshots.snapshot().channels.to_dict("records")[0]
    south = {**north, "channel_id": "crm:62", "waits_settled": 16, "in_target": 14, "slow_reply": 0, "unanswered": 2}
    before = {**north, **snapshots.NOTHING, "week": "2026-W45", "next_step_judged": None, "has_next_step": None}
    empty, full = tab(TREND, channels=[north, south, before])
    assert empty["Неделя"].startswith("2026-W45") and empty["В норме, % от n"] is None
    assert empty["Есть следующий шаг, % от них"] is None and full["Есть следующий шаг, % от них"] == 0.5
    assert (full["Закрыто вопросов, n"], full["В норме, % от n"], full["Без ответа, % от n"]) == (20, 0.8, 0.15)


def managers(*people: tuple[str, int, int, int]) -> dict[str, Any]:
    """Managers (name, in target, questions, next steps of 40), with what the report reads of them."""
    row = snapshots.snapshot().managers.to_dict("records")[0]
    rows, deltas = [], []
    for name, hits, n, steps in people:
        who = {"manager_key": name, "manager_id": name, "manager_name": name, "team_id": "sales"}
        rows.append({**row, **who, "waits_settled": n, "in_target_share": hits / n})
        deltas += [
            delta("in_target_share", **who, hits=hits, n=n, value=hits / n),
            delta("has_next_step_share", **who, hits=steps, n=40, value=steps / 40),
        ]
    return {"managers": rows, "manager_deltas": deltas}


def test_the_report_ranks_what_can_be_ranked_and_names_what_to_train_with_its_chats() -> None:
    given = managers(("Слабый", 40, 100, 8), ("Новый", 19, 19, 30), ("Сильный", 95, 100, 30), ("Ровный", 90, 100, 29))
    misses = [
        {**MISS, "manager_key": "Слабый", "metric": "has_next_step_share", "conversation_id": f"crm:{n}"} for n in "123"
    ]
    other = {**MISS, "manager_key": "Слабый", "conversation_id": "crm:9"}
    strong, even, weak, new = tab(REPORT, **given, misses=[other, *misses])
    assert [row["Место"] for row in (strong, even, weak, new)] == ["1–2", "1–2", "3", "— (мало вопросов)"]
    assert (new["В норме, % от n"], new["Закрыто вопросов, n"]) == (1.0, 19), "his figures stand all the same"
    assert (weak["Фокус обучения"], weak["Показатель"]) == ("Вести к следующему шагу", "Есть следующий шаг")
    assert (weak["У менеджера, %"], weak["Случаев из n"]) == (0.2, "8 из 40")
    assert (weak["У остальных, %"], weak["У остальных, n"]) == (pytest.approx(89 / 120), 120)
    assert (weak["Разница, п.п."], weak["С кем сравнили"]) == (-54.2, "команда")
    assert weak["Чаты для разбора"] == "crm:1; crm:2; crm:3"
    assert (strong["Фокус обучения"], strong["Чаты для разбора"]) == ("явного фокуса нет", None)


def test_nobodys_questions_take_no_place_and_incomplete_data_say_so() -> None:
    given = managers(("Анна", 95, 100, 30))
    nobody = {**given["managers"][0], **NOBODY}
    given["managers"].append(nobody)
    given["manager_deltas"] = [{**row, "is_complete": False} for row in given["manager_deltas"]]
    anna, none = tab(REPORT, **given)
    assert (anna["Место"], anna["Фокус обучения"]) == ("— (данные неполные)", "мало данных для вывода")
    assert (none["Место"], none["Фокус обучения"]) == ("—", None)


def test_examples_and_advice_in_words_with_what_may_be_shown() -> None:
    (example,) = tab(EXAMPLES)
    assert (example["Что показывает"], example["Ждал, мин"]) == ("Медленный ответ", 90.0)
    assert (example["Чат"], example["Фрагмент"]) == ("crm:1", "Мой номер [телефон]")
    (advice,) = tab(ADVICE, "none")
    assert (advice["О чём"], advice["Фрагмент"]) == ("Нет следующего шага", None)
    assert advice["Совет"].startswith("Предложение есть")
    assert made(EXAMPLES).look.links == {}
    linked = made(EXAMPLES, examples=[{**snapshots.EXAMPLE, "chat_link": "https://shop.example/chats/1"}])
    assert linked.look.links == {"Чат": ["https://shop.example/chats/1"]}


def test_the_first_tab_explains_every_column_state_and_advice_and_says_as_of_when() -> None:
    rows = tab(README)
    explained = Counter(row["Что"] for row in rows if row["О чём"] == "Столбец")
    headings = {one.column.name for title in TITLES[1:] for one in frames.columns_of(title)}
    headings |= {column.name for column, _ in COLUMNS}
    assert set(explained) == headings == set(DEFINITIONS) and set(explained.values()) == {1}
    assert rows[0] == {
        "О чём": "Посчитано на", "Что": "2026-W46 (09.11–15.11)",
        "Что это значит": "посчитано на 16.11.2026 00:00, данные полные",
    }  # fmt: skip
    said = {row["Что"]: row["Что это значит"] for row in rows}
    assert set(STATES.values()) - {"▼ лучше", "▼ хуже"} <= set(said) and "▲ лучше / ▼ лучше" in said
    assert "Первый ответ — 10 раб. мин, следующие — 30" in said["Норма"]
    assert "otklik explain manager_week 2026-W46" in said["Откуда число"]
    assert {name for name, _ in WeeklyWords.ADVICE.values()} <= set(said)
    assert {row["Что"] for row in rows if row["О чём"] == "Вкладка"} == {*TITLES[1:], "data_status"}


@pytest.mark.parametrize("title", TITLES)
def test_the_look_of_a_tab_fits_its_columns(title: str) -> None:
    sheet = made(title)
    assert sheet.look is not None
    names = [column.name for column in sheet.columns]
    texts = {column.name for column in sheet.columns if column.kind == "text"}
    assert list(problems(sheet.look, names, set(names) - texts, texts)) == []
    assert set(sheet.look.notes) <= set(names)
    if title not in (frames.MANAGERS, frames.CHANNELS, frames.CHATS, frames.MESSAGES):
        assert "2026-W46" in sheet.look.caption[0] and "16.11.2026 00:00" in sheet.look.caption[0]


def _drop_last(shown: Shown, title: str) -> None:
    sheet = shown.sheets[title]
    shown.sheets[title] = replace(sheet, frame=sheet.frame.iloc[:-1], weeks=sheet.weeks.iloc[:-1])  # type: ignore[index]


def test_checks_hold_for_the_snapshot_and_each_fails_when_its_tab_is_wrong() -> None:
    """Every rule of the tabs of the week: none contradicts, and each sees a row that is missing or a figure changed."""
    nobody = [delta("in_target_share", **NOBODY, n=0, value=None, previous_n=None, previous_value=None)]
    rows = [delta("in_target_share", **ANNA), *nobody]

    def all_of() -> Shown:
        found = snapshot(manager_deltas=rows)
        tabs = {sheet.title: sheet for sheet in frames.sheets(found, policy())}
        return Shown(found, tabs, {title: status.known_weeks(found, one) for title, one in tabs.items()}, "masked")

    weekly = [one for one in RULES if one.tab in (*TITLES[:9],)]
    assert {one.tab for one in weekly} == set(TITLES[:9])
    right = all_of()
    # the snapshot tells of one week of two
    expected = {"weeks_of_the_company_add_up": 1}
    assert {one.rule.name: one.count(right) for one in weekly if one.count(right)} == expected
    for one in weekly:
        wrong = all_of()
        before = one.count(wrong)
        _drop_last(wrong, one.tab)
        if one.tab == SNAPSHOTS:
            wrong.snapshot.snapshots.loc[0, "value"] = 0.4
        assert one.count(wrong) > before, one.rule.name
    shown = all_of()
    shown.sheets[DELTAS].frame.loc[0, Weekly.VERDICT] = "▲ лучше"
    shown.sheets[REPORT].frame.loc[0, Weekly.PLACE] = "1"
    shown.sheets[EXAMPLES].frame.loc[0, Weekly.SNIPPET] = "8 926 123-45-67"
    found = {one.tab for one in weekly if one.count(shown) and one.tab != TREND}
    assert found == {DELTAS, REPORT, EXAMPLES}
