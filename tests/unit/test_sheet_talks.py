"""What the spreadsheet shows of calls and scores: words where no score counts, masked proofs, nothing without calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from assets.checks.exports import RULES, Shown
from assets.exports import frames, status
from assets.exports.frames import BESIDE, CHANNELS, MANAGERS, OF_TALKS, ORDER, RESULTS, TITLES
from conversations.delta import DeltaStatus
from conversations.digest import Change
from conversations.messages import DEFINITIONS, DEFINITIONS_OF_TALKS, ReadMe, Talks, TalkWords, Weekly
from conversations.messages.digest import change_text
from tests.unit.snapshots import ANNA, FIGURES, NOBODY, NOTHING, delta, made, policy, snapshot, tab

SCORES = {
    "calls_in": 5, "calls_out": 3, "calls_answered": 6, "calls_talk_seconds": 754, "calls_short": 1,
    "calls_internal": 2, "calls_judged": 4, "llm_state": "counted", "auto_fail_share": 0.25,
    "llm_insufficient_share": 0.1, "llm_unscored": 0,
}  # fmt: skip
for _part in ("", "calls_", "chats_"):
    for _name in ("llm", "calibration", "rules"):
        SCORES |= {f"{_part}{_name}_evaluated": 0, f"{_part}{_name}_score_avg": None}
COUNTED = {
    **SCORES,
    "llm_evaluated": 4,
    "llm_score_avg": 81.256,
    "calls_llm_evaluated": 4,
    "calls_llm_score_avg": 81.256,
}
TRIAL = {
    **SCORES, "llm_state": "calibration", "calibration_evaluated": 3, "calibration_score_avg": 40,
    "auto_fail_share": None, "chats_calibration_evaluated": 3, "chats_calibration_score_avg": 40,
}  # fmt: skip
RESULT: dict[str, Any] = {
    "week": "2026-W46", **ANNA, "call_id": "tbank:7", "began": datetime(2026, 11, 10, 9, 30), "direction": "in",
    "department_name": "Торговые представители", "office_name": "Юг", "supervisor_name": None, "talk_seconds": 90,
    "judge": "model", "model": "demo-judge (эмулятор)", "state": "scored", "reason": None, "score": 66.666667,
    "score_state": "calibration", "is_auto_fail": False, "call_link": None, "topic": "Цена",
    "summary": "Просил перезвонить на 8 926 123-45-67",
    "criteria": [
        {"criterion": "greeting", "given": 1, "best": 1, "not_given": None, "gate": "calibration"},
        {"criterion": "secret", "given": 1, "best": 1, "not_given": None, "gate": "not_published"},
        {"criterion": "offer", "given": None, "best": 2, "not_given": "insufficient_evidence", "gate": "counted"},
    ],
    "proofs": [
        {"criterion": "greeting", "reason": "поздоровался", "quote": "Добрый день, почта anna@example.ru"},
        {"criterion": "secret", "reason": "тайна", "quote": "тайна"},
        {"criterion": "offer", "reason": "", "quote": None},
    ],
    "notes": [
        {"kind": "recommendation", "text": "=НАЗОВИТЕ(1)"}, {"kind": "recommendation", "text": "Назовите срок"},
        {"kind": "agreement", "text": "Перезвонить на 8 926 123-45-67"},
    ],
    "titles": {"greeting": "Приветствие"},
}  # fmt: skip
MANAGER = {
    "week": "2026-W46", "sessions_touched": 9, "chat_sessions_touched": 3, "left_waiting": 1, "team_id": None,
    "department_name": "Офис-менеджеры",
}  # fmt: skip


def rows_of(title: str, texts: Any = "masked", **given: Any) -> list[dict[str, Any]]:
    return tab(title, texts, has_talks=True, **given)


def managers(*scores: dict[str, Any]) -> list[dict[str, Any]]:
    people = ({**ANNA, **FIGURES}, {**NOBODY, **NOTHING})
    return [{**MANAGER, **who, **one} for who, one in zip(people, scores, strict=True)]


def test_without_calls_every_tab_is_as_it_was() -> None:
    shown = [sheet.title for sheet in frames.sheets(snapshot(), policy())]
    assert shown == list(TITLES)
    assert not set(OF_TALKS) & set(shown)
    for title in (MANAGERS, CHANNELS):
        headings = {one.column.name for one in frames.columns_of(title)}
        assert not headings & set(DEFINITIONS_OF_TALKS)


def test_with_calls_their_tabs_stand_in_the_order_and_every_column_is_explained() -> None:
    assert [title for title in ORDER if title not in OF_TALKS] == list(TITLES)
    assert frames.titles_of(has_talks=True) == ORDER
    assert set(DEFINITIONS_OF_TALKS).isdisjoint(DEFINITIONS)
    named = {value for name, value in vars(Talks).items() if name.isupper()}
    assert named == set(DEFINITIONS_OF_TALKS)
    shown = {one.column.name for title in ORDER for one in frames.columns_of(title, has_talks=True)}
    assert named <= shown


SILENT = {"not_required": 0, "left_waiting": 0, "chat_sessions_touched": 0}
PHONE = {"manager_key": "tbank:8", "manager_id": "tbank:8", "manager_name": "Вера"}


def digest_names(more: dict[str, Any], deltas: Any = ()) -> list[str]:
    """Who stands in the digest of managers beside Anna, with these figures of Vera's."""
    people = [{**MANAGER, **ANNA, **FIGURES, **SCORES}, {**MANAGER, **PHONE, **NOTHING, **SCORES, **SILENT, **more}]
    compared = [delta("in_target_share", **ANNA), *deltas]
    found = snapshot(has_talks=True, managers=people, results=[RESULT], manager_deltas=compared)
    found = replace(found, channels=found.channels.assign(**{name: [value] for name, value in SCORES.items()}))
    tabs = {sheet.title: sheet for sheet in frames.sheets(found, policy())}
    (rule,) = (one for one in RULES if one.tab == frames.DIGEST_MANAGERS)
    assert rule.count(Shown(found, tabs, {}, "masked")) == 0
    assert len(tabs[MANAGERS].frame) == 2 and len(tabs[BESIDE].frame) == 2, "the tabs that tell of calls have everybody"
    return list(tabs[frames.DIGEST_MANAGERS].frame["Менеджер"])


