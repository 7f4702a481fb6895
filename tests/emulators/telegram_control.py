"""What the emulated Telegram has under ``/_emulator/`` of its own, for people and for tests in other processes:

GET  /_emulator/chats               the chats
GET  /_emulator/chat[/<id>]         a chat as a page; ``?as=json``: what the bot has sent there
GET  /_emulator/photo/<file id>     a picture that was sent
POST /_emulator/say                 {"text": "...", "chat_id": 740000002}: a person writes
POST /_emulator/block, unblock, migrate    {"chat_id": -1001740000001}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators import telegram_page
from tests.emulators.server import Answer

if TYPE_CHECKING:
    from tests.emulators.telegram import TelegramEmulator


def control(emulator: TelegramEmulator, verb: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
    """See the module's text.

    Raises:
        KeyError: no such endpoint, chat or picture.
    """
    name, _, rest = path.partition("/")
    if name == "chats":
        return list(emulator.chats().values())
    if name == "chat":
        chat_id = int(rest or emulator.chat_id)
        if params.get("as") == "json":
            return emulator.messages(chat_id)
        shown = telegram_page.page(emulator.chats()[str(chat_id)], emulator.conversation(chat_id))
        return Answer(200, shown, content_type="text/html")
    if name == "photo":
        upload = emulator.photos()[rest]
        return Answer(200, bytes.fromhex(upload["hex"]), content_type=upload["type"])
    if verb == "POST" and name == "say":
        return {"update_id": emulator.say(payload["text"], payload.get("chat_id"))}
    if verb == "POST" and name in ("block", "unblock", "migrate"):
        moved = getattr(emulator, name)(payload.get("chat_id"))
        emulator.save()
        return {"ok": True, **({"chat_id": moved} if moved else {})}
    raise KeyError(f"no control endpoint {path!r}")
