"""Valid little files of every format, invented, and the words of the formats."""

from __future__ import annotations

import json
from typing import Any


def _message(number: int, who: int, said: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "type": "message", "date": f"2026-05-04T12:{number % 60:02}:07",
        "date_unixtime": str(1_777_885_207 + number * 60), "from": "Анна" if who == 1 else "Shop",
        "from_id": f"user{who}", "text": said, "text_entities": [{"type": "plain", "text": str(said)}], **more,
    }  # fmt: skip


_PRIVATE = {
    "name": "Анна", "type": "personal_chat", "id": 1,
    "messages": [
        _message(1, 1, "Здравствуйте! Есть размер 42?"),
        _message(2, 2, ["Да, ", {"type": "bold", "text": "есть"}], reply_to_message_id=1),
        _message(3, 2, "", photo="photos/photo_1@04-05-2026.jpg", width=1, height=2),
        _message(4, 1, "Беру", edited="2026-05-04T12:09:00", edited_unixtime="1777885740"),
        {"id": 5, "type": "service", "date": "2026-05-04T13:00:00", "date_unixtime": "1777888800", "actor": "Анна",
         "actor_id": "user1", "action": "phone_call", "duration_seconds": 61, "discard_reason": "hangup", "text": ""},
        {"id": 6, "type": "unsupported"},
    ],
}  # fmt: skip
_GROUP = {
    "name": "Клиенты", "type": "private_supergroup", "id": 77,
    "messages": [_message(9, 1, "Привет"), _message(10, 3, "И мне", forwarded_from="X"), _message(12, 2, "Ответ")],
}  # fmt: skip
_ACCOUNT = {
    "about": "x", "contacts": {"list": [{"first_name": "Анна"}]},
    "chats": {"about": "y", "list": [_PRIVATE, _GROUP, {"type": "saved_messages", "id": 8, "messages": []}]},
    "left_chats": {"list": [{**_GROUP, "id": 78, "name": None}]},
}  # fmt: skip

TELEGRAM = tuple(
    json.dumps(one, ensure_ascii=False, indent=indent).encode()
    for one, indent in ((_PRIVATE, 1), (_GROUP, None), (_ACCOUNT, 2), ({"messages": _GROUP["messages"]}, None))
)
TELEGRAM_WORDS = (
    b'"messages": [', b'"id": ', b'"type": "service"', b'"chats": {"list": [', b"\\x0B", b"\\\\x0B", b"\\u0000",
    b'"from_id": null', b'"date_unixtime": "0"', b'"text": [', b"]}", b"},{", b"true", b"-1", b"1e5", b"[[[[[[[[",
    b'"id": -1', b'"name": null', b'"personal_chat"', b'"date": "2026-13-41T99:99:99"', b'"via_bot": "@x"',
)  # fmt: skip