def test_who_was_on_the_telephone_alone_is_not_compared_by_his_chats() -> None:
    empty = delta("in_target_share", n=0, previous_n=0, value=None, previous_value=None, delta=None,
                  delta_status="previous_empty", is_headline=False, **PHONE)  # fmt: skip
    assert digest_names({}, [empty]) == ["Анна Ким"]
    both = ["Анна Ким", "Вера"]
    # one question of any kind, a chat, or a week before with chats in it, and he is there
    for name in ("waits_settled", "not_required", "pending_now", "chat_sessions_touched", "sessions_with_intent"):
        settled = {"n": int(name == "waits_settled"), "hits": 0}
        assert digest_names({name: 1}, [{**empty, **settled}]) == both, name
    assert digest_names({}, [{**empty, "previous_n": 7, "previous_value": 0.5}]) == both
    # a change of his missed calls is told, and who had neither calls nor chats was assigned chats
    missed = delta("missed_calls_in_target_share", is_headline=True, delta_status="worsened", **PHONE)
    assert digest_names({}, [empty, missed]) == both
    assert digest_names({"calls_in": 0, "calls_out": 0, "calls_internal": 0}, [empty]) == both


def test_the_tab_of_results_may_be_called_otherwise_and_the_first_tab_says_both_names() -> None:
    sheets = {sheet.title: sheet for sheet in frames.sheets(shown().snapshot, policy(), {RESULTS: "Итоги звонков"})}
    assert {title: sheet.tab().called for title, sheet in sheets.items() if sheet.tab().called != title} == {
        RESULTS: "Итоги звонков",
    }  # fmt: skip
    what = list(sheets[frames.README].frame[ReadMe.WHAT])
    assert "Итоги звонков (call_results)" in what and RESULTS not in what


@pytest.mark.parametrize("title", [MANAGERS, BESIDE])
def test_an_average_is_a_number_only_where_it_counts(title: str) -> None:
    score, trial = (Talks.SCORE, Talks.TRIAL) if title == MANAGERS else (Talks.CHATS_SCORE, Talks.CHATS_TRIAL)
    anna, nobody = rows_of(title, managers=managers(COUNTED, TRIAL))
    assert (nobody[score], nobody[trial]) == (TalkWords.CALIBRATION, 40.0)
    if title == MANAGERS:
        assert (anna[score], anna[Talks.SCORE_N], anna[Talks.FAILS]) == (81.26, 4, 0.25)
    else:
        assert (anna[Talks.CALLS_SCORE], anna[Talks.CALLS_SCORE_N], anna[score]) == (81.26, 4, None)
        assert anna[Talks.CALLS_MINUTES] == 12.57


