"""Telegram's Bot API, as far as we speak with it: who the bot is, whether a chat can be written to, one message, with a
picture or without.

Here: paths, the envelope of answers, and what each answer of ``sendMessage`` and ``sendPhoto`` proves. Not here: when a
message is sent and whether again (the outbox), what it says. https://core.telegram.org/bots/api

Reading calls go through the common client with its retry layer. ``send`` and ``send_photo`` make exactly one request
and never raise for what the network or the vendor did: the outbox is the one that tries again, and only what was
certainly not delivered (promise P6). Telegram offers no way to ask whether a message arrived.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import requests
import requests.adapters
import urllib3

from resources.clients import retry_after
from resources.clients.addresses import checked_url
from resources.clients.errors import (
    BadConfiguration,
    Forbidden,
    NeedsAuth,
    NotFound,
    RateLimited,
    Refused,
    SourceError,
)
from resources.clients.http import HttpClient, Limits
from resources.clients.public import PublicAdapter
from resources.clients.redact import hide
from resources.clients.telegram_chats import Chat, chats_of

LONGEST = 4096
"""Characters of one message after its entities were parsed."""
TOKEN_PAUSE_SECONDS = 600.0
"""A refused token is asked again at this pace: a person has to act, and a wrong key must not look like an attack."""
UNREACHED_PAUSE_SECONDS = 60.0
UNTOLD_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 3600.0
_LARGEST_ANSWER = 1 << 20
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{1,200}")

OF_THE_PICTURE = frozenset({"no_pictures", "bad_picture", "picture_too_large"})
"""Reasons of a refusal that the text alone would not meet."""

State: TypeAlias = Literal["sent", "failed", "later", "unknown"]


@dataclass(frozen=True)
class Outcome:
    """What one request proves about its message.

    ``sent``: delivered. ``failed``: refused for good. ``later``: certainly not delivered, may be tried again after
    ``wait_seconds``. ``unknown``: it may have been delivered.
    """

    state: State
    reason: str | None = None
    """A code: rate_limited, needs_auth, not_reached, no_answer ..."""
    external_id: str | None = None
    wait_seconds: float = 0.0
    moved_to: str | None = None
    """The chat's new id: it has become a supergroup."""


