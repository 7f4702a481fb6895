"""The platform's own book-keeping.

Here: cursors, marks of a read in progress, the as-of instant, completeness. Nothing here changes when nothing changed:
a second identical run leaves every row as it was.
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from resources.warehouse.schema.columns import big, boolean, day, instant, integer, json, metadata, text, texts


def _window_key() -> list:
    return [
        text("connection_id", "The account", key=True),
        text("stream", "The stream", key=True),
        instant("window_start", "Begin of the window; the epoch for a directory", key=True),
        instant("window_end", "End of the window, not included; the epoch for a directory", key=True),
    ]


cursors = Table(
    "cursors",
    metadata,
    *_window_key(),
    json(
        "cursor",
        "Where reading goes on; NULL: from the start, or nothing left; 'end': all read; n: the n-th time again",
        "none",
        null=True,
    ),
    boolean("is_complete", "The window was read to its end"),
    instant(
        "watermark",
        "The largest source time seen, less an hour; never our own clock. For diagnosis, no reading begins by it",
        null=True,
    ),
    schema="ops",
    comment="One row per connection, stream and window: how far it was read. Written with the rows of a page",
)

read_pages = Table(
    "read_pages",
    metadata,
    *_window_key(),
    integer("page", "Number of the page within one logical read, resumes included", "pages", key=True),
    json(
        "cursor",
        "The cursor after the page; n on page 0: the window is read again for the n-th time",
        "none",
        null=True,
    ),
    texts("external_ids", "The ids on the page, where deletions are looked for", "pseudonym"),
    instant("read_at", "When the page was stored: rows that came later cannot have been missed"),
    schema="ops",
    comment="One row per page of a read in progress: proves what is gone, finds repeated cursors. Empty between reads",
)

as_of = Table(
    "as_of",
    metadata,
    text("scope", "'*': the whole warehouse", key=True),
    instant("as_of", "The greatest end of an evaluated window: the instant that pending is judged at"),
    schema="ops",
    comment="One row per scope: up to when the evaluation has looked. Explicit, never the clock",
)

completeness = Table(
    "completeness",
    metadata,
    text("connection_id", "The account", key=True),
    text("channel_id", "The channel account; empty: the whole connection", key=True),
    day("business_on", "The local day", key=True),
    text("measure", "What was counted: messages, chats ...", key=True),
    integer("reported", "How many the vendor says there are", "rows"),
    integer("stored", "How many of them are stored", "rows"),
    schema="ops",
    comment="One row per connection, channel, day and measure: the vendor's own counters against our rows",
)

dirty = Table(
    "dirty",
    metadata,
    text("conversation_id", "The conversation", key=True),
    text("connection_id", "The account that the conversation came from"),
    instant("since", "The earliest instant at which a row of the conversation changed"),
    boolean("is_told", "Whether the other connections of the customer know of it; false where nobody looked yet"),
    schema="ops",
    comment="One row per conversation to be judged again: its core rows changed, or those of its customer in another"
    " connection; taken by the evaluation",
)
Index("dirty_connection_idx", dirty.c.connection_id, dirty.c.since)

link_changes = Table(
    "link_changes",
    metadata,
    text("customer_id", "A customer who was joined with others or parted from them", "pseudonym", key=True),
    big("change", "The last change of links that concerned him; changes are numbered as they came", "changes"),
    schema="ops",
    comment="One row per customer whose links ever changed: a revision of a week says by it that this is why",
)

imports = Table(
    "imports",
    metadata,
    text("connection_id", "The connection that the file was imported under", key=True),
    text("file_sha256", "The file's content, hexadecimal; its name may be a person's and is not kept", key=True),
    text("choices_hash", "What was declared and the version of its reader: others read it again; empty: cut off"),
    text("source", "The kind of file: whatsapp_export, telegram_export, table_import"),
    big("file_bytes", "Size of the file", "bytes"),
    text("state", "reading, done or failed"),
    text("reason", "Code of why it failed, or NULL", null=True),
    integer("chats", "Conversations in the file", "conversations"),
    integer("messages", "Rows of the file that became raw rows", "rows"),
    integer("quarantined", "Of those, rows that could not be understood", "rows"),
    instant("first_at", "The earliest message; NULL: no times", null=True),
    instant("last_at", "The latest message; NULL: no times", null=True),
    instant("imported_at", "When this reading ended"),
    schema="ops",
    comment="One row per connection and imported file: the same file again changes nothing",
)
