"""Accounts joined to people and people to teams: what the policy may say, what rows and calendars follow from it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.people import ALWAYS, Account, Known, Stay, people_of
from conversations.policy import Policy, PolicyError
from conversations.rules import compile_policy

TEAMS = "teams: {sales: none, care: none, night: none}\n"


def people(section: str, *managers: Known, teams: str = TEAMS) -> tuple[list[Account], list[Stay], list[str]]:
    return people_of(Policy.parse(f"{teams}people: {section}"), managers)


def test_an_account_that_nobody_names_is_a_person_of_its_own() -> None:
    assert people("{}", Known("b:2", "Борис", None), Known("a:1", "Анна", "sales")) == (
        [Account("a:1", "a:1", "Анна"), Account("b:2", "b:2", "Борис")],
        [Stay("a:1", ALWAYS, "sales"), Stay("b:2", ALWAYS, None)],
        [],
    )


def test_several_accounts_are_one_person_under_one_name_in_one_team() -> None:
    accounts, stays, missing = people(
        "{anna: {name: Анна Петрова, accounts: [a:1, b:7, c:9], team: care}}",
        Known("a:1", "Анна П.", "sales"),
        Known("b:7", "anna", None),
        Known("a:2", "Вера", "sales"),
    )
    assert accounts == [
        Account("a:1", "anna", "Анна Петрова"), Account("a:2", "a:2", "Вера"), Account("b:7", "anna", "Анна Петрова")
    ]  # fmt: skip
    assert stays == [Stay("a:2", ALWAYS, "sales"), Stay("anna", ALWAYS, "care")]
    assert missing == ["c:9"]


def test_what_the_policy_leaves_out_comes_from_the_first_account_that_says_it() -> None:
    accounts, stays, missing = people(
        "{anna: {accounts: [x:0, a:1, b:7]}}", Known("b:7", "Аня", "care"), Known("a:1", "Анна", None)
    )
    assert {account.person_name for account in accounts} == {"Анна"}
    assert stays == [Stay("anna", ALWAYS, "care")]
    assert missing == ["x:0"]


def test_a_person_without_any_known_account_has_no_rows() -> None:
    assert people("{anna: {name: Анна, accounts: [a:1], team: care}}") == ([], [], ["a:1"])


@pytest.mark.parametrize(
    ("team", "expected"),
    [
        ("[{team: care}, {valid_from: 2026-11-16, team: night}]", [(ALWAYS, "care"), (date(2026, 11, 16), "night")]),
        ("[care, {valid_from: 2026-11-16, team: night}]", [(ALWAYS, "care"), (date(2026, 11, 16), "night")]),
        # until then, what the source says
        ("[{valid_from: 2026-11-16, team: night}]", [(ALWAYS, "sales"), (date(2026, 11, 16), "night")]),
        ("{valid_from: 2026-11-16, team: night}", [(ALWAYS, "sales"), (date(2026, 11, 16), "night")]),
        # no change is no row, whatever the order in the file
        (
            "[{valid_from: 2026-12-01, team: care}, {valid_from: 2026-11-16, team: care}, {team: night}]",
            [(ALWAYS, "night"), (date(2026, 11, 16), "care")],
        ),
        ("[{team: care}, {valid_from: 2026-11-16, team: null}]", [(ALWAYS, "care"), (date(2026, 11, 16), None)]),
        ("null", [(ALWAYS, None)]),
    ],
)
def test_teams_by_date(team: str, expected: list[tuple[date, str | None]]) -> None:
    _, stays, _ = people(f"{{anna: {{accounts: [a:1], team: {team}}}}}", Known("a:1", "Анна", "sales"))
    assert stays == [Stay("anna", day, name) for day, name in expected]


DAY = date(2026, 11, 1)


@given(
    moves=st.dictionaries(st.none() | st.integers(0, 20), st.sampled_from(("sales", "care", None)), max_size=4),
    source=st.sampled_from(("night", None)),
)
def test_the_team_of_every_day_is_the_last_that_was_said_before(
    moves: dict[int | None, str | None], source: str | None
) -> None:
    """By a count of days, entry by entry, instead of intervals; rows and the calendars of waits agree."""
    said = [{"valid_from": None if n is None else DAY + timedelta(days=n), "team": team} for n, team in moves.items()]
    content = {
        "organisation": {"time_zone": "Asia/Almaty", "calendar": "none"},
        "calendars": {name: {"time_zone": "UTC"} for name in ("S", "C", "N")},
        "teams": {"sales": "S", "care": "C", "night": "N"},
        "people": {"anna": {"accounts": ["a:1", "b:1"], "team": said}},
    }
    policy = Policy.model_validate(content)
    stays = people_of(policy, [Known("a:1", "Анна", None), Known("b:1", "Анна", source)]).stays
    rules = compile_policy(policy, {"a:1": None, "b:1": source})
    channel = rules.channel("whatsapp").at(0)
    for number in range(-3, 25):
        day = DAY + timedelta(days=number)
        expected = moves.get(None, source)
        for n in range(-3, number + 1):
            expected = moves.get(n, expected)
        assert [stay for stay in stays if stay.valid_from <= day][-1].team_id == expected
        for clock in (datetime.min.time(), datetime.max.time()):
            second = int(datetime.combine(day, clock, ZoneInfo("Asia/Almaty")).timestamp())
            for account in ("a:1", "b:1"):
                calendar = rules.calendar_of(account, channel, second)
                assert calendar == (None if expected is None else expected[0].upper())


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{anna: {accounts: []}}", "people.anna.accounts: "),
        ("{anna: {name: Анна}}", "people.anna.accounts: "),
        ("{anna: {name: '', accounts: [a:1]}}", "people.anna.name: "),
        ("{anna: {accounts: [a:1], teams: sales}}", "people.anna.teams: there is no such setting"),
        ("{anna: {accounts: [a:1], team: accounting}}", "people.anna.team: there is no team 'accounting' under teams"),
        (
            "{anna: {accounts: [a:1], team: [{team: sales}, {valid_from: 2026-01-01, team: x}]}}",
            "people.anna.team: there is no team 'x'",
        ),
        (
            "{anna: {accounts: [a:1], team: [{team: sales}, {team: care}]}}",
            "people.anna.team: two entries have the same valid_from",
        ),
        ("{anna: {accounts: [a:1], team: [sales, care]}}", "people.anna.team: two entries have the same valid_from"),
        ("{anna: {accounts: [a:1], team: 5}}", "people.anna.team[0]: "),
        ("{anna: {accounts: [a:1]}, vera: {accounts: [a:1]}}", "vera.accounts: 'a:1' is already an account of anna"),
        ("{anna: {accounts: [a:1, a:1]}}", "anna.accounts: 'a:1' is already an account of anna"),
        ("{'a:1': {accounts: [a:1]}}", "'a:1' cannot name a person"),
        ("{'Анна Петрова': {accounts: [a:1]}}", "'Анна Петрова' cannot name a person"),
        ("{none: {accounts: [a:1]}}", "'none' cannot name a person"),
        ("[anna]", "people: "),
    ],
)
def test_a_mistake_is_named_with_its_place(section: str, problem: str) -> None:
    with pytest.raises(PolicyError) as raised:
        people(section)
    assert problem in str(raised.value)


def test_a_name_is_no_rule_and_a_team_is_one() -> None:
    def hash_of(section: str) -> str:
        return Policy.parse(f"{TEAMS}people: {section}").hash

    plain = hash_of("{anna: {accounts: [a:1], team: sales}}")
    assert plain == hash_of("{anna: {name: Анна, accounts: [a:1], team: [{team: sales}]}}")
    assert plain != hash_of("{anna: {accounts: [a:1], team: care}}")
    assert plain != hash_of("{anna: {accounts: [a:1, a:2], team: sales}}")
    assert plain != hash_of("{anna: {accounts: [a:1], team: [{team: sales}, {valid_from: 2026-11-16, team: care}]}}")


def test_a_team_that_the_policy_does_not_know_leaves_the_channels_calendar() -> None:
    policy = Policy.parse("calendars: {K: {time_zone: UTC}}\norganisation: {calendar: K}\nteams: {sales: none}")
    rules = compile_policy(policy, {"a:1": "unheard of", "a:2": "sales"})
    channel = rules.channel("whatsapp").at(0)
    assert (rules.calendar_of("a:1", channel, 0), rules.calendar_of("a:2", channel, 0)) == ("K", None)