class TelegramClient:
    """One bot.

    Raises:
        BadConfiguration: at construction, when address or token cannot be used.
    """

    def __init__(
        self, connection_id: str, base_url: str, bot_token: str, limits: Limits | None = None, **http: Any
    ) -> None:
        hide(bot_token)
        hide(bot_token.partition(":")[2])
        self.connection_id = connection_id
        if not _TOKEN.fullmatch(bot_token):
            raise BadConfiguration(
                connection_id, "the bot token is not of the form number:letters", "Copy it from @BotFather once more"
            )
        self._limits = limits or Limits()
        self._base_url = checked_url(connection_id, base_url)
        self._bot = f"bot{bot_token}"
        self._http = HttpClient(connection_id, base_url, headers={}, limits=self._limits, judge=self._judge, **http)

    def __enter__(self) -> TelegramClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def me(self) -> str:
        """The bot's name.

        Raises:
            SourceError: see ``resources.clients.errors``; ``NeedsAuth`` for a wrong token.
        """
        return str(self._read("getMe", ()).get("username", ""))

    def chat(self, chat_id: str) -> str:
        """What kind of chat it is: private, group, supergroup, channel.

        Raises:
            NotFound: the bot does not know this chat: nobody has written to it there, or it is no member.
        """
        return str(self._read("getChat", (("chat_id", chat_id),)).get("type", ""))

    def chats(self) -> list[Chat]:
        """The chats that wrote to the bot within a day, the latest first. What was read stays unread for others.

        Raises:
            Refused: another program reads this bot's messages, or they go to a webhook.
        """
        answer = self._http.get(
            f"{self._bot}/getUpdates", (), expect=dict, page="getUpdates", complaint=_list_complaint
        )
        return chats_of(one for one in answer["result"] if isinstance(one, dict))

    def send(self, chat_id: str, text: str) -> Outcome:
        """Send one message in Telegram's HTML; one request, whatever comes of it."""
        options = {"parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
        return self._send("sendMessage", json={"chat_id": chat_id, "text": text, **options})

    def send_photo(self, chat_id: str, picture: bytes, caption: str) -> Outcome:
        """Send one PNG with its caption in Telegram's HTML; one request, whatever comes of it."""
        form = {"chat_id": chat_id, "caption": caption, "parse_mode": "HTML"}
        return self._send("sendPhoto", data=form, files={"photo": ("digest.png", picture, "image/png")})

    def _send(self, method: str, **body: Any) -> Outcome:
        limits = self._limits
        deadline = time.monotonic() + limits.read_seconds
        way = _Way()
        try:
            # a connection of its own: one kept from the last message may have been closed by the other side meanwhile,
            # and a message lost that way could not be told from one whose answer was lost
            with (
                _session(way) as session,
                session.post(
                    f"{self._base_url}/{self._bot}/{method}",
                    headers={"Accept": "application/json", "Connection": "close"},
                    timeout=(limits.connect_seconds, limits.read_seconds),
                    allow_redirects=False,
                    stream=True,
                    **body,
                ) as response,
            ):
                return outcome_of(response.status_code, response.headers, _body(response, deadline))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if not way.has_begun or was_not_reached(error):
                return Outcome("later", "not_reached", wait_seconds=UNREACHED_PAUSE_SECONDS)
            return Outcome("unknown", "no_answer")

    def _read(self, method: str, params: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        answer = self._http.get(
            f"{self._bot}/{method}", params, expect=dict, page=method, complaint=_complaint
        )  # fmt: skip
        return dict(answer["result"])

    def _judge(self, status: int, body: Any, page: str) -> SourceError | None:
        said = str(body.get("description", "")) if isinstance(body, dict) else ""
        if status == 401 or (status == 404 and isinstance(body, dict)):
            # a malformed or foreign token makes a path that does not exist
            return NeedsAuth(self.connection_id, f"the bot token was refused while reading {page}")
        if status == 400 and "chat not found" in said.lower():
            return NotFound(
                self.connection_id,
                "the bot does not know this chat",
                "Add the bot to the chat, or write to it first; then check the chat's id",
            )
        if status == 403:
            return Forbidden(
                self.connection_id, "the bot may not write to this chat", "Unblock it, or add it to the chat again"
            )
        if status == 409:
            return Refused(
                self.connection_id, f"another program reads this bot's messages, or they go to a webhook ({page})"
            )
        if status == 429:
            told = _told(body, {})
            return RateLimited(self.connection_id, f"asked to slow down while reading {page}", retry_after=told)
        return None


class _Way(PublicAdapter):
    """The way out of one request, which knows whether anything of it has left.

    A handshake that is refused, cut off or not answered, and a proxy that lets nobody through, come before that. The
    library's errors do not tell: the same one is raised for a connection that is cut off later.
    """

    has_begun = False

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        pool = super().get_connection_with_tls_context(*arguments, **options)
        way, kind = self, pool.ConnectionCls

        class Connection(kind):  # type: ignore[misc, valid-type]
            def request(self, *arguments: Any, **options: Any) -> None:
                way.has_begun = True
                super().request(*arguments, **options)

        pool.ConnectionCls = Connection
        return pool


def _session(way: _Way) -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, way)
    return session


def outcome_of(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """What an answer to a sending call proves; decided by the status first, since a refusal may have any body."""
    value = _parsed(body)
    if status == 200:
        result = value.get("result") if isinstance(value, dict) and value.get("ok") is True else None
        if isinstance(result, dict) and isinstance(result.get("message_id"), int):
            return Outcome("sent", external_id=str(result["message_id"]))
        return Outcome("unknown", "bad_answer")
    if status == 429:
        told = _told(value, headers)
        wait = UNTOLD_PAUSE_SECONDS if told is None else min(max(told, 1.0), _LONGEST_PAUSE_SECONDS)
        return Outcome("later", "rate_limited", wait_seconds=wait)
    if status in (408, 409) or status >= 500:
        # a gateway in between may answer so after the message was taken
        return Outcome("unknown", "unavailable")
    if status in (401, 404):
        reason = "needs_auth" if isinstance(value, dict) else "wrong_host"
        return Outcome("later", reason, wait_seconds=TOKEN_PAUSE_SECONDS)
    if status == 413:
        # a proxy in between says it in a page of its own
        return Outcome("failed", "picture_too_large")
    if 300 <= status < 400 or not isinstance(value, dict):
        return Outcome("later", "wrong_host", wait_seconds=TOKEN_PAUSE_SECONDS)
    moved = _parameters(value).get("migrate_to_chat_id")
    if status == 400 and isinstance(moved, int) and not isinstance(moved, bool):
        return Outcome("later", "moved", moved_to=str(moved))
    return Outcome("failed", _refusal(status, str(value.get("description", ""))))


def was_not_reached(error: BaseException) -> bool:
    """Whether the request certainly never left: no connection came about."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    # the libraries wrap one another's errors, as an argument or as a reason
    wrapped: list[Any] = [error]
    for current in wrapped:
        if isinstance(current, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
            return True
        if isinstance(current, BaseException) and len(wrapped) < 20:
            wrapped += [*current.args, getattr(current, "reason", None)]
    return False


def _refusal(status: int, description: str) -> str:
    said = description.lower()
    if status == 403:
        return "blocked"
    if "chat not found" in said:
        return "chat_not_found"
    if "too long" in said:
        return "too_long"
    if "to send photos" in said:
        return "no_pictures"
    if "image_process" in said or "photo" in said:
        return "bad_picture"
    return "bad_text" if "parse" in said else "refused"


def _body(response: requests.Response, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(65536):
        size += len(chunk)
        if size > _LARGEST_ANSWER or time.monotonic() > deadline:
            # neither proves anything; a cut JSON is no answer
            break
        chunks.append(chunk)
    return b"".join(chunks)


def _complaint(answer: dict[str, Any]) -> str | None:
    return None if answer.get("ok") is True and isinstance(answer.get("result"), dict) else "not an answer of the API"


def _list_complaint(answer: dict[str, Any]) -> str | None:
    return None if answer.get("ok") is True and isinstance(answer.get("result"), list) else "not an answer of the API"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _parameters(value: Any) -> dict[str, Any]:
    found = value.get("parameters") if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _told(value: Any, headers: Mapping[str, str]) -> float | None:
    told = _parameters(value).get("retry_after")
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    return retry_after.seconds(headers)
