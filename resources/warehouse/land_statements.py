"""The statements of ``land()``: looking up, copying, writing over, marking a page, finding what is gone.

Here: their text, and the session's own table of a page's changed rows. Not here: their order and their transactions
(``land``).
"""

from __future__ import annotations

from resources.warehouse.raw_rows import COLUMNS

PAGE_TABLE = """
create temp table page (
    external_id text not null, event_at timestamptz, updated_at timestamptz, payload jsonb not null,
    payload_hash bytea not null, first_event_at timestamptz
)
"""
_WINDOW = (
    "connection_id = %(connection_id)s and stream = %(stream)s and window_start = %(start)s and window_end = %(end)s"
)
# "except" instead of "not exists": no planner without statistics can make a loop in a loop of it
_MISSED = """
    select r.external_id from {table} r
    where r.connection_id = %(connection_id)s and r.gone_at is null {in_window}
      and r.first_fetched_at < (select min(read_at) from ops.read_pages where WINDOW)
    except
    select unnest(external_ids) from ops.read_pages where WINDOW
    order by 1
"""
_COPIED = f"{', '.join(COLUMNS)}) from stdin (format binary)"
_STATEMENTS = {
    "nothing_stored_all": "select not exists (select from {table} where connection_id = %(connection_id)s)",
    "nothing_stored_window": """
        select not exists (select from {table} where connection_id = %(connection_id)s
                           and event_at >= %(start)s and event_at < %(end)s)
    """,
    "cursor": "select cursor, is_complete from ops.cursors where WINDOW",
    "pages": "select cursor from ops.read_pages where WINDOW order by page",
    "forget_pages": "delete from ops.read_pages where WINDOW",
    "copy_new": "copy {table} (connection_id, fetched_at, first_fetched_at, " + _COPIED,
    "copy_changed": "copy page (" + _COPIED,
    "stored": """
        select external_id, payload_hash, event_at, updated_at, gone_at is not null from {table}
        where connection_id = %(connection_id)s and external_id = any(%(ids)s::text[])
    """,
    "write": """
        insert into {table} as r (connection_id, external_id, event_at, updated_at, payload, payload_hash,
                                  fetched_at, first_fetched_at, first_event_at)
        select %(connection_id)s, p.external_id, p.event_at, p.updated_at, p.payload, p.payload_hash,
               now(), now(), p.first_event_at
        from page p
        on conflict (connection_id, external_id) do update set
            event_at = excluded.event_at, updated_at = excluded.updated_at, payload = excluded.payload,
            payload_hash = excluded.payload_hash, fetched_at = excluded.fetched_at, gone_at = null
        where (r.payload_hash, r.event_at, r.updated_at)
              is distinct from (excluded.payload_hash, excluded.event_at, excluded.updated_at)
          and (excluded.updated_at is null or r.updated_at is null or excluded.updated_at >= r.updated_at)
    """,
    "returned": """
        update {table} set gone_at = null
        where connection_id = %(connection_id)s and external_id = any(%(ids)s::text[]) and gone_at is not null
    """,
    # the page's mark and the cursor are one statement of the page's transaction
    "mark_page": """
        with mark as (
            insert into ops.read_pages
                (connection_id, stream, window_start, window_end, page, cursor, external_ids, read_at)
            values (%(connection_id)s, %(stream)s, %(start)s, %(end)s, %(page)s, %(cursor)s, %(page_ids)s::text[],
                    now()))
        insert into ops.cursors as c (connection_id, stream, window_start, window_end, cursor, is_complete, watermark)
        values (%(connection_id)s, %(stream)s, %(start)s, %(end)s, %(cursor)s, false, %(watermark)s)
        on conflict (connection_id, stream, window_start, window_end) do update
        set cursor = excluded.cursor, is_complete = false, watermark = greatest(c.watermark, excluded.watermark)
        returning now()
    """,
    # changes nothing: it is a commit that waits for the disk
    "keep": "update ops.cursors set cursor = cursor where WINDOW",
    "complete": "update ops.cursors set cursor = null, is_complete = true where WINDOW",
    "missed_window": _MISSED.replace("{in_window}", "and r.event_at >= %(start)s and r.event_at < %(end)s"),
    "missed_all": _MISSED.replace("{in_window}", ""),
    "gone": """
        update {table} set gone_at = now()
        where connection_id = %(connection_id)s and external_id = any(%(ids)s::text[]) and gone_at is null
    """,
    "by_day": """
        select (event_at at time zone %(zone)s)::date, count(*) from {table}
        where connection_id = %(connection_id)s and event_at >= %(start)s and event_at < %(end)s and gone_at is null
        group by 1 order by 1
    """,
}
STATEMENTS = {name: text.replace("WINDOW", _WINDOW) for name, text in _STATEMENTS.items()}
"""By name; ``{table}`` is the raw table, the other values are named parameters."""