def test_what_may_not_be_published_is_a_word() -> None:
    hidden = {**SCORES, "llm_state": "not_published"}
    assert rows_of(MANAGERS, managers=managers(hidden, SCORES))[0][Talks.SCORE] == "не опубликовано"


def test_a_call_says_what_its_score_is_and_hides_what_may_not_be_shown() -> None:
    (row,) = rows_of(RESULTS, results=[RESULT], managers=managers(SCORES, SCORES))
    assert (row[Talks.POINTS], row[Talks.POINTS_ARE], row[Talks.LENGTH]) == (66.67, "калибровка", 1.5)
    assert row[Talks.JUDGE] == "модель demo-judge (эмулятор)"
    (row,) = rows_of(RESULTS, results=[{**RESULT, "answered_by": "gpt-7-0101"}], managers=managers(SCORES, SCORES))
    assert row[Talks.JUDGE] == "модель gpt-7-0101"
    assert row[Talks.MARKS].split("\n") == [
        "Приветствие: 1 из 1 (калибровка)", "secret: не опубликовано", "offer: нет доказательств",
    ]  # fmt: skip
    assert row[Talks.PROOF].split("\n") == ["Приветствие: поздоровался — «Добрый день, почта [почта]»", "offer"]
    assert row[Talks.SUMMARY] == "Просил перезвонить на [телефон]"
    assert row[Talks.AGREEMENTS] == "Перезвонить на [телефон]"
    assert row[Talks.RECOMMENDATIONS].endswith("\nНазовите срок")


def test_a_screen_shows_twenty_calls_whatever_was_said_of_them() -> None:
    """1080 pixels less 210 of what stands above and below the rows: the program's bars, letters, captions, heading."""
    look = made(RESULTS, has_talks=True, results=[RESULT], managers=managers(SCORES, SCORES)).look
    assert look is not None and look.row_height is not None
    assert (1080 - 210) // look.row_height >= 20


def test_a_policy_without_texts_shows_none_of_what_was_said() -> None:
    (row,) = rows_of(RESULTS, "none", results=[RESULT], managers=managers(SCORES, SCORES))
    said = (Talks.PROOF, Talks.TOPIC, Talks.SUMMARY, Talks.RECOMMENDATIONS, Talks.AGREEMENTS)
    assert [row[heading] for heading in said] == [None] * 5
    assert row[Talks.MARKS]


def test_a_call_that_was_not_scored_says_why() -> None:
    unscored = {**RESULT, "state": "unscored", "reason": "not_json", "score": None, "score_state": None, "criteria": []}
    voicemail = {
        **unscored,
        "state": "unsuitable",
        "reason": "voicemail",
        "judge": "rules",
        "proofs": None,
        "notes": None,
    }
    one, other = rows_of(RESULTS, results=[unscored, voicemail], managers=managers(SCORES, SCORES))
    assert (one[Talks.RESULT], one[Talks.POINTS]) == ("не оценён: ответ модели не по форме", None)
    assert (other[Talks.RESULT], other[Talks.JUDGE]) == ("не разговор: автоответчик", "правила")


def test_a_model_advises_under_its_own_name_and_without_contacts() -> None:
    advice = {
        "week": "2026-W46", **ANNA, "conversation_id": "crm:1", "message_id": "m", "channel_kind": "vk",
        "channel_name": "Север", "sent_at": datetime(2026, 11, 10), "snippet": None, "chat_link": None,
        "rule": "model_recommendation", "source": "model", "recommendation": "Позвоните на 8 926 123-45-67",
    }  # fmt: skip
    (row,) = tab(frames.ADVICE, advice=[advice])
    assert (row["О чём"], row["Совет"]) == ("По мнению модели", "Позвоните на [телефон]")
    assert tab(frames.ADVICE, "none", advice=[advice])[0]["Совет"] is None
    assert TalkWords.HOW_ADVICE in made(frames.ADVICE, advice=[advice]).look.caption  # type: ignore[union-attr]
    assert TalkWords.HOW_ADVICE not in made(frames.ADVICE).look.caption  # type: ignore[union-attr]


