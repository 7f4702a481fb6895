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

_LRM, _NNBSP = "\u200e", "\u202f"
_ANDROID = """23.03.2026, 13:31 - Сообщения и звонки защищены сквозным шифрованием.
23.03.2026, 13:31 - Анна: Здравствуйте!
Есть размер 42?
23.03.2026, 13:31 - Shop: Добрый день: есть
23.03.2026, 13:40 - Анна: <Без медиафайлов>
23.03.2026, 13:41 - Shop: Данное сообщение удалено
24.03.2026, 09:00 - Анна: IMG-20260324-WA0002.jpg (файл добавлен)
24.03.2026, 09:02 - Пропущенный аудиозвонок
"""
_IOS = f"""[3/18/26, 2:56:01{_NNBSP}PM] Анна: {_LRM}Messages and calls are end-to-end encrypted.
[3/18/26, 2:56:09{_NNBSP}PM] Анна: hello
second line
{_LRM}[3/18/26, 2:57:00{_NNBSP}PM] Shop: {_LRM}image omitted
[3/19/26, 11:57:00{_NNBSP}AM] Shop: bye <This message was edited>
"""
WHATSAPP = tuple(
    text.encode(encoding)
    for text, encoding in (
        (_ANDROID, "utf-8"), (_IOS, "utf-8"), (_ANDROID.replace("\n", "\r\n"), "utf-8-sig"), (_IOS, "utf-16"),
    )
)  # fmt: skip
WHATSAPP_WORDS = (
    b"23.03.2026, 13:31 - ", b"[3/18/26, 2:56:09 PM] ", b"31.12.2569, 00:00 - x: ", b"99.99.2026, 13:31 - A: ",
    b"23.03.2026, 25:61 - A: y", b": ", b" - ", b"AM", b"p. m.", "\u202apеople\u202c: ".encode(), b"\n\n\n",
    b"[14:56:01, 3/18/26] ", "٢٣".encode(), "Анна:".encode(), b"null", b"R8.3.1", b"Shop",
)  # fmt: skip

CSV_MAPPING = """
columns: {conversation: chat, title: who, message_id: id, time: at, author: who, role: role, text: text}
file: {delimiter: ";"}
time: {format: iso, zone: Europe/Moscow}
values: {role: {client: customer, staff: manager}}
"""
CSV = (
    """chat;id;at;who;role;text
7;1;2026-03-02T09:00:00;Анна;client;Есть размер 42?
7;2;2026-03-02T09:05:00;Shop;staff;Да, есть
7;3;2026-03-02T09:05:00;Shop;staff;Да
8;4;;Борис;client;без времени
""".encode(),
    b"chat;id;at;who;role;text\n1;1;2026-03-02T09:00:00+05:00;A;client;x\n1;1;2026-03-02T09:00:00;A;client;twice\n",
)
CSV_WORDS = (
    b";", b";;", b'"', b'""', b"\n;\n", b"client", b"staff", b"boss", b"2026-02-30T00:00:00", b"0001-01-01T00:00:00",
    b"9999-12-31T23:59:59-23:59", b"2026-10-25T02:30:00", b"-1", b"007", b"chat", "٧".encode(),
)  # fmt: skip
JSONL_MAPPING = """
file: {kind: jsonl}
columns: {conversation: chat.id, title: chat.title, message_id: id, time: at, author: from.name, role: from.type,
  text: text}
time: {format: [unix, iso], zone: UTC}
values: {role: {client: customer, operator: manager}}
"""
JSONL = (
    b"\n".join(
        json.dumps(one).encode()
        for one in (
            {"chat": {"id": 7, "title": "A"}, "id": 1, "at": 1777885207, "from": {"name": "A", "type": "client"},
             "text": "hi"},
            {"chat": {"id": 7}, "id": 2, "at": "2026-05-04T12:00:00Z", "from": {"name": "S", "type": "operator"},
             "text": "yes"},
            {"chat": {"id": 8}, "id": 1, "from": {"name": "B", "type": "client"}, "text": None},
        )
    ),
)  # fmt: skip
JSONL_WORDS = (
    b"{}", b"[]", b"null", b'"chat": {}', b'"at": 1e400', b'"at": -1', b'"at": true', b'"id": 1.5', b"NaN", b"{" * 99,
    b'"\\ud800"', b'"from": []', b'"text": {"a": 1}', b"\n", b'"id": 99999999999999999999',
)  # fmt: skip
LOG_MAPPING = r"""
log:
  message: '\[(?P<time>[^\]]+)\] <(?P<nick>[^>]+)> ?(?P<text>.*)'
columns: {time: time, author: nick, text: text}
constants: {conversation: room}
time: {format: '%Y-%m-%d %H:%M:%S', zone: UTC}
staff: [Shop]
"""
LOG = (
    b"[2026-03-02 09:00:00] <Anna> hi\n[2026-03-02 09:00:00] <Shop> hello\nbroken line\n[2026-03-02 09:01:00] <B> \n",
)
LOG_WORDS = (b"[", b"]", b"<", b"> ", b"[2026-13-02 09:00:00] <X> y", b"[2026-03-02 09:00:00] <Shop> ", b"\n", b"\t")
