"""With which rights things come that are made later: exactly the declared ones, whatever was set before.

Here: PostgreSQL's default privileges of our roles. A mart that is swapped in for the first time is readable from that
moment on; nothing else comes with a right for anybody but its maker, and functions and types as PostgreSQL has them.
Not here: the rights of what is there (``rights``). Logins that are none of ours keep what an administrator gave them.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from psycopg import Connection, errors, sql

from resources.warehouse.roles import OWNED, TABLES, Role

PUBLIC = "public"
_KINDS = {"r": "tables", "S": "sequences", "f": "routines", "T": "types", "n": "schemas", "L": "large objects"}


class Default(NamedTuple):
    """One right that one login has to what one maker makes."""

    maker: str
    schema: str
    """Empty: in all schemas."""
    kind: str
    """A letter of ``pg_default_acl``."""
    login: str
    right: str


# without a schema, the entry holds as well what PostgreSQL gives anyhow
_FOUND = """
select m.rolname, coalesce(n.nspname, ''), d.defaclobjtype::text, coalesce(g.rolname, ''), item.privilege_type,
    item.is_grantable
from pg_default_acl as d join pg_roles as m on m.oid = d.defaclrole
    left join pg_namespace as n on n.oid = d.defaclnamespace
    cross join lateral aclexplode(d.defaclacl) as item left join pg_roles as g on g.oid = item.grantee
where m.rolname = any(%(makers)s) and (item.grantee = 0 or g.rolname = any(%(logins)s))
    and not (d.defaclnamespace = 0 and exists (
        select from aclexplode(acldefault(
            case d.defaclobjtype when 'S' then 's'::"char" else d.defaclobjtype end, d.defaclrole
        )) as usual
        where usual.grantee = item.grantee and usual.privilege_type = item.privilege_type
    ))
"""


def give_defaults(connection: Connection[Any], logins: Mapping[Role, str], owner: str) -> int:
    """Bring the default privileges of the owner and of every login to the declared ones.

    Returns how many single rights were changed. What a login that owns no schema has set for itself and the owner may
    not change is left: it makes nothing that it could be about.
    """
    makers = {owner, *(logins[role] for role in OWNED if role in logins)}
    wanted = {
        Default(maker, "marts", "r", logins[role], right)
        for role, tables in TABLES.items()
        if role in logins
        for right in tables.get("marts.*", ())
        for maker in {owner, logins.get(Role.PUBLISHER, owner)}
    }
    everybody = {owner, *logins.values()}
    rows = connection.execute(_FOUND, {"makers": list(everybody), "logins": list(logins.values())}).fetchall()
    found = {(Default(*place, login or PUBLIC, right), may_hand_on) for *place, login, right, may_hand_on in rows}
    extra = {default for default, may_hand_on in found if may_hand_on or default not in wanted}
    missing = wanted - ({default for default, _ in found} - extra)
    changed = 0
    for verb, defaults in (("revoke", extra), ("grant", missing)):
        for maker, statement, count in _statements(verb, defaults):
            may_fail = maker not in makers
            with contextlib.suppress(*([errors.InsufficientPrivilege] if may_fail else [])), connection.transaction():
                connection.execute(statement)
                changed += count
    return changed


def _statements(verb: str, defaults: Iterable[Default]) -> list[tuple[str, sql.Composed, int]]:
    """The maker, the statement and how many rights it is about."""
    rights_of: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for maker, schema, kind, login, right in sorted(defaults):
        rights_of[maker, schema, kind, login].append(right)
    made = []
    for (maker, schema, kind, login), rights in rights_of.items():
        statement = sql.SQL("alter default privileges for role {}{} {} {} on {} {} {}").format(
            sql.Identifier(maker),
            sql.SQL(" in schema {}").format(sql.Identifier(schema)) if schema else sql.SQL(""),
            sql.SQL(verb),
            sql.SQL(", ").join(map(sql.SQL, rights)),
            sql.SQL(_KINDS[kind]),
            sql.SQL("to" if verb == "grant" else "from"),
            sql.SQL("public") if login == PUBLIC else sql.Identifier(login),
        )
        made.append((maker, statement, len(rights)))
    return made
