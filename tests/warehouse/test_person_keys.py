"""Ids of people are keyed: without the secret no known number or name is found by them, with it everything is the same.

Here: one small installation with somebody from every kind of source. Not here: rows that were stored before
(``test_keyed_ids_migration``), the keys as a function (``tests.unit.test_keyed``).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conversations.imports.survey import key_of
from conversations.keyed import KEYED
from resources.warehouse.customer_links import refresh_links, replace_list
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import PersonKeyLost
from resources.warehouse.hashes import table_hashes
from resources.warehouse.person_keys import person_keys
from resources.warehouse.roles import Role
from resources.warehouse.schema import metadata
from tests.cli.canaries import dump
from tests.conftest import DatabaseServer
from tests.person_keys import KEYS, SECRET, found_in, guesses, spellings
from tests.warehouse.keyed_rows import HANDLE, NAME, NUMBER, OTHER, bring_again, derive, fill, judge

LAYERS = ("core", "evaluated", "reference")
KNOWN = [*spellings(NUMBER), *spellings(OTHER), NAME, HANDLE]
CONNECTIONS = ("tbank", "recorded", "care", "wa", "tg", "files", "shop")
PLAIN = frozenset((*KNOWN, *guesses(KNOWN, CONNECTIONS)))
"""What somebody would look for in ids who knows whom he looks for, and not the secret: as it is, and hashed."""
_READABLE = """
select n.nspname, c.relname, array_agg(a.attname::text order by a.attnum)
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname !~ '^pg_|^information_schema$' and c.relkind in ('r', 'v', 'm')
    and has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select')
