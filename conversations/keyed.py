"""Ids of people, keyed with a secret of the installation (promise V2): the one step from a parser's ids to core's.

Here: the keyed hash, and which fields of a record it replaces. Not here: where the secret is
(``resources.warehouse.person_keys``), what a parser makes its ids of.

A telephony knows a customer by his number, a file by his name; a parser makes a plain hash of it, which is pure and
always the same. All telephone numbers of a country are tried in minutes, so such a hash is as good as the number
itself to whoever reads it. Core, and whatever follows from it, therefore holds HMAC-SHA256 of the parser's id under a
secret that only owner and loader can read: equal for equal people, different in every installation, and nothing to
whoever lacks the secret.

What the vendor gave out himself and what says nothing of a person (a number of RetailCRM, an account of Telegram)
stays: people know it, and links into the vendor's own pages are made of it. **Each parser has to say so**
(``Parser.is_vendor_id``); whatever it does not claim is keyed. Employees are no customers: an id of a manager stays,
people name it in the policy, and reports show him by name.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Protocol

from conversations.imports.survey import key_of
from conversations.numbers import NO_NUMBER, international
from conversations.records import (
    Call,
    CallTranscript,
    Conversation,
    Customer,
    Event,
    IdKind,
    Message,
    Order,
    Quarantined,
    Record,
)

SECRET_BYTES = 32
KEYED = re.compile("k[0-9a-f]{16}")
"""What a keyed id looks like behind its connection; no parser makes such an id."""

_FIELDS: Mapping[type, tuple[tuple[str, IdKind], ...]] = {
    Customer: (("customer_id", "customer"),),
    Conversation: (("conversation_id", "conversation"), ("customer_id", "customer")),
    Message: (("conversation_id", "conversation"), ("message_id", "message"), ("customer_id", "customer")),
    Event: (("conversation_id", "conversation"),),
    Order: (("customer_id", "customer"),),
    Call: (
        ("call_id", "call"),
        ("conversation_id", "conversation"),
        ("message_id", "message"),
        ("customer_id", "customer"),
    ),
    CallTranscript: (("call_id", "call"),),
}


class KnowsIds(Protocol):
    """The part of a parser that is asked here."""

    def is_vendor_id(self, kind: IdKind, local: str) -> bool: ...


class PersonKeys:
    """The keyed hashes of one installation. Shows nothing of its secret."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret of the installation.

        Raises:
            ValueError: it is too short to be one.
        """
        if len(secret) < SECRET_BYTES:
            raise ValueError("the secret of the keyed ids is too short")
        self._secret = secret
        # of one chat come many rows; what is held are ids, and no more of them than a few megabytes
        self._ids = lru_cache(maxsize=50_000)(partial(self._hash, "id"))

    def __repr__(self) -> str:
        return "PersonKeys(...)"

    def __reduce__(self) -> Any:
        raise TypeError("the secret of the keyed ids goes into no file and no other process")

    def key(self, connection_id: str, local: str) -> str:
        """The keyed form of what stands behind the connection in an id: ``k`` and 16 hexadecimal digits.

        The connection is part of it: one number in two telephonies has two ids, and only ``number_key`` joins them.

        >>> keys = PersonKeys(bytes(32))
        >>> keys.key("tbank", "6ca13d52ca70c883"), keys.key("other", "6ca13d52ca70c883")
        ('kf9ad68029718cd81', 'k181ab171fdd177b4')
        """
        return self._ids(connection_id, local)

    def number_key(self, phone: str | None) -> str | None:
        """The key of a stored phone, equal for every way of writing one number, in all connections; ``NO_NUMBER`` where
        it is no number, ``None`` where there is none.

        >>> keys = PersonKeys(bytes(32))
        >>> keys.number_key("8 (701) 000-00-01") == keys.number_key("+77010000001")
        True
        >>> keys.number_key("нет"), keys.number_key(None)
        ('', None)
        """
        if phone is None:
            return None
        number = international(phone)
        return NO_NUMBER if number is None else self._hash("number", key_of("number", number))

    def name_key(self, *parts: str) -> str:
        """What stands for the name of a file, which is often that of a person."""
        return self._hash("name", *parts)

    def full_id(self, connection_id: str, given: str) -> str:
        """An id as a parser makes it, as core holds it."""
        return f"{connection_id}:{self.key(connection_id, given.removeprefix(f'{connection_id}:'))}"

    def _hash(self, *parts: str) -> str:
        said = "\x1f".join(parts).encode("utf-8", "surrogatepass")
        return f"k{hmac.digest(self._secret, said, 'sha256').hex()[:16]}"


def keyed(record: Record | Quarantined, parser: KnowsIds, keys: PersonKeys) -> Record | Quarantined:
    """The record with every id keyed that its parser does not claim for the vendor.

    A message is known within its conversation alone: its id has no connection in front.

    Raises:
        ValueError: an id does not begin with the connection of its record.
    """
    fields = _FIELDS.get(type(record))
    if fields is None:
        return record
    connection_id = record.connection_id
    changed: dict[str, str] = {}
    for name, kind in fields:
        given = getattr(record, name)
        if given is None:
            continue
        local = given if kind == "message" else given.removeprefix(f"{connection_id}:")
        if parser.is_vendor_id(kind, local):
            continue
        if kind == "message":
            changed[name] = keys.key(connection_id, local)
        elif local is given or local == given:
            raise ValueError(f"the id of a {kind} does not begin with its connection")
        else:
            changed[name] = f"{connection_id}:{keys.key(connection_id, local)}"
    return record._replace(**changed) if changed else record  # type: ignore[arg-type]
