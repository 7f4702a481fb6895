"""The raw tables: one per stream of a source, all of one shape.

Here: which streams have a table. Not here: what a payload means (``conversations.parsing``).
"""

from __future__ import annotations

from sqlalchemy import Index, Table

from resources.warehouse.schema.columns import digest, instant, json, metadata, text

STREAMS: dict[str, dict[str, str]] = {
    "retailcrm": {
        "channels": "Messenger channels of the account (Bot API /channels)",
        "users": "Managers as the MessageGateway knows them (Bot API /users)",
        "bots": "Bots of the account (Bot API /bots)",
        "chats": "Chats with their customer and channel (Bot API /chats)",
        "dialogs": "Dialogs: who was responsible for a stretch of a chat (Bot API /dialogs)",
        "messages": "Messages, notes and system messages (Bot API /messages)",
        "crm_users": "Users of the CRM with their groups (API v5 /users)",
        "customers": "Customers of the CRM (API v5 /customers)",
        "orders": "Orders of the CRM (API v5 /orders)",
    },
    "twitter_care": {"conversations": "Support conversations of the twitter-care file, one row per conversation"},
    "abcd": {"conversations": "Customer service talks of the abcd file, without times, one row per talk"},
    "retailcrm_web": {
        "channels": "Channels as the web interface lists them (operation ChannelsList)",
        "chats": "Chats with their customer and last message (operation chatsList)",
        "messages": "Messages of the chats (operation messages, or the list's lastMessage where it was not captured)",
    },
    "tbank": {
        "calls": "Segments of calls (callsessions of a day and an agent group)",
        "transcripts": "Transcripts of the segments; one that is not there yet says so",
    },
    "call_files": {"calls": "Recognised calls of imported files, one row per call with all its segments"},
    "whatsapp_export": {
        "chats": "Chats of exported WhatsApp files with who wrote in them",
        "messages": "Messages of exported WhatsApp files with their original lines",
    },
    "telegram_export": {
        "chats": "Chats of Telegram Desktop exports with who wrote in them",
        "messages": "Messages of Telegram Desktop exports, as the file has them",
    },
    "table_import": {
        "chats": "Conversations of imported tables with who wrote in them",
        "messages": "Messages of imported tables with the row that each came from",
    },
}


def _raw_table(source: str, stream: str, what: str) -> Table:
    name = f"{source}__{stream}"
    table = Table(
        name,
        metadata,
        text("connection_id", "The account that the row was read from", key=True),
        text("external_id", "The vendor's id, as text", "pseudonym", key=True),
        instant("event_at", "When it happened by the source's clock; decides the window", null=True),
        instant("updated_at", "The vendor's own version time; NULL where there is none", null=True),
        json("payload", "The item as the vendor sent it", "content"),
        digest("payload_hash", "sha256 of the payload as canonical JSON"),
        instant("fetched_at", "When this version was first stored; an unchanged row is never written again"),
        instant("first_fetched_at", "When the first version was stored"),
        instant("first_event_at", "event_at of the first version", null=True),
        instant("gone_at", "When a complete re-read of its window first missed the row; NULL: still there", null=True),
        schema="raw",
        comment=f"{what}. One row per connection and vendor id, the latest version",
    )
    # the time first: an index that begins with the account looks as good as the key to a planner without statistics,
    # and a lookup of a hundred ids then reads every row of the account
    Index(f"{name}_window_idx", table.c.event_at, table.c.connection_id)
    return table


RAW_TABLES = {
    f"{source}__{stream}": _raw_table(source, stream, what)
    for source, streams in STREAMS.items()
    for stream, what in streams.items()
}
