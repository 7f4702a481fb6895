"""Accounts and what leaves the platform: credentials, exports, messages to people, incidents, who did what.

Here: the book-keeping of everything that talks to the outside. Not here: what is read (``raw``), what is shown
(marts, which dbt describes).
"""

from __future__ import annotations

from sqlalchemy import Index, Table
from sqlalchemy import text as expression

from resources.warehouse.schema.columns import blob, instant, integer, json, metadata, text

connections = Table(
    "connections",
    metadata,
    text("connection_id", "The account's name in all our tables", key=True),
    text("vendor", "Whose account it is: retailcrm, sheets, telegram"),
    text("origin", "stored: connected by a person; environment: described by variables, no credentials here"),
    json("settings", "Addresses and other values that are no secret", "none"),
    blob("credentials", "Encrypted with Fernet (JSON: name to secret); NULL for the environment", null=True),
    text("key_id", "Fingerprint of the key that encrypted the credentials", null=True),
    text("status", "ok, needs_auth, rate_limited, broken; NULL: not asked yet", null=True),
    text("reason", "Why it is not ok, in plain words; never a value of a row or a secret", null=True),
    instant("checked_at", "When the status was found", null=True),
    instant("synced_at", "When all streams of the account were last read to their end", null=True),
    instant("disabled_at", "Since when it is not read any more; NULL: in use", null=True),
    instant("created_at", "When it was connected"),
    instant("updated_at", "When addresses or credentials last changed"),
    schema="ops",
    comment="One row per account of a vendor: where it is, how it is, and its credentials encrypted",
)

audit = Table(
    "audit",
    metadata,
    text("audit_id", "Random id of the entry", key=True),
    instant("at", "When"),
    text("actor", "Who: the user of the operating system, or the run", "pseudonym"),
    text("action", "connect, disable, enable, rotate_keys ..."),
    text("subject", "What it was done to: a connection, a table", null=True),
    schema="ops",
    comment="One row per act on accounts and keys; may be added to and never changed",
)

exports = Table(
    "exports",
    metadata,
    text(
        "destination",
        "Where it went: sheet:<spreadsheet id>, or apps_script:<fingerprint> for the script called afterwards",
        "pseudonym",
        key=True,
    ),
    text("tab", "Which part of it: the tab's title", key=True),
    text("content_hash", "Hash of what is shown there: the same hash again writes nothing. Empty while it changes"),
    integer("row_count", "Rows shown, without the heading", "rows"),
    text("first_week", "First ISO week shown", null=True),
    text("last_week", "Last ISO week shown", null=True),
    json("weeks", "What the tab data_status says of each week shown here: as of when, complete or why not", "none"),
    instant("published_at", "When it was last changed"),
    text("stale_reason", "Why something newer is not shown; NULL: it is up to date", null=True),
    instant("stale_since", "Since when it is out of date", null=True),
    schema="ops",
    comment="One row per tab of a spreadsheet: what is shown there and whether it is up to date",
)

outbox = Table(
    "outbox",
    metadata,
    text("message_id", "Chosen by the sender: the same message twice is one row", key=True),
    text("channel", "By what it goes: telegram"),
    text("recipient", "To whom: the chat's id", "pseudonym"),
    text("body", "What is said; never a customer's words, name or phone"),
    blob("picture", "A picture (PNG) that is sent with it; the text is its caption", null=True),
    text("state", "queued, sending, sent, failed, unknown (sent or not: the answer was lost)"),
    integer("attempts", "How often it was handed over", "attempts"),
    text("reason", "Why it failed or is unknown", null=True),
    text("external_id", "The id that the messenger gave it", null=True),
    instant("created_at", "When it was queued"),
    instant("not_before", "When it may be tried again", null=True),
    instant("settled_at", "When its last state was reached", null=True),
    schema="ops",
    comment="One row per message to people: written before it is sent, so that nothing is said twice or lost",
)
_OPEN = expression("state in ('queued', 'sending')")
Index("outbox_open_idx", outbox.c.channel, outbox.c.created_at, postgresql_where=_OPEN)

incidents = Table(
    "incidents",
    metadata,
    text("incident_id", "Random id", key=True),
    text("fingerprint", "What is wrong: the same trouble has one open incident"),
    text("kind", "run_failed, check_failed, late, connection, heartbeat, no_week, disk, database"),
    text("owner", "Whose trouble it is: a key of the policy's owners"),
    text("subject", "The job and its days, the connection, the week, the folder"),
    text("reason", "Why, by its code: needs_auth, busy, unexpected ..."),
    json("details", "What the rules must know to find its end: the run, its days, its failed checks", "none"),
    instant("since", "When the trouble itself began: the run's end, the last sign of life"),
    instant("opened_at", "When it was first seen"),
    instant("seen_at", "When it was last seen"),
    integer("times", "How often it was seen", "sightings"),
    instant("closed_at", "When it was over; NULL: it lasts", null=True),
    schema="ops",
    comment="One row per trouble from its beginning to its end: one message is sent for each, however often it is seen",
)
Index("incidents_open_idx", incidents.c.fingerprint, unique=True, postgresql_where=expression("closed_at is null"))

looks = Table(
    "looks",
    metadata,
    text("what", "What is looked at: runs, the database ...", key=True),
    json("seen", "How far it has been looked through", "none"),
    instant("looked_at", "When it was last looked at"),
    schema="ops",
    comment="One row per thing that is watched: what was seen of it. Written in one transaction with the incidents",
)
