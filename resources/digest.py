"""Monday's digest at its edges: to whom it goes and where it leads, the message made, put into the outbox.

Here: what the asset, the command and the watch share. Not here: what it says (``conversations``), its rows
(``resources.warehouse.digests``), sending (``resources.alerts``). Text and picture are queued for all chats in one
transaction; whoever is killed before it has queued nothing, whoever comes after it queues nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from conversations.alerts import Changes, Kind
from conversations.messages.digest import Digests, late_text
from conversations.window import last_closed_week, monday_of
from resources.accounts import SheetsAccount, sheets_account, telegram_account
from resources.warehouse import digests
from resources.warehouse.audit import record
from resources.warehouse.digests import Place
from resources.warehouse.failpoints import fail_point

if TYPE_CHECKING:
    import psycopg

    from conversations.digest import Facts
    from conversations.policy import Policy
    from resources.settings import Settings
    from resources.warehouse.engine import Warehouse


class Addressed(NamedTuple):
    """Who gets the digest, and where its link leads."""

    chats: tuple[str, ...]
    """Empty: nobody can be told, there is no bot or no chat."""
    link: str | None


def addressed(settings: Settings, policy: Policy, connection: psycopg.Connection[Any]) -> Addressed:
    """Chats and link by the policy, else by the accounts; ``connection`` is the loader's.

    Raises:
        KeysLost: the key of the stored accounts is gone (D14).
    """
    bot = telegram_account(settings, connection)
    chats = () if bot is None else policy.digest.chats or ((bot.chat_id,) if bot.chat_id else ())
    return Addressed(chats, policy.digest.link or spreadsheet_link(settings, sheets_account(settings, connection)))


def spreadsheet_link(settings: Settings, account: SheetsAccount | None) -> str | None:
    """Where people open the spreadsheet that is written."""
    if account is None or not account.spreadsheet_id:
        return None
    return settings.google_sheets_url or f"https://docs.google.com/spreadsheets/d/{account.spreadsheet_id}/edit"


def read(warehouse: Warehouse, week: str | None, policy: Policy, link: str | None) -> Facts:
    """The facts of a published week, of the newest one without ``week``; ``warehouse`` is the publisher's.

    Raises:
        NotPublished: there is no such week.
    """
    with warehouse.connect("otklik-digest") as connection:
        # one state of the marts: a publication may end between two queries
        connection.execute("set transaction isolation level repeatable read, read only")
        place = Place(policy.organisation.name, policy.time_zone, link)
        return digests.facts(connection, week or digests.newest_week(connection), place)


def enqueue(
    warehouse: Warehouse, week: str, chats: Iterable[str], body: str, picture: bytes, *, by_hand: bool = False
) -> dict[str, bool]:
    """Queue the digest for every chat that has not got one of this week; by chat, whether it was new.

    ``by_hand``: a person's act, which is written down.
    """
    with warehouse.connect("otklik-digest") as connection:
        at = datetime.now(UTC)
        queued = digests.queue_digest(connection, week, chats, body, picture, at)
        if by_hand:
            record(connection, "digest_send", week, at=at)
        fail_point("digest.before_commit")
    fail_point("digest.committed")
    return queued


def enqueue_again(warehouse: Warehouse, week: str, chats: Iterable[str], body: str, picture: bytes) -> None:
    """Queue it once more: a person's decision, which is written down."""
    with warehouse.connect("otklik-digest") as connection:
        digests.queue_again(connection, week, chats, body, picture, datetime.now(UTC))


def enqueue_late(
    warehouse: Warehouse, week: str, to: Addressed, why: str, *, is_published: bool = False, by_hand: bool = False
) -> int:
    """Queue the short message instead, for every chat that has neither; how many were new.

    ``is_published``: the week stands in the spreadsheet, on incomplete data. ``by_hand`` as in ``enqueue``.
    """
    with warehouse.connect("otklik-digest") as connection:
        if by_hand:
            record(connection, "digest_send", week)
        return _late(connection, week, to, why, datetime.now(UTC), is_published=is_published)


def tell_missing_week(
    connection: psycopg.Connection[Any],
    policy: Policy,
    changes: Changes,
    now: datetime,
    operators_chat: str | None,
    at: datetime,
) -> int:
    """What the watch says to the readers of the digest when the last week is not published in time; how many it told.

    A chat that is told of the incident itself is not told twice.

    Args:
        changes: what the look found; only the last closed week is anybody's Monday report.
        operators_chat: who is told without chats of the policy; ``None``: messages are off.
    """
    missing = {trouble.subject for trouble in (*changes.opened, *(one for _, one in changes.again))
               if trouble.kind is Kind.NO_WEEK}  # fmt: skip
    week = last_closed_week(now, policy.time_zone)
    if week not in missing or operators_chat is None or not policy.digest.enabled:
        return 0
    told = policy.owners.named(policy.owners.key_of("marts")).chat or operators_chat
    chats = tuple(chat for chat in policy.digest.chats or (operators_chat,) if chat != told)
    to = Addressed(chats, policy.digest.link)
    return _late(connection, week, to, Digests.LATE_NOT_THERE, at)


def is_due(settings: Settings, time_zone: str, weeks: Sequence[str]) -> str | None:
    """The week of these that is told by itself: the last closed one, or none."""
    week = last_closed_week(settings.now(), time_zone)
    return week if week in weeks else None


def _late(
    connection: psycopg.Connection[Any], week: str, to: Addressed, why: str, at: datetime, *, is_published: bool = False
) -> int:
    body = late_text(week, monday_of(week), why, to.link, is_published=is_published)
    return digests.queue_late(connection, week, to.chats, body, at)
