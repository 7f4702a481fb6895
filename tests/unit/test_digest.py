"""Monday's digest: which facts it tells, that it fits, that it draws no arrow where none is due, that it escapes."""

from __future__ import annotations

import doctest
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import digest as rules
from conversations.delta import DeltaStatus
from conversations.digest import Condition, company_change, contradictions, digest_of, is_untold, main_changes
from conversations.messages import digest as words
from conversations.messages.digest import late_data, late_text, plain_text, telegram_text
from conversations.policy import Policy, PolicyError
from tests.emulators.telegram_html import parse, units
from tests.unit.digesting import ANNA, BORIS, LINK, WHATSAPP, change, company, facts, figures

WORSE, BETTER = DeltaStatus.WORSENED, DeltaStatus.IMPROVED
WHOLE = """\
Тёплый край: 2026-W46 (09.11–15.11)
данные на 16.11.2026 08:00

В норме 64,0 % — 80 из 125 вопросов
▼ хуже на 16,0 п.п.: было 80,0 % из 125
Без ответа 12,0 % — 15 из 125
Ждут ответа сейчас: 5 (Борис Ким — 4)

Главные изменения
🔴 Анна Петрова: в норме ▼ 66,7 % из 75 (было 84,0 % из 50)
🟢 WhatsApp Москва: медиана первого ответа ▼ 5,00 раб. мин по 80 (было 15,00 по 70)

Без ответа больше всего: Борис Ким 10 из 50, Анна Петрова 5 из 75
⚠️ Данные неполные: Instagram (не все сообщения загружены)
Подробно в таблице"""


