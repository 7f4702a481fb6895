"""The rights of ``roles`` brought into the database: exactly those, whatever was there before.

Here: comparing what is declared with the catalog and executing the difference, so that a second call changes nothing.
Not here: the declaration (``roles``), the logins themselves (``logins``), what things made later come with
(``default_rights``). Logins that are none of ours keep what an
administrator gave them; what everybody (PUBLIC) may do is taken back in our schemas and in the database itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from psycopg import Connection, sql

from resources.warehouse.default_rights import PUBLIC, give_defaults
from resources.warehouse.roles import COLUMNS, CONTENT_VIEWS_OF, OWNED, TABLES, TEMPORARY, VIEWS_OF, Role
from resources.warehouse.views import CONTENT_VIEWS, VIEWS

_SCHEMAS = ("raw", "core", "reference", "evaluated", "marts", "marts_next", "ops", "keys", "dagster", "public")
_TABLE_KINDS, _VIEW_KINDS = ("r", "p", "f"), ("v", "m")


class Grant(NamedTuple):
    """One right of one login."""

    login: str
    kind: str
    """database, schema, table or column."""
    schema: str
    table: str
    column: str
    right: str


_ACL = """
with acl as (
    select 'database' as kind, '' as schema, '' as relation, '' as attribute, datdba as owner,
        coalesce(datacl, acldefault('d', datdba)) as items
    from pg_database where datname = current_database()
    union all
    select 'schema', nspname, '', '', nspowner, coalesce(nspacl, acldefault('n', nspowner))
    from pg_namespace where nspname = any(%(schemas)s)
    union all
    select 'table', n.nspname, c.relname, '', c.relowner, c.relacl
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%(schemas)s) and n.nspname <> 'public' and c.relkind = any('{r,p,v,m,f,S}')
    union all
    select 'column', n.nspname, c.relname, a.attname, c.relowner, a.attacl
    from pg_attribute as a join pg_class as c on c.oid = a.attrelid join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%(schemas)s) and n.nspname <> 'public' and a.attacl is not null and not a.attisdropped
)
select coalesce(r.rolname, ''), kind, schema, relation, attribute, privilege_type, is_grantable
from acl cross join lateral aclexplode(items) as item left join pg_roles as r on r.oid = item.grantee
where item.grantee <> acl.owner and (item.grantee = 0 or r.rolname = any(%(logins)s))
"""
_RELATIONS = """
select n.nspname, c.relname, c.relkind::text
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = any(%s) and c.relkind = any('{r,p,v,m,f}') order by 1, 2
"""
_OF_ANOTHER = """
select c.relname, c.relkind::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = %s and pg_get_userbyid(c.relowner) <> %s and c.relkind = any('{r,p,v,m,f,S}')
    -- a sequence goes with its table
    and not exists (
        select from pg_depend as d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i') and c.relkind = 'S'
    )
