"""Which ids of a record are keyed: all that its parser does not claim for the vendor, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
import pickle
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.imports.survey import key_of
from conversations.imports.telegram import is_vendor_key
from conversations.keyed import PersonKeys, keyed
from conversations.parsing.formats import FORMATS
from conversations.parsing.tbank import TBankParser
from conversations.records import Call, CallTranscript, Conversation, Customer, Event, IdKind, Manager, Message, Order
from tests.person_keys import KEYS, SECRET

AT = datetime(2026, 3, 2, tzinfo=UTC)
MESSAGE = Message(
    "a:chat", "m1", "a", AT, None, "in", "customer", "a:boss", "a:vera", True, "sent", "text", "a:vera", None, None,
    None, None, (),
)  # fmt: skip
CALL = Call(
    "a:file", "a", "talk", "a:chat", "m1", "a:phone", "a:boss", "a:vera", None, "in", AT, None, 5, True, False, ()
)


class Parser:
    """Claims the kinds that it is given."""

    def __init__(self, *claimed: IdKind) -> None:
        self._claimed = claimed

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        return kind in self._claimed


def full(local: str) -> str:
    """By hand what the keyed id is."""
    said = "\x1f".join(("id", "a", local)).encode()
    return f"a:k{hmac.new(SECRET, said, hashlib.sha256).hexdigest()[:16]}"


def test_whatever_no_parser_claims_is_keyed() -> None:
    changed = keyed(MESSAGE, Parser(), KEYS)
    assert changed == MESSAGE._replace(
        conversation_id=full("chat"), message_id=full("m1")[2:], customer_id=full("vera")
    )
    assert keyed(CALL, Parser(), KEYS) == CALL._replace(
        call_id=full("file"), conversation_id=full("chat"), message_id=full("m1")[2:], customer_id=full("vera")
    )
    assert keyed(Customer("a:vera", "a", "Вера", None, None), Parser(), KEYS)[0] == full("vera")
    assert keyed(Conversation("a:chat", "a", "a:phone", "a:vera", None, False, ()), Parser(), KEYS)[:4] == (
        full("chat"), "a", "a:phone", full("vera"),
    )  # fmt: skip
    assert keyed(Event("a:chat", "e", "a", "closed", AT, "a:boss"), Parser(), KEYS)[:2] == (full("chat"), "e")
    assert keyed(CallTranscript("a:file", "a", "ready", None, None, "as_labelled", ()), Parser(), KEYS)[0] == full(
        "file"
    )
    order = Order(*("a:1", "a", *[None] * (len(Order._fields) - 2)))._replace(customer_id="a:vera")
    assert keyed(order, Parser(), KEYS) == order._replace(customer_id=full("vera"))


def test_every_id_of_a_customer_is_known_to_be_one() -> None:
    """A field that a later record gets is keyed or is none of a customer's."""
    others = {"channel_id", "connection_id", "communication_id", "manager_id", "operator_id", "team_id", "event_id",
              "order_id"}  # fmt: skip
    for record in (Customer, Conversation, Message, Event, Order, Call, CallTranscript):
        ids = {name for name in record._fields if name.endswith("_id")} - others
        one = record(*[None] * len(record._fields))._replace(connection_id="a", **{name: "a:x" for name in ids})
        changed = keyed(one, Parser(), KEYS)
        assert {name for name in ids if getattr(changed, name) == "a:x"} == set(), record
        assert {name for name in record._fields if getattr(changed, name) != getattr(one, name)} == ids


def test_what_a_parser_claims_and_employees_stay() -> None:
    assert keyed(MESSAGE, Parser("conversation", "customer", "message"), KEYS) is MESSAGE
    assert keyed(MESSAGE, Parser("conversation", "message"), KEYS) == MESSAGE._replace(customer_id=full("vera"))
    manager = Manager("a:boss", "a", "Иван", None, True)
    assert keyed(manager, Parser(), KEYS) is manager
    assert keyed(MESSAGE._replace(customer_id=None), Parser("message"), KEYS)[-10] is None


def test_an_id_of_no_connection_is_refused_without_being_said() -> None:
    with pytest.raises(ValueError, match="does not begin with its connection") as refused:
        keyed(Customer("+79165550102", "a", None, None, None), Parser(), KEYS)
    assert "5550102" not in str(refused.value)


@given(st.binary(min_size=32, max_size=64), st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_a_key_is_another_in_every_installation_connection_and_person(
    secret: bytes, connection: str, one: str, other: str
) -> None:
    keys = PersonKeys(secret)
    made = keys.key(connection, one)
    assert len(made) == 17 and made[0] == "k" and int(made[1:], 16) >= 0
    assert made == keys.key(connection, one) != keys.key(f"{connection}.", one)
    assert (made == keys.key(connection, other)) == (one == other)
    assert made != PersonKeys(secret + b"\1").key(connection, one)


def test_the_secret_leaves_by_no_door() -> None:
    assert repr(KEYS) == str(KEYS) == f"{KEYS}" == "PersonKeys(...)"
    for leave in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError):
            leave(KEYS)
    with pytest.raises(ValueError, match="too short"):
        PersonKeys(SECRET[:31])


def test_parsers_claim_only_what_holds_no_person() -> None:
    named = key_of("phone", "79165550102")
    phone = TBankParser()
    assert not phone.is_vendor_id("customer", named) and not phone.is_vendor_id("conversation", named)
    assert phone.is_vendor_id("conversation", "internal") and phone.is_vendor_id("conversation", "call17")
    assert phone.is_vendor_id("call", "17") and phone.is_vendor_id("message", "17")
    assert not any(map(is_vendor_key, (named, key_of("Вера"), "id-0123", "user", "user12x", "")))
    claims = {name: {kind for kind in ("customer", "conversation", "call", "message")
                     if FORMATS[name].parser().is_vendor_id(kind, "x")} for name in FORMATS}  # fmt: skip
    assert claims["call-analytics"] == claims["harper-valley"] == set()
    assert "customer" not in claims["twitter-care"]