def test_beside_calls_stand_chats_alone_and_the_department_of_who_has_no_team() -> None:
    who = [{**MANAGER, **ANNA, **FIGURES, **COUNTED, "team_id": "sales"}, {**MANAGER, **NOBODY, **NOTHING, **SCORES}]
    anna, nobody = rows_of(BESIDE, managers=who)
    assert (anna[Talks.CHATS_TOUCHED], anna[Talks.UNIT]) == (3, "sales")
    assert nobody[Talks.UNIT] == "Офис-менеджеры"


def test_calls_among_colleagues_are_no_figure_of_a_channel() -> None:
    shown_of = {title: {one.column.name for one in frames.columns_of(title, has_talks=True)} for title in ORDER}
    assert Talks.CALLS_INTERNAL in shown_of[MANAGERS]
    assert Talks.CALLS_INTERNAL not in shown_of[CHANNELS]


def test_the_week_of_calls_and_chats_has_a_chart_of_both() -> None:
    look = made(BESIDE, has_talks=True, managers=managers(COUNTED, TRIAL)).look
    assert look is not None
    (chart,) = look.charts
    assert len(chart.values) == 2


def shown(**given: Any) -> Shown:
    found = snapshot(has_talks=True, managers=managers(COUNTED, TRIAL), results=[RESULT], **given)
    found = replace(found, channels=found.channels.assign(**{name: [value] for name, value in SCORES.items()}))
    tabs = {sheet.title: sheet for sheet in frames.sheets(found, policy())}
    return Shown(found, tabs, {title: status.known_weeks(found, one) for title, one in tabs.items()}, "masked")


def _drop(one: Shown, title: str) -> None:
    sheet = one.sheets[title]
    one.sheets[title] = replace(sheet, frame=sheet.frame.iloc[:-1], weeks=sheet.weeks.iloc[:-1])  # type: ignore[index]


@pytest.mark.parametrize(
    ("title", "breaks"),
    [
        (BESIDE, lambda one: _drop(one, BESIDE)),
        (BESIDE, lambda one: one.sheets[BESIDE].frame.__setitem__(Talks.CALLS_SCORE, [80.0, None])),
        (BESIDE, lambda one: one.sheets[BESIDE].frame.__setitem__(Talks.CHATS_SCORE, [None, 40.0])),
        (BESIDE, lambda one: one.sheets[BESIDE].frame.__setitem__(Talks.CALLS_IN, [5, 4])),
        (RESULTS, lambda one: _drop(one, RESULTS)),
        (RESULTS, lambda one: one.sheets[RESULTS].frame.__setitem__(Talks.POINTS_ARE, [None])),
        (RESULTS, lambda one: one.sheets[RESULTS].frame.__setitem__(Talks.SUMMARY, ["8 926 123-45-67"])),
    ],
)
def test_the_checks_hold_and_see_what_is_wrong(title: str, breaks: Any) -> None:
    (rule,) = (one for one in RULES if one.tab == title)
    right, wrong = shown(), shown()
    assert rule.count(right) == 0
    breaks(wrong)
    assert rule.count(wrong) >= 1


def test_every_column_is_explained_and_every_check_holds_for_what_is_shown() -> None:
    one = shown()
    named = {"read_me_explains_every_column", "data_status_speaks_of_every_week"}
    assert [rule.rule.name for rule in RULES if rule.rule.name in named and rule.count(one)] == []


def test_a_comparison_of_scores_stands_in_points_and_not_in_minutes() -> None:
    row = delta("llm_score_avg", **ANNA, hits=None, value=81.256, previous_value=70.0, n=12, previous_n=11,
                delta_status="improved", delta=11.256, low=4.0, high=18.0)  # fmt: skip
    (shown_row,) = tab(frames.DELTAS, manager_deltas=[row])
    assert (shown_row["Показатель"], shown_row[Weekly.UNIT], shown_row[Weekly.NOW], shown_row[Weekly.DELTA]) == (
        "Оценка модели", "балл", 81.26, 11.26,
    )  # fmt: skip


def test_the_digest_says_a_change_of_scores_in_points() -> None:
    change = Change(
        "manager", "anna", "Анна", "llm_score_avg", DeltaStatus.WORSENED, 70.04, 12, 81.0, 11, -10.96, 0.001, True
    )
    assert change_text(change) == "оценка модели ▼ 70,0 из 100 по 12 (было 81,0 по 11)"
