"""Which calls are judged and whose they are: every reason, their order, and the edges of days."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import pytest

from conversations.departments import Directory, OperatorStay, department_of
from conversations.policy_scoring import Department, Telephony
from conversations.scoring.eligible import WHY_NOT, why_not


class Facts(NamedTuple):
    is_internal: bool = False
    is_answered: bool | None = True
    talk_seconds: int | None = 20


POLICY = Telephony()


@pytest.mark.parametrize(
    ("call", "transcript", "known", "has_department", "said"),
    [
        (Facts(), "ready", True, True, None),
        (Facts(talk_seconds=19), "ready", True, True, "short"),
        (Facts(talk_seconds=None), "ready", True, True, None),
        (Facts(is_answered=None, talk_seconds=0), "ready", True, True, "short"),
        (Facts(is_answered=False, talk_seconds=0), None, True, True, "missed"),
        (Facts(), "ready", False, True, "unknown_operator"),
        (Facts(), "ready", True, False, "no_department"),
        (Facts(), None, True, True, "no_transcript"),
        (Facts(), "pending", True, True, "transcript_pending"),
        (Facts(), "no_speech", True, True, "no_speech"),
        # the first reason that holds wins
        (Facts(True, False, 0), None, False, False, "internal"),
        (Facts(False, False, 0), None, False, False, "missed"),
        (Facts(False, True, 0), None, False, False, "short"),
        (Facts(), None, False, False, "unknown_operator"),
        (Facts(), None, True, False, "no_department"),
    ],
)
def test_a_call_has_the_first_reason_that_holds(
    call: Facts, transcript: str | None, known: bool, has_department: bool, said: str | None
) -> None:
    assert why_not(call, transcript, known, POLICY, has_department=has_department) == said
    assert said is None or said in WHY_NOT


def test_the_policy_moves_the_bounds() -> None:
    assert why_not(Facts(talk_seconds=20), "ready", True, Telephony(short_call_seconds=21)) == "short"
    assert why_not(Facts(talk_seconds=0), "ready", True, Telephony(short_call_seconds=0)) is None
    assert why_not(Facts(), "ready", False, Telephony(judge_unknown_operators=True)) is None


def stay(operator: str, day: date, department: str | None, connection: str = "tbank") -> OperatorStay:
    return OperatorStay(connection, operator, day, department)


EVER, MARCH = date.min, date(2026, 3, 1)
DEPARTMENTS = {
    "sales": Department(name="Торговые", agent_group="Торговые представители", rubric="sales_calls", prompt="p"),
    "office": Department(name="Офис", agent_group="Офис-менеджеры", rubric="office_calls", prompt="p"),
    "none": Department(name="Без группы", rubric="office_calls", prompt="p"),
}


@pytest.mark.parametrize(
    ("day", "department"), [(date(2026, 2, 28), "office"), (date(2026, 3, 1), "sales"), (date(2026, 3, 2), "sales")]
)
def test_a_stay_begins_on_its_day_and_ends_where_the_next_begins(day: date, department: str) -> None:
    stays = [stay("314", MARCH, "sales"), stay("314", EVER, "office")]
    assert department_of(stays, "Офис-менеджеры", DEPARTMENTS, day) == department


def test_the_directory_wins_over_the_group_and_the_group_over_nothing() -> None:
    assert department_of([stay("314", EVER, "office")], "Торговые представители", DEPARTMENTS, MARCH) == "office"
    assert department_of([stay("314", EVER, None)], "Торговые представители", DEPARTMENTS, MARCH) is None
    assert department_of([], "Торговые представители", DEPARTMENTS, MARCH) == "sales"
    assert department_of([stay("314", date(2026, 3, 2), "office")], "Торговые представители", DEPARTMENTS, MARCH) == (
        "sales"
    )
    assert department_of([], "Торговые", DEPARTMENTS, MARCH) is None
    assert department_of([], None, DEPARTMENTS, MARCH) is None


def test_an_operator_is_found_by_his_id_or_his_login() -> None:
    directory = Directory([stay("314", EVER, "office"), stay(" Operator1 ", MARCH, "sales")])

    def found(operator_id: str | None, login: str | None, on: date = MARCH, connection: str = "tbank") -> str | None:
        row = directory.stay(connection, operator_id, login, on)
        return row and row.department_id

    assert found("tbank:314", None) == found("314", None) == "office"
    assert found(None, "operator1") == "sales"
    assert found(None, "operator1", date(2026, 2, 28)) is None
    assert found("tbank:314", "OPERATOR1") == "sales"  # the later row
    assert found("tbank:314", "operator1", date(2026, 2, 28)) == "office"
    assert found("tbank:315", None) is found(None, None) is None
    assert found("314", None, connection="tbank-2") is None


def test_of_two_rows_of_one_day_that_of_the_id_holds() -> None:
    row = Directory([stay("314", EVER, "office"), stay("operator1", EVER, "sales")]).stay(
        "tbank", "314", "operator1", MARCH
    )
    assert row is not None and row.department_id == "office"


def test_nobody_is_missing_in_a_directory_that_was_never_given() -> None:
    assert Directory([]).knows("tbank", "tbank:314", None, MARCH)
    given = Directory([stay("314", MARCH, None)])
    assert given.knows("tbank", "tbank:314", None, MARCH)
    assert not given.knows("tbank", "tbank:314", None, date(2026, 2, 28))
    assert not given.knows("tbank", "tbank:315", "operator2", MARCH)
    assert given.knows("tbank-2", "tbank-2:315", None, MARCH)