@pytest.mark.parametrize("module", [rules, words])
def test_examples_in_docstrings_hold(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted and not result.failed


def test_the_whole_text_as_telegram_shows_it() -> None:
    faster = change("w", "first_reply_p50_business_seconds", BETTER, name="WhatsApp Москва", subject_kind="channel",
                    value=300.0, previous_value=900.0, delta=-600.0, n=80, previous_n=70)  # fmt: skip
    bad = Condition("Instagram", "incomplete", "incomplete_days", False, 35)
    told = digest_of(facts(changes=[faster, change()], conditions=[bad]))
    text, entities = parse(telegram_text(told))
    assert text == WHOLE
    assert [one["url"] for one in entities if one["type"] == "text_link"] == [LINK]
    assert plain_text(telegram_text(told)) == f"{WHOLE}: {LINK}"


def test_no_significant_change_and_nothing_else_missing() -> None:
    text = parse(telegram_text(digest_of(facts())))[0]
    assert "Значимых изменений нет" in text
    assert "⚠️" not in text and "🔴" not in text and "🟢" not in text


def test_a_week_without_questions() -> None:
    nobody = [replace(one, settled=0, in_target=0, slow=0, unanswered=0, pending=0) for one in (ANNA, WHATSAPP)]
    empty = company(DeltaStatus.CURRENT_EMPTY, delta=None)
    told = facts(company=replace(empty, n=0, value=None), managers=nobody[:1], channels=nobody[1:])
    text = parse(telegram_text(digest_of(told)))[0]
    assert "Вопросов клиентов за неделю не было" in text and "%" not in text
    assert contradictions(told) == []


@pytest.mark.parametrize("status", list(DeltaStatus))
def test_an_arrow_only_where_the_state_allows_one(status: DeltaStatus) -> None:
    has_delta = status in (WORSE, BETTER, DeltaStatus.NO_CHANGE_DETECTED)
    known = {} if status != DeltaStatus.NO_PREVIOUS_WEEK else {"previous_value": None, "previous_n": None}
    told = facts(company=company(status, **({} if has_delta else {"delta": None}), **known))
    text = parse(telegram_text(digest_of(told)))[0]
    assert ("▼" in text) == (status in (WORSE, BETTER))
    assert ("п.п." in text) == (status in (WORSE, BETTER))
    assert {
        DeltaStatus.NO_PREVIOUS_WEEK: "— (нет прошлой недели)",
        DeltaStatus.NOT_COMPARABLE: "было 80,0 % из 125: изменились правила",
        DeltaStatus.DATA_INCOMPLETE: "было 80,0 % из 125: данные неполные",
        DeltaStatus.PREVIOUS_EMPTY: "не было обращений",
        DeltaStatus.CURRENT_EMPTY: "нет данных",
        DeltaStatus.LOW_SAMPLE: "было 80,0 % из 125: мало обращений",
        DeltaStatus.NO_CHANGE_DETECTED: "без заметных изменений: было 80,0 % из 125",
        BETTER: "▼ лучше на 16,0 п.п.: было 80,0 % из 125",
        WORSE: "▼ хуже на 16,0 п.п.: было 80,0 % из 125",
    }[status] in text


def test_main_changes_are_headlines_once_per_subject_matter_and_way() -> None:
    found = main_changes([
        change("a", "slow_reply_share", p_value=0.0005),
        change("a", "reply_p50_business_seconds", p_value=0.0005),
        change("a", "in_target_share", p_value=0.002),
        # the other way: another story
        change("a", "no_reply_share", BETTER, p_value=0.006),
        change("a", "no_next_step_share", p_value=0.004),
        change("a", "has_next_step_share", p_value=0.004),
        change("a", "made_offer_share", is_headline=False, p_value=0.0001),
        change("b", "slow_reply_share", BETTER, p_value=0.003),
        change("b", "first_reply_p50_seconds", BETTER, p_value=0.005),
        change("a", "in_target_share", p_value=0.001, subject_kind="channel"),
    ])  # fmt: skip
    assert [(one.subject_kind, one.key, one.metric) for one in found] == [
        ("channel", "a", "in_target_share"),
        ("manager", "a", "in_target_share"),
        ("manager", "b", "slow_reply_share"),
        ("manager", "a", "has_next_step_share"),
        ("manager", "a", "no_reply_share"),
    ]


def test_at_most_five_of_the_surest_and_the_worse_first() -> None:
    many = [change(f"m{place}", status=BETTER if place < 4 else WORSE, p_value=place / 1000) for place in range(8)]
    told = digest_of(facts(changes=many))
    assert [one.key for one in told.main] == ["m4", "m0", "m1", "m2", "m3"]
    assert told.more_main == 3


def test_who_is_named_is_a_matter_of_counts() -> None:
    rows = [
        figures("А", 1, 0, 2),
        figures("Б", 1, 0, 9),
        figures("В", 1, 0, 2),
        figures("Г", 1, 0, 3),
        figures("Д", 9, 0, 0),
    ]
    told = digest_of(facts(managers=rows))
    assert [row.name for row in told.unanswered] == ["Б", "Г", "А"]
    assert told.waiting == ()


def test_facts_that_contradict_each_other_are_noticed() -> None:
    assert contradictions(facts()) == []
    assert len(contradictions(facts(company=replace(company(), n=124)))) == 1
    assert len(contradictions(facts(company=replace(company(), value=0.63)))) == 1
    assert len(contradictions(facts(managers=[ANNA]))) == 1
    assert len(contradictions(facts(managers=[ANNA, replace(BORIS, slow=11)]))) == 1


@pytest.mark.parametrize(
    ("statuses", "is_untold_"),
    [
        ([("ok", 10)], False),
        ([("ok", 0)], False),
        ([("incomplete", 10)], True),
        ([("ok", 5), ("incomplete", 5)], False),
        ([("ok", 5), ("failed", 6)], True),
        ([], True),
    ],
)
def test_a_week_is_untold_when_its_greater_part_is_incomplete(
    statuses: list[tuple[str, int]], is_untold_: bool
) -> None:
    assert is_untold([Condition("x", status, "", False, n) for status, n in statuses]) == is_untold_


def test_the_company_is_compared_like_any_other() -> None:
    now = {f"s{place}": [int(place < 2)] for place in range(40)}
    before = {f"s{place}": [int(place < 10)] for place in range(40)}

    def compared(has_same_rules: bool = True, completeness: float | None = 1.0, with_before: bool = True):
        return company_change("2026-W46", 1, now, before if with_before else None,
                              completeness=(completeness, 1.0), has_same_rules=has_same_rules)  # fmt: skip

    # the contract's own example, 10/40 -> 2/40: [-35.6; -4.2], there with deff = 1, here 40/39
    found = compared()
    assert (found.status, found.low, found.high) == (
        WORSE,
        pytest.approx(-0.356, abs=0.003),
        pytest.approx(-0.042, abs=0.003),
    )
    assert compared(has_same_rules=False).status == DeltaStatus.NOT_COMPARABLE
    assert compared(completeness=0.97).status == compared(completeness=None).status == DeltaStatus.DATA_INCOMPLETE
    assert compared(with_before=False).status == DeltaStatus.NO_PREVIOUS_WEEK


def test_the_short_message_says_why_and_that_nothing_has_to_be_done() -> None:
    why = late_data(
        [Condition("Insta<b>", "incomplete", "incomplete_days", False, 1), Condition("W", "ok", "", False, 1)]
    )
    text = parse(late_text("2026-W46", facts().monday, why, LINK, is_published=True))[0]
    assert text == (
        "⏳ Отчёт задерживается: 2026-W46 (09.11–15.11)\n"
        "Почему: загружены не все данные: Insta<b> (не все сообщения загружены)\n"
        "Цифры в таблице неполные. Отчёт придёт сюда сам, как только всё будет готово. Делать ничего не нужно.\n"
        "Подробно в таблице"
    )
    text = parse(late_text("2026-W46", facts().monday, words.Digests.LATE_CHECK, None))[0]
    assert text.split("\n")[1:] == [
        "Почему: новые цифры не прошли проверку",
        "Отчёт придёт сюда сам, как только всё будет готово. Делать ничего не нужно.",
    ]
    assert "В таблице пока прежние цифры." in late_text("2026-W46", facts().monday, "x", LINK)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</b>&amp;",
        "\N{RIGHT-TO-LEFT OVERRIDE}abc",
        "Ы" * 200,
        "a\nb\n\nc",
        '"><a href="x">',
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(NAMES, st.sampled_from(["in_target_share", "good_share", "reply_p50_seconds"])), max_size=12),
    st.lists(NAMES, max_size=8),
    st.lists(NAMES, max_size=6),
    NAMES,
)
def test_it_always_fits_one_message_and_one_screen(
    changes: list[tuple[str, str]], managers: list[str], channels: list[str], organisation: str
) -> None:
    told = digest_of(facts(
        organisation=organisation,
        changes=[change(str(place), metric, name=name, p_value=place / 1e4)
                 for place, (name, metric) in enumerate(changes)],
        managers=[replace(BORIS, key=str(place), name=name) for place, name in enumerate(managers)],
        conditions=[Condition(name, "failed", "clock_skew, one_direction", True, 1) for name in channels],
    ))  # fmt: skip
    text = telegram_text(told)
    shown, entities = parse(text)
    assert units(shown) <= words.LONGEST and len(entities) <= 100
    assert sum(max(1, -(-len(line) // words.LINE_CHARACTERS)) for line in shown.split("\n")) <= words.MOST_LINES
    # what comes from outside is text: the only link is ours, and no name has become markup
    assert [one["url"] for one in entities if one["type"] == "text_link"] == [LINK]
    assert {one["type"] for one in entities} <= {"bold", "italic", "text_link"}
    assert text.count("<b>") == text.count("</b>") == sum(one["type"] == "bold" for one in entities)
    # what is left out is counted
    named = shown.count("🔴")
    if told.main and named < len(told.main) + told.more_main:
        assert str(len(told.main) + told.more_main - named) in shown


@pytest.mark.parametrize(
    ("written", "chats"),
    [
        ("chats: -1001234567890", ("-1001234567890",)),
        ('chats: ["-1001", 7, "@heads", 7]', ("-1001", "7", "@heads")),
        ("chats: []", ()),
        ("enabled: false", ()),
    ],
)
def test_the_policy_names_chats_as_people_write_them(written: str, chats: tuple[str, ...]) -> None:
    policy = Policy.parse(f"digest: {{{written}}}")
    assert policy.digest.chats == chats
    # who is told changes no figure
    assert policy.hash == Policy.default().hash


@pytest.mark.parametrize(
    "written", ['chats: ["no chat"]', "chats: [true]", "link: example.org", 'link: "javascript:x"']
)
def test_the_policy_refuses_what_is_no_chat_and_no_address(written: str) -> None:
    with pytest.raises(PolicyError, match="digest"):
        Policy.parse(f"digest: {{{written}}}")
