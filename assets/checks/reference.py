"""What must be true of who is who before a week counts people and customers.

Here: that nobody is missing and nobody is two. Not here: whether the policy or the list is right about somebody.
"""

from __future__ import annotations

from assets.checks.judge import checks_of
from assets.checks.rules import Counted, Rule

REFERENCE = (
    Counted(
        ("reference", "people"),
        """
        select
            (
                select count(*) from core.managers as m
                where not exists (select from reference.people as p where p.manager_id = m.manager_id)
            ) as every_manager_is_a_person,
            (
                select count(*) from reference.people as p
                where not exists (select from core.managers as m where m.manager_id = p.manager_id)
            ) as every_account_is_a_managers,
            (
                select count(*) from (
                    select person_id from reference.people group by person_id having count(distinct person_name) > 1
                ) as two_named
            ) as a_person_has_one_name,
            (select count(*) from reference.people where person_name = '') as everybody_has_a_name
        """,
        (
            Rule("every_manager_is_a_person", "Every account of core.managers says whose it is."),
            Rule("every_account_is_a_managers", "No account is there that no source knows."),
            Rule("a_person_has_one_name", "Accounts of one person show one name."),
            Rule("everybody_has_a_name", "A row of the week's table that nobody can read helps nobody."),
        ),
        is_dated=False,
    ),
    Counted(
        ("reference", "person_teams"),
        """
        select
            (
                select count(*) from (
                    select p.person_id
                    from (select distinct person_id from reference.people) as p
                    left join reference.person_teams as t
                        on t.person_id = p.person_id and t.valid_from = date '0001-01-01'
                    where t.person_id is null
                ) as without
            ) as everybody_has_a_team_on_every_day,
            (
                select count(*) from reference.person_teams as t
                where not exists (select from reference.people as p where p.person_id = t.person_id)
            ) as stays_belong_to_people,
            (
                select count(*) from (
                    select
                        team_id is not distinct from lag(team_id) over of_person
                        and lag(person_id) over of_person is not null as is_no_change
                    from reference.person_teams
                    window of_person as (partition by person_id order by valid_from)
                ) as neighbours
                where is_no_change
            ) as every_stay_is_a_change
        """,
        (
            Rule("everybody_has_a_team_on_every_day", "Every person's stays begin at the beginning; no team is a row."),
            Rule("stays_belong_to_people", "No stay is of somebody who is not there."),
            Rule("every_stay_is_a_change", "Neighbouring stays of a person are in different teams."),
        ),
        is_dated=False,
    ),
    Counted(
        ("reference", "customer_links"),
        """
        with human_of as (
            select l.customer_id, l.same_as as person, coalesce(k.same_as, l.customer_id) as human
            from reference.customer_list as l
            left join reference.customer_links as k on k.customer_id = l.customer_id
        )
        select
            (
                select count(*) from reference.customer_links as one
                where one.same_as collate "C" >= one.customer_id collate "C"
                    or exists (select from reference.customer_links as next where next.customer_id = one.same_as)
            ) as every_link_ends_at_a_human,
            (
                select count(*) from (
                    select person from human_of group by person having count(distinct human) > 1
                    union all
                    select human from human_of group by human having count(distinct person) > 1
                ) as otherwise
            ) as the_list_of_people_holds
        """,
        (
            Rule("every_link_ends_at_a_human", "Every id points at the smallest one of its human, in one step."),
            Rule("the_list_of_people_holds", "Whom people wrote down as one is one, and nobody made two of them one."),
        ),
        is_dated=False,
    ),
)

reference_checks = checks_of("reference", REFERENCE)
