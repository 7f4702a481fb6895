"""What a login inherits from other roles: nothing. A role of ours is a member of no other role.

Here: taking undeclared memberships back, however they were given. Not here: the rights that a login has by itself
(``rights``), who may be a member of ours: the owner joins those whose schemas he migrates (``logins``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Any

import psycopg
from psycopg import sql

GRANTORS_COUNT = 160_000
"""From PostgreSQL 16 on, one membership may be given by several roles, and each takes back his own only."""
_MEMBERSHIPS = """
select r.rolname, m.rolname, g.rolname
from pg_auth_members as a join pg_roles as r on r.oid = a.roleid join pg_roles as m on m.oid = a.member
    left join pg_roles as g on g.oid = a.grantor
where m.rolname = any(%s) order by 1, 2, 3
"""


def leave(connection: psycopg.Connection[Any], logins: Collection[str]) -> tuple[int, list[str]]:
    """Take the logins out of every role that they are members of, as whoever is logged in.

    What a login handed on by such a membership falls with it.

    Returns:
        How many memberships ended, and for those that may not be ended from here the statements that an administrator
        of the server has to run.
    """
    before = _statements(connection, logins)
    refusals = psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidGrantor, psycopg.errors.InvalidGrantOperation
    for statement in before:
        # what could not be ended is seen below: some refusals are warnings only
        with contextlib.suppress(*refusals), connection.transaction():
            connection.execute(statement)
    left = _statements(connection, logins)
    return len(before) - len(left), [statement.as_string(connection) for statement in left]


def _statements(connection: psycopg.Connection[Any], logins: Collection[str]) -> list[sql.Composed]:
    made = []
    for role, member, grantor in connection.execute(_MEMBERSHIPS, (list(logins),)).fetchall():
        statement = sql.SQL("revoke {} from {}").format(sql.Identifier(role), sql.Identifier(member))
        if grantor is not None and connection.info.server_version >= GRANTORS_COUNT:
            statement += sql.SQL(" granted by {}").format(sql.Identifier(grantor))
        made.append(statement + sql.SQL(" cascade"))
    return made
