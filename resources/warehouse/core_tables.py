"""The SQL behind ``replace_window``: how staged rows are exchanged for those that a core table holds.

Here: one object per core table. Not here: where the staged rows come from (``core``). Names of tables and columns come
from ``schema`` only, values are parameters.

When two raw rows of different windows tell the same event, one of them owns it: the one whose own time is nearest to
the event's. A system message is such a witness; the dialog that it happened in changes later and then says something
else. The rule does not depend on the order in which windows are done.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from conversations.records import (
    Call,
    CallTranscript,
    Channel,
    Conversation,
    Customer,
    Event,
    Manager,
    Message,
    Order,
)
from conversations.window import Window


class Owner(NamedTuple):
    """Which rows of a core table a call answers for."""

    connection_id: str
    limited: tuple[str, ...]
    """Streams of which the window's rows are taken (all rows where there is no window)."""
    whole: tuple[str, ...]
    """Directories: taken whole."""
    window: Window | None


class CoreTable:
    """One table that is written by key; rows that are no longer produced stay."""

    def __init__(self, name: str, key: tuple[str, ...], columns: tuple[str, ...], *, merges: bool = False) -> None:
        self.name = name
        self._key = key
        self._columns = columns
        self._merges = merges
        self._at: str | None = None
        self._target = sql.Identifier("core", name)
        self._staged = sql.Identifier(f"staged_{name}")
        self.copy_statement = sql.SQL("copy {} ({}) from stdin").format(self._staged, _names((*columns, "n")))

    def create_staging(self, connection: psycopg.Connection[Any]) -> None:
        """Make the staging table; it goes with the transaction."""
        connection.execute(
            sql.SQL("create temp table {} on commit drop as select *, 0 as n from {} with no data").format(
                self._staged, self._target
            )
        )

    def settle(self, connection: psycopg.Connection[Any], time_zone: str) -> tuple[int, list[tuple[date, int]]]:
        """Leave one staged row per key; returns how many there are, and how many by local day."""
        connection.execute(sql.SQL("analyze {}").format(self._staged))
        if self._merges:
            # of several rows the last that says something, column by column
            merged = sql.SQL(", ").join(
                sql.SQL("(array_agg({0} order by n desc) filter (where {0} is not null))[1] as {0}").format(
                    sql.Identifier(column)
                )
                for column in self._columns
                if column not in self._key
            )
            connection.execute(
                sql.SQL("create temp table {} on commit drop as select {}, {}, 0 as n from {} group by {}").format(
                    sql.Identifier(f"merged_{self.name}"), _names(self._key), merged, self._staged, _names(self._key)
                )
            )
            connection.execute(sql.SQL("drop table {}").format(self._staged))
            connection.execute(
                sql.SQL("alter table {} rename to {}").format(sql.Identifier(f"merged_{self.name}"), self._staged)
            )
        else:
            connection.execute(
                sql.SQL(
                    "delete from {0} s using (select ctid, row_number() over (partition by {1} order by {2}) as place"
                    " from {0} where ({1}) in (select {1} from {0} group by {1} having count(*) > 1)"
                    ") as ranked where ranked.ctid = s.ctid and ranked.place > 1"
                ).format(self._staged, _names(self._key), self._rank("n desc"))
            )
        row = connection.execute(sql.SQL("select count(*) from {}").format(self._staged)).fetchone()
        return (row[0] if row else 0), self._days(connection, time_zone)

    def exchange(self, connection: psycopg.Connection[Any], owner: Owner) -> set[str]:
        """Write the staged rows that are new or different; returns the conversations concerned, marked as changed."""
        rest = [column for column in self._columns if column not in self._key]
        statement = sql.SQL(
            "insert into {target} as t ({columns}) select {columns} from {staged} on conflict ({key}) do update"
            " set {assignments} where ({old}) is distinct from ({new}) returning {changed}"
        ).format(
            target=self._target,
            staged=self._staged,
            columns=_names(self._columns),
            key=_names(self._key),
            assignments=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(one)) for one in rest),
            old=_names(rest, "t"),
            new=_names(rest, "excluded"),
            changed=self._changed,
        )
        return self._execute(connection, statement)

    def _rank(self, otherwise: str) -> sql.Composable:
        return sql.SQL(otherwise)  # type: ignore[arg-type]

    def _days(self, connection: psycopg.Connection[Any], time_zone: str) -> list[tuple[date, int]]:
        return []

    def _execute(
        self, connection: psycopg.Connection[Any], statement: sql.Composable, values: dict[str, Any] | None = None
    ) -> set[str]:
        """Run a statement that returns ``_changed``; note the conversations for the evaluation and return them."""
        if "conversation_id" not in self._columns:
            connection.execute(statement, values)
            return set()
        marking = sql.SQL(
            "with changed as ({}) insert into ops.dirty as d (conversation_id, connection_id, since)"
            " select conversation_id, min(connection_id), min(at) from changed group by conversation_id"
            " on conflict (conversation_id) do update set since = least(d.since, excluded.since), is_told = false"
            " returning conversation_id"
        )
        return {row[0] for row in connection.execute(marking.format(statement), values)}

    @property
    def _changed(self) -> sql.Composable:
        if "conversation_id" not in self._columns:
            return sql.SQL("null")
        at = sql.SQL("null::timestamptz") if self._at is None else sql.Identifier("t", self._at)
        # without an instant everything that was judged of the conversation may be wrong
        return sql.SQL("t.conversation_id, t.connection_id, coalesce({}, '1900-01-01 00:00Z') as at").format(at)