group by 1, 2
"""
ADDRESS = ("raw_id", "external_id")
"""The address of a raw row; whoever may read it may read the name and the phone beside it."""


@pytest.fixture(scope="module")
def filled(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    fill(database, tmp_path_factory.mktemp("files"))
    judge(database)
    refresh_links(database.as_role(Role.LOADER), by_number=True)
    with database.as_role(Role.PUBLISHER).connect() as sql:
        # as published weeks and cases hold them
        sql.execute("create table marts.published_waits as select wait_id, session_id, conversation_id, outcome from"
                    " evaluated.waits")  # fmt: skip
        sql.execute("create table marts.call_results as select call_id, conversation_id from core.calls")
    with database.connect() as sql:
        ((everything,),) = sql.execute("select count(*) from core.conversations").fetchall()
    assert everything >= 12
    return database


def shown(warehouse: Warehouse, role: Role, left_out: frozenset[tuple[str, str]] = frozenset()) -> Iterator[str]:
    """Every value that the role may read, as text, but for columns that are left out by table and name."""
    with warehouse.as_role(role).connect() as sql:
        found = sql.execute(_READABLE).fetchall()
        assert found
        for schema, table, columns in found:
            taken = [name for name in columns if (f"{schema}.{table}", name) not in left_out]
            listed = ", ".join(f't."{name}"::text' for name in taken)
            for row in sql.execute(f'select {listed} from "{schema}"."{table}" as t').fetchall():  # type: ignore[arg-type]
                yield from (value for value in row if value is not None)


def personal() -> frozenset[tuple[str, str]]:
    """Columns in which names, phones and words stand as they are: whoever may read them need not guess."""
    return frozenset(
        (table.fullname, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if column.info["pii"] in ("name", "contact", "content") or column.name in ADDRESS
    )


@pytest.mark.parametrize("role", [Role.ANALYST, Role.PUBLISHER, Role.DESK])
def test_a_known_number_or_name_is_found_by_no_id(filled: Warehouse, role: Role) -> None:
    left_out = frozenset() if role is Role.ANALYST else personal()
    text = "\n".join(shown(filled, role, left_out))
    assert found_in(text, PLAIN) == set()
    # control: the secret is what was lacking
    with filled.as_role(Role.LOADER).connect() as sql:
        keys = person_keys(sql)
    assert f"tbank:{keys.key('tbank', key_of('phone', f'7{NUMBER}'))}" in text
    for local, connection in ((key_of(f"+7 {NUMBER[:3]} {NUMBER[3:6]}-{NUMBER[6:8]}-{NUMBER[8:]}"), "wa"),
                              (f"+7{NUMBER}", "recorded")):  # fmt: skip
        assert f"{connection}:{keys.key(connection, local)}" in text


def test_the_search_finds_what_is_not_keyed(filled: Warehouse) -> None:
    with filled.as_role(Role.LOADER).connect() as sql:
        stored = "\n".join(one for (one,) in sql.execute("select external_id from raw.whatsapp_export__chats"))
    assert found_in(stored, PLAIN)
    assert {key_of("phone", f"7{NUMBER}"), key_of("number", f"+7{NUMBER}"), key_of(NAME), key_of(HANDLE)} <= PLAIN


def test_what_the_vendors_gave_out_stays(filled: Warehouse) -> None:
    with filled.connect() as sql:
        ids = {one for (one,) in sql.execute(
            "select conversation_id from core.conversations union all select customer_id from core.customers"
            " union all select call_id from core.calls")}  # fmt: skip
        customers = dict(sql.execute("select connection_id, count(*) from core.customers group by 1").fetchall())
    plain = {one for one in ids if not KEYED.fullmatch(one.partition(":")[2])}
    assert plain == {
        "shop:5", "shop:chat5", "tg:user8", "tbank:internal", "tbank:call3",
        *(f"tbank:{segment}" for segment in range(1, 6)),
        *(one for one in plain if one.startswith("care:")),
    }  # fmt: skip
    with filled.connect() as sql:
        handles = sql.execute("select customer_id, name from core.customers where connection_id = 'care'").fetchall()
    assert handles and all(one == KEYS.full_id("care", name) for one, name in handles)
    assert customers["tbank"] == 2 and customers["wa"] == customers["files"] == 1


def test_equal_numbers_still_find_each_other(filled: Warehouse) -> None:
    phone = KEYS.full_id("tbank", key_of("phone", f"7{NUMBER}"))
    with filled.connect() as sql:
        links = sql.execute("select customer_id, same_as, linked_by from reference.customer_links").fetchall()
    assert (max(phone, "shop:5"), min(phone, "shop:5"), "number") in links


def test_doing_everything_again_changes_no_id(filled: Warehouse, tmp_path: Path) -> None:
    before = table_hashes(filled, LAYERS)
    assert derive(filled) == 0
    bring_again(filled, tmp_path)
    judge(filled)
    assert table_hashes(filled, LAYERS) == before


def test_a_list_of_before_means_the_same_customers(filled: Warehouse) -> None:
    loader = filled.as_role(Role.LOADER)
    former = f"tbank:{key_of('phone', f'7{NUMBER}')}"
    phone = KEYS.full_id("tbank", former)
    try:
        replace_list(loader, {former: "shop:5", "shop:5": "shop:5", "later:1": "later:1"}, by_number=False)
        with filled.connect() as sql:
            listed = dict(sql.execute("select customer_id, same_as from reference.customer_list").fetchall())
        assert listed == {phone: min(phone, "shop:5"), "shop:5": min(phone, "shop:5"), "later:1": "later:1"}
        # named both ways he is who the present id says
        both = {former: former, phone: min(phone, "shop:5"), "shop:5": min(phone, "shop:5")}
        replace_list(loader, both, by_number=False)
        with filled.connect() as sql:
            assert dict(sql.execute("select customer_id, same_as from reference.customer_list").fetchall()) == both
    finally:
        replace_list(loader, {}, by_number=True)


def test_two_installations_have_other_ids(database_server: DatabaseServer, filled: Warehouse) -> None:
    made = database_server.create("otklik_person_keys_other")
    try:
        with database_server.warehouse(made) as other:
            other.migrate()
            with other.connect() as sql:
                secret, *_ = sql.execute("select secret from keys.installation").fetchone() or ()
            assert len(secret) == 32 and bytes(secret) != SECRET and len(set(secret)) > 8
            # migrating again leaves it alone
            other.migrate()
            fill(other)
            with other.connect() as sql:
                assert sql.execute("select secret from keys.installation").fetchone() == (secret,)
            ids = [set(_keyed(one)) for one in (filled, other)]
    finally:
        database_server.drop(made)
    assert len(ids[0]) > len(ids[1]) > 8
    assert not ids[0] & ids[1]


def _keyed(warehouse: Warehouse) -> Iterator[str]:
    with warehouse.connect() as sql:
        for (one,) in sql.execute(
            "select conversation_id from core.conversations union select customer_id from core.customers"
            " union select number_key from core.customers union select call_id from core.calls"
        ).fetchall():
            if one and KEYED.fullmatch(one.rpartition(":")[2]):
                yield one


def test_a_dump_restored_elsewhere_goes_on_with_the_same_ids(
    database_server: DatabaseServer, filled: Warehouse
) -> None:
    name = filled.url.rpartition("/")[2]
    made = database_server.create("otklik_person_keys_restored")
    try:
        text = dump(database_server.url(name))
        with psycopg.connect(database_server.url(made), autocommit=True) as sql:
            _restore(sql, text)
        with database_server.warehouse(made) as restored:
            restored.give_rights()
            assert table_hashes(restored, (*LAYERS, "keys")) == table_hashes(filled, (*LAYERS, "keys"))
            assert derive(restored) == 0
            assert table_hashes(restored, LAYERS) == table_hashes(filled, LAYERS)
    finally:
        database_server.drop(made)


def _restore(sql: psycopg.Connection[Any], text: bytes) -> None:
    """Plain SQL with rows of COPY in it, without the rights of the other database's logins."""
    lines = iter(text.decode("utf-8").splitlines(keepends=True))
    statement: list[str] = []
    for line in lines:
        if line.startswith(("--", "\\")) or (not statement and not line.strip()):
            continue
        statement.append(line)
        if line.startswith("COPY ") and line.rstrip().endswith("FROM stdin;"):
            with sql.cursor().copy("".join(statement)) as copy:
                for row in lines:
                    if row == "\\.\n":
                        break
                    copy.write(row)
            statement = []
        elif line.rstrip().endswith(";"):
            said = "".join(statement)
            if not said.startswith(("GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES ")) and " OWNER TO " not in said:
                sql.execute(said)
            statement = []


def test_nobody_but_the_loader_reads_the_secret(filled: Warehouse) -> None:
    for role in (Role.PUBLISHER, Role.ANALYST, Role.DESK, Role.DAGSTER):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), filled.as_role(role).connect() as sql:
            sql.execute("select * from keys.installation")
    for statement in ("delete from", "truncate"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), filled.as_role(Role.LOADER).connect() as sql:
            sql.execute(f"{statement} keys.installation")


def test_a_lost_secret_is_never_replaced(fresh_database: Warehouse) -> None:
    fill(fresh_database)
    with fresh_database.connect() as sql:
        sql.execute("delete from keys.installation")
    before = table_hashes(fresh_database, (*LAYERS, "keys"))
    fresh_database.migrate()
    for again in (lambda: derive(fresh_database), lambda: replace_list(fresh_database, {"shop:5": "shop:5"})):
        with pytest.raises(PersonKeyLost, match="Restore it from a backup"):
            again()
    assert table_hashes(fresh_database, (*LAYERS, "keys")) == before
