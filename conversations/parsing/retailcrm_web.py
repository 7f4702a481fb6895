"""Nodes of the CRM's chats page: translated into rows of the Bot API, and understood by its parser.

Here: which field of a node is which field of the gateway's rows, as far as anybody knows. Not here: what those mean
(``conversations.parsing.retailcrm``), reading them (``resources.sources.retailcrm_web``).

The page is documented nowhere (contract, section 3). Certain enough are ``id``, ``type``, ``time``, ``author``,
``content``, ``note``, ``action`` of messages and the fields of chats; a captured query may ask for more or for less. Of
what a node does not say, the harmless half is assumed, and nothing else is:

- A message without ``scope`` is public, one of the system is not. A role that nobody documented is quarantined.
- An assignment without its ``responsible`` is no event: who is in charge is not known, not nobody.
- A deleted message (``isDeleted``, ``deletedAt``) keeps its effect on waits, loses its text and is flagged, as one that
  the gateway no longer lists; when it went is told only where the node tells it.
- Ids are the gateway's own, so that a chat has one id whichever way it came.
- The page lists no people: managers are the authors of messages and those in charge of chats.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from conversations.parsing.fields import Odd, instant, optional_text
from conversations.parsing.flags import EDITED_UNDATED, IS_PARTIAL
from conversations.parsing.retailcrm import PAYMENT_HOSTS, RetailCRMParser
from conversations.records import IdKind, Manager, Message, Quarantined, Record
from conversations.source import RawRecord

_ROLES = {"Customer": "customer", "User": "user", "Bot": "bot"}
_KEPT = ("content", "note", "items", "order", "product")


class RetailCRMWebParser:
    """Understands every stream of ``RetailCRMWebSource``.

    ``handoff_message_ids``: assignments that took a dialog from a bot; one row alone does not tell what was before. The
    other arguments are those of ``RetailCRMParser``.
    """

    def __init__(
        self,
        no_reply_needed_marks: Collection[str] = ("#безответа", "#без ответа"),
        autoreply_names: Collection[str] = ("автоответ",),
        payment_hosts: Collection[str] = PAYMENT_HOSTS,
        handoff_message_ids: Collection[str] = frozenset(),
    ) -> None:
        self._gateway = RetailCRMParser(
            no_reply_needed_marks, autoreply_names, payment_hosts, handoff_message_ids=handoff_message_ids
        )
        self._translations = {"channels": channel, "chats": chat, "messages": message}

    def is_vendor_id(self, kind: IdKind, local: str) -> bool:
        """All are numbers of the vendor, those that his API has."""
        return True

    def parse(self, stream: str, row: RawRecord) -> Iterable[Record | Quarantined]:
        """Understand one row of one stream.

        Raises:
            KeyError: a stream that the source does not have.
        """
        translate = self._translations[stream]
        try:
            told = row._replace(payload=translate(row.payload))
        except Odd as odd:
            at = instant(row.payload, "time")
            return [Quarantined(row.connection_id, stream, row.external_id, odd.reason, at)]
        if stream == "messages" and (row.payload.get("isDeleted") is True or row.payload.get("deletedAt")):
            told = told._replace(gone_at=instant(row.payload, "deletedAt") or row.gone_at or row.fetched_at)
        found = [self._finished(record, row) for record in self._gateway.parse(stream, told)]
        if any(isinstance(record, Quarantined) for record in found):
            return found
        return [*_people(stream, row), *found]

    def _finished(self, record: Record | Quarantined, row: RawRecord) -> Record | Quarantined:
        """What the gateway's rows cannot say: an edit without a time, a deletion with one, a row that is not all of its
        chat."""
        if not isinstance(record, Message):
            return record
        flags = list(record.flags)
        if _is_edited(row.payload) and record.edited_at is None:
            flags.append(EDITED_UNDATED)
        if row.payload.get("is_partial") is True:
            flags.append(IS_PARTIAL)
        return record._replace(flags=tuple(flags), deleted_at=instant(row.payload, "deletedAt"))


def channel(node: Mapping[str, Any]) -> dict[str, Any]:
    """A channel as the gateway spells it; the page shows active ones."""
    active = node.get("isActive")
    return {**_with_small_type(node), "is_active": active if isinstance(active, bool) else True}


def chat(node: Mapping[str, Any]) -> dict[str, Any]:
    """A chat as the gateway spells it."""
    customer = node.get("customer")
    told: dict[str, Any] = {"id": node.get("id"), "channel": node.get("channel"), "customer": None}
    told["created_at"] = node.get("createdAt")
    told["name"] = node.get("name")
    if isinstance(customer, dict):
        parts = (optional_text(customer, "firstName"), optional_text(customer, "lastName"))
        name = optional_text(customer, "name") or " ".join(filter(None, parts)) or optional_text(customer, "username")
        told["customer"] = {"id": customer.get("id"), "name": name, "phone": customer.get("phone")}
    return told


def message(node: Mapping[str, Any]) -> dict[str, Any]:
    """A message as the gateway spells it.

    Raises:
        Odd: neither its kind nor its author tells what it is.
    """
    author = node.get("author")
    kind = _kind(node, author)
    scope = optional_text(node, "scope")
    dialog = node.get("dialog")
    told: dict[str, Any] = {
        "id": node.get("id"),
        "time": node.get("time"),
        "type": kind,
        "scope": scope.lower() if scope else "private" if kind == "system" else "public",
        "chat_id": node.get("chatId"),
        # every event of a chat without known dialogs is one of the same dialog
        "dialog": dialog if isinstance(dialog, dict) else {"id": f"chat{node.get('chatId')}"},
        "is_edit": _is_edited(node),
        "updated_at": node.get("editedAt") or node.get("updatedAt"),
    }
    if status := optional_text(node, "status"):
        told["status"] = status.lower()
    if kind == "system":
        told |= _action(node)
    else:
        told["from"] = _person(author)
        told |= {name: node[name] for name in _KEPT if node.get(name) is not None}
    return told


def _is_edited(node: Mapping[str, Any]) -> bool:
    return node.get("isEdited") is True or node.get("isEdit") is True


def _kind(node: Mapping[str, Any], author: Any) -> str:
    """The type; where the query did not ask for it, the kind of the node: ``TextMessage``."""
    said = optional_text(node, "type") or (optional_text(node, "__typename") or "").removesuffix("Message")
    if author is None or said.lower() == "system":
        # only lines of the system have no author (contract, section 3)
        return "system"
    if not said:
        raise Odd("missing_field")
    return said.lower()


def _action(node: Mapping[str, Any]) -> dict[str, Any]:
    action = optional_text(node, "action")
    action = action.lower() if action else None
    if action != "dialog_assign":
        return {"action": action}
    if "responsible" not in node:
        return {"action": "dialog_assign_untold"}
    responsible = node["responsible"]
    return {"action": action, "responsible": _person(responsible) if responsible is not None else None}


def _person(node: Any) -> dict[str, Any]:
    """Who; a role outside the vocabulary goes through as it is, for the gateway's parser to refuse."""
    if not isinstance(node, dict):
        raise Odd("unmapped_sender")
    role = node.get("__typename")
    return {"id": node.get("id"), "type": _ROLES.get(role, role) if isinstance(role, str) else None,
            "name": node.get("name")}  # fmt: skip


def _with_small_type(node: Mapping[str, Any]) -> dict[str, Any]:
    said = node.get("type")
    return {"id": node.get("id"), "type": said.lower() if isinstance(said, str) else said, "name": node.get("name")}


def _people(stream: str, row: RawRecord) -> Iterator[Record]:
    """The managers that a node names; of one in charge the page may leave the kind out: then a bot is possible."""
    payload = row.payload
    if stream == "messages":
        named = [payload.get("author"), payload.get("responsible")]
    else:
        dialog = payload.get("lastDialog")
        named = [dialog.get("responsible")] if isinstance(dialog, dict) else []
        named += [last.get("author") for last in map(payload.get, ("lastMessage", "lastNotSystemMessage"))
                  if isinstance(last, dict)]  # fmt: skip
    for person in named:
        if not isinstance(person, dict) or person.get("__typename") != "User":
            continue
        number = person.get("id")
        if isinstance(number, int | str) and not isinstance(number, bool) and number != "":
            name = optional_text(person, "name") or str(number)
            yield Manager(f"{row.connection_id}:{number}", row.connection_id, name, None, True)
