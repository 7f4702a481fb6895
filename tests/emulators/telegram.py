"""Telegram's Bot API for one bot and a few chats.

    with TelegramEmulator() as telegram:
        telegram.base_url, telegram.bot_token, telegram.chat_id       # calls go to {base_url}/bot{token}/{method}
        telegram.faults.add("lost", path="sendMessage", times=1)      # sent, but the answer is lost
        telegram.messages()                                           # what stands in the chat
        telegram.block(), telegram.migrate(), telegram.say("привет")

Here: tokens, methods, what a chat refuses, the limits of sending, state over a restart. Not here: HTML of messages
(``telegram_html``), bodies and pictures (``telegram_forms``), control endpoints (``telegram_control``), sockets
(``server``).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import secrets
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.emulators import telegram_control
from tests.emulators.faults import Faults, Rule
from tests.emulators.ledger import Ledger
from tests.emulators.limits import Bucket
from tests.emulators.server import Answer, Server
from tests.emulators.telegram_chats import GROUP, PERSON, WORDS, new_token, person, public
from tests.emulators.telegram_forms import BadForm, Upload, flag, read_form, read_picture, whole_number
from tests.emulators.telegram_html import Unparsed, parse, units
from tests.emulators.telegram_limits import BotRefused, Sending

MAX_TEXT, MAX_CAPTION, MAX_PHOTO = 4096, 1024, 10 * 1024 * 1024


class TelegramEmulator:
    """Serves from construction of the context until its end.

    Args:
        bot_token: made anew unless given (or kept in ``state``).
        per_second: messages a second to one chat, two at once; ``None``: no limits at all.
        per_minute: messages a minute to one group.
        overall: messages a second to all chats.
        minute: seconds of that minute, for tests that cannot wait.
        state: a folder that keeps token, chats and messages over a restart.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        bot_token: str | None = None,
        per_second: float | None = 1.0,
        per_minute: int = 20,
        overall: float = 30.0,
        minute: float = 60.0,
        state: Path | None = None,
        seed: int = 1,
    ) -> None:
        self.faults = Faults(seed)
        self.ledger = Ledger(self._no_truth, self._no_truth)
        self.bucket = Bucket(None, 1)
        self.stopping = threading.Event()
        self._sending = Sending(per_second, per_minute, overall, minute)
        self.early = self._sending.early
        """Chat and seconds of every message that came before the time that a 429 had told for this chat."""
        self._arrived = threading.Condition()
        self._polling = 0
        self._path = state / "telegram.json" if state is not None else None
        self._data: dict[str, Any] = {"token": None, "chats": {}, "messages": [], "updates": [], "next": 1}
        if self._path is not None and self._path.exists():
            self._data = json.loads(self._path.read_text("utf-8"))
        self.bot_token: str = bot_token or self._data["token"] or new_token()
        self._data["token"] = self.bot_token
        self.chat_id, self.person_id = GROUP, PERSON
        if not self._data["chats"]:
            self.add_chat(GROUP, "supergroup", title="Отклик: дежурные")
            self.add_chat(PERSON, "private", first_name="Айгуль", username="aigul_demo")
        self._server = Server(self, host, port)
        self.host, self.port = host, self._server.server_address[1]
        self.base_url = f"http://{host}:{self.port}"

    def __enter__(self) -> TelegramEmulator:
        self.save()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        with self._arrived:
            self._arrived.notify_all()
        self._server.stop()

    # ---- what people do ---------------------------------------------------------------------------------------

    def add_chat(self, chat_id: int, kind: str, **fields: Any) -> None:
        """One more chat: ``private``, ``group``, ``supergroup`` or ``channel``, with title or names."""
        self._data["chats"][str(chat_id)] = {"id": chat_id, "type": kind, **fields}

    def block(self, chat_id: int | None = None) -> None:
        """The person blocks the bot, or it is thrown out of the group."""
        self._data["chats"][str(chat_id or self.chat_id)]["_blocked"] = True

    def unblock(self, chat_id: int | None = None) -> None:
        self._data["chats"][str(chat_id or self.chat_id)].pop("_blocked", None)

    def forbid_photos(self, chat_id: int | None = None) -> None:
        """The group's owner takes away the right to send pictures."""
        self._data["chats"][str(chat_id or self.chat_id)]["_no_photos"] = True

    def migrate(self, chat_id: int | None = None) -> int:
        """The group becomes a supergroup of another id, which is given back."""
        old = self._data["chats"][str(chat_id or self.chat_id)]
        new = -1000000000000 - secrets.randbelow(10**9)
        self.add_chat(new, "supergroup", title=old.get("title", ""))
        old["_migrated"] = new
        return new

    def say(self, text: str, chat_id: int | None = None) -> int:
        """A person writes; the update's id."""
        chat = self._data["chats"][str(chat_id or self.person_id)]
        with self._arrived:
            update_id = 100000 + self._data["next"]
            message = self._message(chat, {"text": text, "from": person(chat)})
            self._data["updates"].append({"update_id": update_id, "message": message})
            self._arrived.notify_all()
        self.save()
        return update_id

    def chats(self) -> dict[str, dict[str, Any]]:
        """Every chat by the text of its id; what begins with ``_`` is ours."""
        chats: dict[str, dict[str, Any]] = self._data["chats"]
        return chats

    def conversation(self, chat_id: int) -> list[dict[str, Any]]:
        """Everything said in a chat, oldest first."""
        with self._arrived:
            return [one for one in self._data["messages"] if one["chat"]["id"] == chat_id]

    def messages(self, chat_id: int | None = None) -> list[dict[str, Any]]:
        """What the bot has sent into a chat, oldest first, as the API gave it back."""
        return [one for one in self.conversation(chat_id or self.chat_id) if one["from"]["is_bot"]]

    def texts(self, chat_id: int | None = None) -> list[str]:
        """Texts and captions of ``messages``."""
        return [one.get("text", one.get("caption", "")) for one in self.messages(chat_id)]

    # ---- what the server asks ---------------------------------------------------------------------------------

    def key(self, path: str, headers: Any) -> str:
        return "telegram:" + hashlib.sha256(path.split("/")[1].encode()).hexdigest()[:12]

    def shown(self, path: str) -> str:
        return re.sub(r"^/bot[^/]*", "/bot***", path)

    def error(self, path: str, status: int, message: str) -> Any:
        return {"ok": False, "error_code": status, "description": WORDS.get(status, "Internal Server Error")}

    def refusal(self, path: str, rule: Rule) -> Answer:
        if rule.status == 502:
            page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
            return Answer(502, page, content_type="text/html")
        body = self.error(path, rule.status, "")
        if rule.status == 429 and rule.retry_after is not None and rule.form != "none":
            seconds = math.ceil(rule.retry_after)
            body["description"] += f": retry after {seconds}"
            body["parameters"] = {"retry_after": seconds}
        return Answer(rule.status, body)

    def control(self, verb: str, path: str, params: dict[str, str], payload: dict[str, Any]) -> Any:
        return telegram_control.control(self, verb, path, params, payload)

    def answer(
        self,
        verb: str,
        path: str,
        params: list[tuple[str, str]],
        headers: Any,
        fired: dict[str, Rule],
        body: bytes = b"",
    ) -> Answer:
        try:
            return Answer(200, {"ok": True, "result": self._called(verb, path, params, headers, body)})
        except BotRefused as refused:
            return Answer(refused.status, refused.body)
        except BadForm as bad:
            return Answer(400, BotRefused(400, f"Bad Request: {bad}").body)

    def _called(self, verb: str, path: str, params: list[tuple[str, str]], headers: Any, body: bytes) -> Any:
        hit = re.fullmatch(r"/bot(\d+:[\w-]{30,})/(\w+)", path)
        if hit is None or verb not in ("GET", "POST"):
            raise BotRefused(404, "Not Found")
        if not secrets.compare_digest(hit[1], self.bot_token):
            raise BotRefused(401, "Unauthorized")
        form = {**dict(params), **read_form(body, headers.get("Content-Type") or "")}
        # names of methods are read without case
        act = {
            "getme": self._get_me,
            "getchat": self._get_chat,
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "getupdates": self._get_updates,
            "deletewebhook": lambda _: True,
            "getwebhookinfo": lambda _: {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
        }.get(hit[2].lower())
        if act is None:
            raise BotRefused(404, "Not Found: method not found")
        return act(form)

    # ---- methods ----------------------------------------------------------------------------------------------

    @property
    def _me(self) -> dict[str, Any]:
        bot_id = int(self.bot_token.partition(":")[0])
        return {"id": bot_id, "is_bot": True, "first_name": "Отклик", "username": "otklik_demo_bot"}

    def _get_me(self, form: dict[str, Any]) -> Any:
        return {**self._me, "can_join_groups": True, "can_read_all_group_messages": False}

    def _get_chat(self, form: dict[str, Any]) -> Any:
        chat = self._chat(form)
        return {**public(chat), "accent_color_id": 2, "max_reaction_count": 11}

    def _chat(self, form: dict[str, Any]) -> dict[str, Any]:
        """The chat that is meant, if the bot may speak there."""
        given = str(form.get("chat_id", "")).strip()
        if not given:
            raise BotRefused(400, "Bad Request: chat_id is empty")
        with self._arrived:
            chats: dict[str, Any] = self._data["chats"]
            if given.startswith("@"):
                named = (one for one in chats.values() if one.get("username") == given[1:] and one["type"] != "private")
                chat = next(named, None)
            else:
                chat = chats.get(given)
        if chat is None:
            raise BotRefused(400, "Bad Request: chat not found")
        if "_migrated" in chat:
            message = "Bad Request: group chat was upgraded to a supergroup chat"
            raise BotRefused(400, message, migrate_to_chat_id=chat["_migrated"])
        if chat.get("_blocked"):
            private = chat["type"] == "private"
            kind = "bot was blocked by the user" if private else f"bot was kicked from the {chat['type']} chat"
            raise BotRefused(403, f"Forbidden: {kind}")
        return chat  # type: ignore[no-any-return]

    def _send_message(self, form: dict[str, Any]) -> Any:
        chat = self._chat(form)
        text, entities = self._text(form, "text")
        if not text:
            raise BotRefused(400, "Bad Request: message text is empty")
        if units(text) > MAX_TEXT:
            raise BotRefused(400, "Bad Request: message is too long")
        self._check_options(form)
        self._sending.take(chat)
        return self._keep(chat, {"text": text, **({"entities": entities} if entities else {})})

    def _send_photo(self, form: dict[str, Any]) -> Any:
        chat = self._chat(form)
        upload = self._upload(form)
        if chat.get("_no_photos"):
            raise BotRefused(400, "Bad Request: not enough rights to send photos to the chat")
        caption, entities = self._text(form, "caption")
        if units(caption) > MAX_CAPTION:
            raise BotRefused(400, "Bad Request: message caption is too long")
        self._check_options(form)
        if isinstance(upload, str):
            known = self.photos().get(upload)
            if known is None:
                raise BotRefused(400, "Bad Request: wrong file identifier/HTTP URL specified")
            photo = known["photo"]
        else:
            if len(upload.data) > MAX_PHOTO:
                raise BotRefused(413, "Request Entity Too Large")
            kind, width, height = read_picture(upload.data)
            file_id = "AgACAgIAAxkDAAI" + secrets.token_urlsafe(24)
            size = {"width": width, "height": height, "file_size": len(upload.data)}
            photo = {"file_id": file_id, "file_unique_id": secrets.token_urlsafe(9), **size}
            with self._arrived:
                self.photos()[file_id] = {"photo": photo, "type": kind, "hex": upload.data.hex()}
        self._sending.take(chat)
        content: dict[str, Any] = {"photo": [photo]}
        if caption:
            content |= {"caption": caption, **({"caption_entities": entities} if entities else {})}
        return self._keep(chat, content)

    def photos(self) -> dict[str, Any]:
        photos: dict[str, Any] = self._data.setdefault("photos", {})
        return photos

    def _upload(self, form: dict[str, Any]) -> Upload | str:
        given = form.get("photo")
        if isinstance(given, str) and given.startswith("attach://"):
            given = form.get(given.removeprefix("attach://"))
        if not given or (isinstance(given, Upload) and not given.data):
            raise BotRefused(400, "Bad Request: there is no photo in the request")
        return given if isinstance(given, Upload) else str(given)

    def _text(self, form: dict[str, Any], name: str) -> tuple[str, list[dict[str, Any]]]:
        given = form.get(name, "")
        if isinstance(given, Upload):
            given = given.data.decode("utf-8", "replace")
        mode = str(form.get("parse_mode", "")).lower()
        if not mode:
            return str(given).strip(), []
        if mode != "html":
            raise BotRefused(400, "Bad Request: unsupported parse_mode")
        try:
            return parse(str(given))
        except Unparsed as error:
            raise BotRefused(400, f"Bad Request: can't parse entities: {error}") from None

    def _check_options(self, form: dict[str, Any]) -> None:
        for name in ("reply_markup", "link_preview_options", "reply_parameters", "entities"):
            if isinstance(form.get(name), str):
                try:
                    json.loads(form[name])
                except ValueError:
                    raise BotRefused(400, f"Bad Request: can't parse {name.replace('_', ' ')} JSON object") from None
        for name in ("disable_notification", "protect_content", "disable_web_page_preview"):
            flag(form, name)

    def _get_updates(self, form: dict[str, Any]) -> Any:
        offset = whole_number(form, "offset", 0)
        limit = whole_number(form, "limit", 100)
        until = time.monotonic() + whole_number(form, "timeout", 0)
        with self._arrived:
            if self._polling:
                text = "terminated by other getUpdates request; make sure that only one bot instance is running"
                raise BotRefused(409, f"Conflict: {text}")
            self._polling += 1
            try:
                if offset > 0:
                    self._data["updates"] = [one for one in self._data["updates"] if one["update_id"] >= offset]
                while not self._data["updates"] and time.monotonic() < until and not self.stopping.is_set():
                    self._arrived.wait(until - time.monotonic())
                # a negative offset counts from the end
                found = self._data["updates"][offset if offset < 0 else 0 :]
                return found[: min(max(limit, 1), 100)]
            finally:
                self._polling -= 1

    # ---- state ----------------------------------------------------------------------------------------------

    def _message(self, chat: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        with self._arrived:
            number = self._data["next"]
            self._data["next"] += 1
            message = {
                "message_id": number,
                "from": self._me,
                "chat": public(chat),
                "date": int(time.time()),
                **content,
            }
            self._data["messages"].append(message)
            return message

    def _keep(self, chat: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        message = self._message(chat, content)
        self.save()
        return message

    def save(self) -> None:
        if self._path is None:
            return
        with self._arrived:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(".part")
            part.touch(0o600)
            part.write_text(json.dumps(self._data, ensure_ascii=False), "utf-8")
            part.replace(self._path)

    @staticmethod
    def _no_truth(stream: str, start: datetime | None, end: datetime | None) -> dict[str, dict[str, Any]]:
        raise KeyError("a chat has no streams")