class WindowTable(CoreTable):
    """One table whose rows belong to the window of their raw row: what that no longer says is removed."""

    def __init__(
        self,
        name: str,
        key: tuple[str, ...],
        columns: tuple[str, ...],
        *,
        lineage: tuple[str, str, str] = ("raw_stream", "raw_id", "window_at"),
        at: str | None = None,
        day: str | None = None,
        parent: str | None = None,
    ) -> None:
        super().__init__(name, key, columns)
        self._stream, self._raw_id, self._window_at = lineage
        self._at = at
        self._day = day
        self._parent = sql.Identifier("core", parent) if parent else None

    def exchange(self, connection: psycopg.Connection[Any], owner: Owner) -> set[str]:
        """Remove what the window no longer holds or holds differently, then write what is missing."""
        touched = set[str]()
        if self._parent is not None:
            # the row that it belongs to is in another window, not read yet, or gone: it waits for it in raw
            connection.execute(
                sql.SQL("delete from {} s where not exists (select from {} p where ({}) = ({}))").format(
                    self._staged, self._parent, _names(self._key, "p"), _names(self._key, "s")
                )
            )
        names = {
            "target": self._target,
            "staged": self._staged,
            "columns": _names(self._columns),
            "key": _names(self._key),
            "same_key": sql.SQL("({}) = ({})").format(_names(self._key, "t"), _names(self._key, "s")),
            "old": _names(self._columns, "t"),
            "new": _names(self._columns, "s"),
            "old_rank": self._rank_of("t"),
            "new_rank": self._rank_of("s"),
            "stream": sql.Identifier(self._stream),
            "raw_id": sql.Identifier(self._raw_id),
            "changed": self._changed,
        }
        for condition, values in self._owned(owner):
            statement = sql.SQL(
                "delete from {target} t where {owned} and not exists (select from {staged} s"
                " where {same_key} and ({new}) is not distinct from ({old})) returning {changed}"
            ).format(**names, owned=condition)
            touched |= self._execute(connection, statement, values)
        # what is left under a staged key and differs belongs to another window: moved rows give way, and so does a
        # worse witness
        statement = sql.SQL(
            "delete from {target} t using {staged} s where {same_key} and ({new}) is distinct from ({old})"
            " and ((t.{stream}, t.{raw_id}) = (s.{stream}, s.{raw_id}) or ({new_rank}) < ({old_rank}))"
            " returning {changed}"
        ).format(**names)
        touched |= self._execute(connection, statement)
        # the key finds what is there. An anti-join read the table whole for each row while it had no statistics, the
        # rows that this very statement had written included: three times the messages took thirteen times as long
        statement = sql.SQL(
            "insert into {target} as t ({columns}) select {columns} from {staged}"
            " on conflict ({key}) do nothing returning {changed}"
        ).format(**names)
        return touched | self._execute(connection, statement)

    def _owned(self, owner: Owner) -> list[tuple[sql.Composable, dict[str, Any]]]:
        common = sql.SQL("t.connection_id = %(connection_id)s and t.{} = any(%(streams)s)").format(
            sql.Identifier(self._stream)
        )
        window_at = sql.Identifier("t", self._window_at)
        parts: list[tuple[sql.Composable, dict[str, Any]]] = []
        if owner.limited:
            values: dict[str, Any] = {"connection_id": owner.connection_id, "streams": list(owner.limited)}
            condition: sql.Composable = common
            if owner.window is not None:
                condition += sql.SQL(" and {0} >= %(start)s and {0} < %(end)s").format(window_at)
                values |= {"start": owner.window.start, "end": owner.window.end}
            parts.append((condition, values))
        if owner.whole:
            condition = common + sql.SQL(" and {} is null").format(window_at)
            parts.append((condition, {"connection_id": owner.connection_id, "streams": list(owner.whole)}))
        return parts

    def _rank_of(self, alias: str) -> sql.Composable:
        address = _names((self._stream, self._raw_id), alias)
        if self._at is None:
            return address
        return sql.SQL("coalesce(abs(extract(epoch from {} - {})), 'infinity'), {}").format(
            sql.Identifier(alias, self._at), sql.Identifier(alias, self._window_at), address
        )

    def _rank(self, otherwise: str) -> sql.Composable:
        return sql.SQL("{}, n desc").format(self._rank_of(f"staged_{self.name}"))

    def _days(self, connection: psycopg.Connection[Any], time_zone: str) -> list[tuple[date, int]]:
        if self._day is None:
            return []
        day = sql.Identifier(self._day)
        if self._day != "business_on":
            day = sql.SQL("({} at time zone %(zone)s)::date").format(day)  # type: ignore[assignment]
        statement = sql.SQL("select {0}, count(*) from {1} where {0} is not null group by 1 order by 1")
        return connection.execute(statement.format(day, self._staged), {"zone": time_zone}).fetchall()


