"""The core tables: the fields of ``conversations.records``, one table per class.

Here: names, keys and meanings. Not here: how the rows come about (``resources.warehouse.core``). Tables that are
replaced by window carry ``raw_stream``, ``raw_id`` and ``window_at``: the raw row they were read from and the instant
that says which window owns them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, Table

from resources.warehouse.schema.columns import big, boolean, day, instant, integer, metadata, seconds, text, texts


def _lineage() -> list[Column[Any]]:
    return [
        text("raw_stream", "The stream of the raw row that this row was read from"),
        text("raw_id", "external_id of that raw row", "pseudonym"),
        instant("window_at", "event_at of that raw row: the window that owns this row; NULL: a directory", null=True),
    ]


_CONNECTION = "The account that the row came from"

channels = Table(
    "channels",
    metadata,
    text("channel_id", "Connection and the vendor's channel id", key=True),
    text("connection_id", _CONNECTION),
    text("kind", "Messenger or medium: whatsapp, instagram, telegram ..."),
    text("name", "The channel's name at the vendor"),
    boolean("is_active", "Whether the channel is switched on"),
    schema="core",
    comment="One row per channel account (one WhatsApp number, one Instagram page)",
)

managers = Table(
    "managers",
    metadata,
    text("manager_id", "Connection and the vendor's id of the person", "pseudonym", key=True),
    text("connection_id", _CONNECTION),
    text("name", "Name of the employee", "name"),
    text("team_id", "The vendor's code of the person's team; NULL: none", null=True),
    boolean("is_active", "Whether the person may still answer"),
    schema="core",
    comment="One row per person who answers customers, as one source knows him",
)

customers = Table(
    "customers",
    metadata,
    text("customer_id", "Connection and the vendor's id, or a keyed hash of number or name", "pseudonym", key=True),
    text("connection_id", _CONNECTION),
    text("name", "Name of the customer", "name", null=True),
    text("phone", "Phone of the customer", "contact", null=True),
    instant("created_at", "When the vendor first knew the customer", null=True),
    text(
        "number_key",
        "Keyed hash of the phone in international form: equal where the number is; empty: no number; NULL: no phone",
        "pseudonym",
        null=True,
    ),
    schema="core",
    comment="One row per customer of a channel account. Personal data",
)
Index("customers_number_key_idx", customers.c.number_key)

conversations = Table(
    "conversations",
    metadata,
    text("conversation_id", "Connection and the vendor's chat id, or a keyed hash of what names the chat", key=True),
    text("connection_id", _CONNECTION),
    text("channel_id", "The channel account of the chat"),
    text("customer_id", "The customer; NULL: unknown", "pseudonym", null=True),
    instant("created_at", "When the chat began", null=True),
    boolean("is_untimed", "Messages without times: kept, but outside waits and weeks"),
    texts("flags", "Reason codes of what was odd about the conversation"),
    schema="core",
    comment="One row per chat of one customer in one channel account, as long as the chat lives",
)
Index("conversations_customer_idx", conversations.c.customer_id)
Index("conversations_connection_idx", conversations.c.connection_id)

messages = Table(
    "messages",
    metadata,
    text("conversation_id", "The conversation", key=True),
    text("message_id", "The vendor's id of the message", key=True),
    text("connection_id", _CONNECTION),
    instant("sent_at", "When it was sent (the first version's time)", null=True),
    big("source_seq", "The channel's own order, where it has one", "order", null=True),
    text("direction", "in: from the customer, out: to him, none: internal"),
    text("sender_kind", "customer, manager, bot, autoreply, system, campaign or note"),
    text("manager_id", "The person who wrote it; NULL: nobody of ours", "pseudonym", null=True),
    text("customer_id", "The customer", "pseudonym", null=True),
    boolean("is_public", "Whether the customer can see it"),
    text("delivery_status", "sent, delivered, read, failed or unknown"),
    text("content_kind", "text, media, sticker, reaction, call, template or payment_link"),
    text("text", "What was written; NULL: nothing, or gone at the source", "content", null=True),
    instant("edited_at", "When it was last edited", null=True),
    instant("deleted_at", "When it was deleted, where the source says so", null=True),
    boolean("call_answered", "Calls: whether somebody answered", null=True),
    seconds("talk_seconds", "Calls: length of the talk"),
    texts("flags", "Reason codes of what was odd about the message, gone_at_source among them"),
    day("business_on", "Local day of sent_at in the organisation's zone", null=True),
    instant("ingested_at", "When this version came in (raw.fetched_at)"),
    *_lineage(),
    schema="core",
    comment="One row per message or call in a conversation, the latest version",
)
Index("messages_conversation_idx", messages.c.conversation_id, messages.c.sent_at, messages.c.message_id)
Index("messages_sent_idx", messages.c.connection_id, messages.c.sent_at)
Index("messages_window_idx", messages.c.connection_id, messages.c.window_at)

events = Table(
    "events",
    metadata,
    text("conversation_id", "The conversation", key=True),
    text("event_id", "Id of the event, the same from whichever list it was read", key=True),
    text("connection_id", _CONNECTION),
    text("kind", "assigned, handoff, closed or no_reply_needed"),
    instant("at", "When it happened"),
    text("manager_id", "The new assignee (NULL: nobody), or who marked", "pseudonym", null=True),
    *_lineage(),
    schema="core",
    comment="One row per dated event of a conversation that is no message",
)
Index("events_conversation_idx", events.c.conversation_id, events.c.at)
Index("events_at_idx", events.c.connection_id, events.c.at)
Index("events_window_idx", events.c.connection_id, events.c.window_at)

orders = Table(
    "orders",
    metadata,
    text("order_id", "Connection and the vendor's id of the order", "pseudonym", key=True),
    text("connection_id", _CONNECTION),
    text("number", "The number that people know the order by", "pseudonym"),
    text("status", "The vendor's status code"),
    text("customer_id", "The customer; NULL: unknown", "pseudonym", null=True),
    text("manager_id", "The person responsible", "pseudonym", null=True),
    big("total_minor", "Total of the order", "minor units of currency", null=True),
    text("currency", "ISO 4217 code of the amounts", null=True),
    instant("created_at", "When the order was made"),
    instant("paid_at", "When it was fully paid", null=True),
    *_lineage(),
    schema="core",
    comment="One row per order in the CRM",
)
Index("orders_created_idx", orders.c.connection_id, orders.c.created_at)
Index("orders_window_idx", orders.c.connection_id, orders.c.window_at)

quarantine = Table(
    "quarantine",
    metadata,
    text("connection_id", _CONNECTION, key=True),
    text("stream", "The stream of the raw row", key=True),
    text("external_id", "external_id of the raw row", "pseudonym", key=True),
    text("reason", "Reason code: why the row could not be understood", key=True),
    instant("event_at", "When the row happened; decides the window", null=True),
    integer("items", "How many records of the raw row met this reason", "records"),
    schema="core",
    comment="One row per raw row and reason that could not be understood: the address, never the content",
)
Index("quarantine_window_idx", quarantine.c.connection_id, quarantine.c.stream, quarantine.c.event_at)