"""


def hand_over(connection: Connection[Any], logins: Mapping[Role, str]) -> None:
    """Give schemas and tables to the roles that make them themselves."""
    for role, schemas in OWNED.items():
        login = logins.get(role)
        if login is None:
            continue
        for schema in schemas:
            names = {"schema": sql.Identifier(schema), "login": sql.Identifier(login)}
            owner = connection.execute(
                "select pg_get_userbyid(nspowner) from pg_namespace where nspname = %s", (schema,)
            ).fetchone()
            if owner is None:
                connection.execute(sql.SQL("create schema {schema} authorization {login}").format(**names))
            elif owner != (login,):
                connection.execute(sql.SQL("alter schema {schema} owner to {login}").format(**names))
            for name, kind in connection.execute(_OF_ANOTHER, (schema, login)).fetchall():
                what = {"v": "view", "m": "materialized view", "f": "foreign table", "S": "sequence"}.get(kind, "table")
                statement = sql.SQL("alter {} {} owner to {}")
                connection.execute(statement.format(sql.SQL(what), sql.Identifier(schema, name), sql.Identifier(login)))


def give(connection: Connection[Any], logins: Mapping[Role, str]) -> int:
    """Give every login exactly the rights of its role; returns how many single rights were changed.

    A login that plays two roles has the rights of both. The owner's own login may play a role: he has every right.
    """
    owner = _one(connection, "select current_user")
    mine = {role: login for role, login in logins.items() if login != owner}
    wanted = set(_wanted(connection, mine))
    rows = connection.execute(_ACL, {"schemas": list(_SCHEMAS), "logins": list(mine.values())}).fetchall()
    # a right that may be handed on is not the declared one
    found = {(Grant(login or PUBLIC, *rest), is_grantable) for login, *rest, is_grantable in rows}
    kept = {grant for grant, is_grantable in found if not is_grantable}
    extra = {grant for grant, is_grantable in found if is_grantable or grant not in wanted} - _left_alone(found)
    missing = wanted - (kept - extra)
    for statement in (*_statements(connection, "revoke", extra), *_statements(connection, "grant", missing)):
        connection.execute(statement)
    return len(extra) + len(missing) + give_defaults(connection, mine, owner)


def _wanted(connection: Connection[Any], logins: Mapping[Role, str]) -> Iterator[Grant]:
    relations = connection.execute(_RELATIONS, (list(_SCHEMAS),)).fetchall()
    for role, login in logins.items():
        yield Grant(login, "database", "", "", "", "CONNECT")
        if role in TEMPORARY:
            yield Grant(login, "database", "", "", "", "TEMPORARY")
        seen = set()
        for schema, name, kind in relations:
            for right in _rights(role, schema, name, kind):
                seen.add(schema)
                yield Grant(login, "table", schema, name, "", right)
        for table, columns in COLUMNS.get(role, {}).items():
            schema, _, name = table.partition(".")
            seen.add(schema)
            for column in columns:
                yield Grant(login, "column", schema, name, column, "SELECT")
        declared = {name.partition(".")[0] for name in TABLES.get(role, {})}
        for schema in (seen | declared) - set(OWNED.get(role, ())):
            yield Grant(login, "schema", schema, "", "", "USAGE")


def _rights(role: Role, schema: str, name: str, kind: str) -> Iterable[str]:
    if schema in OWNED.get(role, ()):
        return ()
    if f"{schema}.{name}" in CONTENT_VIEWS:
        return CONTENT_VIEWS_OF.get(role, ())
    if f"{schema}.{name}" in VIEWS:
        return VIEWS_OF.get(role, ())
    tables = TABLES.get(role, {})
    # marts belong to whoever builds them: a view there is a mart as well
    is_of_all = kind in _TABLE_KINDS or (schema == "marts" and kind in _VIEW_KINDS)
    return tables.get(f"{schema}.{name}", tables.get(f"{schema}.*", ()) if is_of_all else ())


def _left_alone(found: set[tuple[Grant, bool]]) -> set[Grant]:
    """Looking into the schema ``public`` is PostgreSQL's default and shows nothing of ours."""
    return {grant for grant, _ in found if grant.login == PUBLIC and grant[1:] == ("schema", "public", "", "", "USAGE")}


def _statements(connection: Connection[Any], verb: str, grants: Iterable[Grant]) -> list[sql.Composed]:
    """As few statements as may be: one per login, set of rights and kind of thing."""
    rights_of: dict[tuple[str, str, str, str, str], set[str]] = defaultdict(set)
    for *thing, right in grants:
        rights_of[tuple(thing)].add(right)  # type: ignore[index]
    things: dict[tuple[str, str, frozenset[str]], list[sql.Composable]] = defaultdict(list)
    made = []
    for (login, kind, schema, table, column), rights in sorted(rights_of.items()):
        if kind == "column":
            named = sql.SQL(", ").join(
                sql.SQL("{} ({})").format(sql.SQL(right), sql.Identifier(column)) for right in sorted(rights)
            )
            made.append(_statement(verb, named, "table", [sql.Identifier(schema, table)], login))
            continue
        place = {
            "database": lambda: sql.Identifier(connection.info.dbname),
            "schema": lambda schema=schema: sql.Identifier(schema),
            "table": lambda schema=schema, table=table: sql.Identifier(schema, table),
        }[kind]()
        things[login, kind, frozenset(rights)].append(place)
    for (login, kind, rights), places in things.items():
        named = sql.SQL(", ").join(sql.SQL(right) for right in sorted(rights))
        made.append(_statement(verb, named, kind, places, login))
    return made


def _statement(verb: str, rights: sql.Composable, kind: str, places: list[sql.Composable], login: str) -> sql.Composed:
    who = sql.SQL("public") if login == PUBLIC else sql.Identifier(login)
    return sql.SQL("{} {} on {} {} {} {}").format(
        sql.SQL(verb),
        rights,
        sql.SQL(kind),
        sql.SQL(", ").join(places),
        sql.SQL("to" if verb == "grant" else "from"),
        who,
    )


def _one(connection: Connection[Any], statement: str) -> str:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]