class ParentTable(WindowTable):
    """A window's table that others refer to: a row that changed is changed in place, since what hangs on it goes with
    it when it is deleted."""

    def exchange(self, connection: psycopg.Connection[Any], owner: Owner) -> set[str]:
        """Remove what the window no longer holds, then write what is new or different."""
        touched = set[str]()
        for condition, values in self._owned(owner):
            statement = sql.SQL(
                "delete from {} t where {} and not exists (select from {} s where ({}) = ({})) returning {}"
            ).format(
                self._target, condition, self._staged, _names(self._key, "t"), _names(self._key, "s"), self._changed
            )
            touched |= self._execute(connection, statement, values)
        return touched | CoreTable.exchange(self, connection, owner)


class ChatTable(CoreTable):
    """Conversations. One that goes to another customer is no longer judged with the others of the former one."""

    def exchange(self, connection: psycopg.Connection[Any], owner: Owner) -> set[str]:
        """Mark what a conversation leaves behind, as one customer or as one human of several ids, then write."""
        connection.execute(
            sql.SQL(
                "with former as ("
                "select distinct coalesce(l.same_as, t.customer_id) as human"
                " from {staged} as s join {target} as t on t.conversation_id = s.conversation_id"
                " left join reference.customer_links as l on l.customer_id = t.customer_id"
                " where t.customer_id is distinct from s.customer_id and t.customer_id is not null),"
                " ids as (select human as customer_id from former union"
                " select l.customer_id from former as f join reference.customer_links as l on l.same_as = f.human)"
                " insert into ops.dirty as d (conversation_id, connection_id, since)"
                " select t.conversation_id, t.connection_id, '1900-01-01 00:00Z'"
                " from ids as i join {target} as t on t.customer_id = i.customer_id"
                " where t.connection_id = %s"
                " on conflict (conversation_id) do update set since = excluded.since, is_told = false"
            ).format(staged=self._staged, target=self._target),
            (owner.connection_id,),
        )
        return super().exchange(connection, owner)


def _names(columns: tuple[str, ...] | list[str], alias: str | None = None) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(alias, one) if alias else sql.Identifier(one) for one in columns)


_LINEAGE = ("raw_stream", "raw_id", "window_at")
_QUARANTINE = ("connection_id", "stream", "external_id", "reason", "event_at", "items")
TABLES: dict[str, CoreTable] = {
    table.name: table
    for table in (
        CoreTable("channels", ("channel_id",), Channel._fields, merges=True),
        CoreTable("managers", ("manager_id",), Manager._fields, merges=True),
        CoreTable("customers", ("customer_id",), (*Customer._fields, "number_key"), merges=True),
        ChatTable("conversations", ("conversation_id",), Conversation._fields),
        WindowTable(
            "messages",
            ("conversation_id", "message_id"),
            (*Message._fields, "business_on", "ingested_at", *_LINEAGE),
            at="sent_at",
            day="business_on",
        ),
        WindowTable("events", ("conversation_id", "event_id"), (*Event._fields, *_LINEAGE), at="at", day="at"),
        ParentTable(
            "calls",
            ("call_id",),
            (*Call._fields, "business_on", "ingested_at", *_LINEAGE),
            at="started_at",
            day="business_on",
        ),
        WindowTable(
            "call_transcripts",
            ("call_id",),
            (*CallTranscript._fields, "characters", "ingested_at", *_LINEAGE),
            parent="calls",
        ),
        WindowTable("orders", ("order_id",), (*Order._fields, *_LINEAGE), day="created_at"),
        WindowTable(
            "quarantine",
            ("connection_id", "stream", "external_id", "reason"),
            _QUARANTINE,
            lineage=("stream", "external_id", "event_at"),
        ),
    )
}
"""In the order in which they are written: directories first, a call before its transcript."""
