"""What a browser saves of the chats page: "Copy as cURL" in its forms, and a HAR of a visit.

Here: texts as Chrome writes them. Not here: the page itself (``retailcrm_web``).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

QUERIES = {
    "ChannelsList": "query ChannelsList {\n  channels {\n    edges { node { id type name __typename } }\n  }\n}",
    "chatsList": (
        "query chatsList($sort: ChatsSort, $first: Int, $after: String, $filter: ChatsFilter) {\n"
        "  # список чатов: «последние сверху»\n"
        "  chats(sort: $sort, first: $first, after: $after, filter: $filter) {\n"
        "    edges { node { id channel { id type name } customer { id name phone } lastActivity\n"
        "      lastDialog { id createdAt closedAt responsible { id name } } lastMessage { ...M }\n"
        "      lastNotSystemMessage { ...M } } }\n    pageInfo { hasNextPage endCursor }\n  }\n}"
    ),
    "messages": (
        "query messages($filter: MessagesFilter!, $last: Int, $before: String) {\n"
        "  messages(filter: $filter, last: $last, before: $before) {\n"
        "    edges { node { id __typename type time author { __typename id name }\n"
        "      ... on TextMessage { content } ... on FileMessage { note } ... on SystemMessage { action } } }\n"
        "    pageInfo { hasPreviousPage startCursor }\n  }\n}"
    ),
}


class Captures:
    """Writes what the browser would, for calls to one address with one set of headers."""

    def __init__(self, address: str, headers: Mapping[str, str]) -> None:
        self._address = address
        self._headers = dict(headers)

    @staticmethod
    def variables(name: str, chat_id: str) -> dict[str, Any]:
        """The variables with which the page asks."""
        if name == "chatsList":
            return {
                "sort": "BY_LAST_ACTIVITY",
                "first": 20,
                "filter": {"channelIds": [], "tags": [], "userIds": [], "botIds": [], "tagsFilteringMode": "ALL"},
            }
        if name == "messages":
            return {"filter": {"chatId": chat_id, "withDeleted": True}, "last": 30}
        return {}

    def body(self, operations: Mapping[str, Mapping[str, Any]], chat_id: str | None = None) -> list[dict[str, Any]]:
        """The batch of a call."""
        found = []
        for name, operation in operations.items():
            variables = self.variables(name, chat_id) if chat_id else operation["variables"]
            found.append({"operationName": name, "variables": variables, "query": operation["query"]})
        return found

    def curl(self, operations: Mapping[str, Mapping[str, Any]], form: str) -> str:
        """The call as text for a shell.

        Raises:
            ValueError: no such form.
        """
        data = json.dumps(self.body(operations), ensure_ascii=False, separators=(",", ":"))
        cookie = self._headers["cookie"]
        headers = {name: value for name, value in self._headers.items() if name != "cookie"}
        if form in ("bash", "bash-ansi"):
            lines = [f"curl {_quoted(self._address)}"]
            lines += [f"  -H {_quoted(f'{name}: {value}')}" for name, value in headers.items()]
            lines += [f"  -b {_quoted(cookie)}"]
            lines += [f"  --data-raw {_ansi(data) if form == 'bash-ansi' else _quoted(data)}", "  --compressed"]
            return " \\\n".join(lines) + "\n"
        if form == "cmd":
            lines = [f"curl ^{_caret(self._address)}"]
            lines += [f"  -H ^{_caret(f'{name}: {value}')}" for name, value in headers.items()]
            lines += [f"  -b ^{_caret(cookie)}", f"  --data-raw ^{_caret(data)}"]
            return " ^\r\n".join(lines) + "\r\n"
        if form == "powershell":
            body = data.replace("`", "``").replace('"', '`"')
            listed = "\r\n".join(f'  "{name}"="{value}"' for name, value in headers.items())
            return (
                "$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\r\n"
                f'Invoke-WebRequest -UseBasicParsing -Uri "{self._address}" `\r\n-Method "POST" `\r\n'
                f'-WebSession $session `\r\n-Headers @{{\r\n{listed}\r\n}} `\r\n-Body "{body}"\r\n'
            )
        raise ValueError("form is one of bash, bash-ansi, cmd, powershell")

    def har(self, exchanges: Sequence[tuple[list[dict[str, Any]], Any]]) -> dict[str, Any]:
        """The visit: the page itself, a picture, and the calls, every second answer in base64."""
        entries = [
            _entry(
                "GET", self._address.partition("/api/")[0] + "/chats", {}, None, "text/html", "<html></html>", False
            ),
            _entry("GET", self._address.partition("/api/")[0] + "/a.png", {}, None, "image/png", "iVBORw0KGgo=", True),
        ]
        for number, (body, answer) in enumerate(exchanges):
            text, sent = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in (answer, body))
            entries.append(
                _entry("POST", self._address, self._headers, sent, "application/json", text, number % 2 == 1)
            )
        creator = {"name": "WebInspector", "version": "537.36"}
        return {"log": {"version": "1.2", "creator": creator, "pages": [], "entries": entries}}


def _entry(
    method: str, url: str, headers: Mapping[str, str], sent: str | None, kind: str, text: str, is_base64: bool
) -> dict[str, Any]:
    pseudo = [{"name": ":authority", "value": url.split("/")[2]}, {"name": ":method", "value": method}]
    content: dict[str, Any] = {"size": len(text.encode()), "mimeType": kind, "text": text}
    if is_base64:
        content["encoding"] = "base64"
        if kind == "application/json":
            content["text"] = base64.b64encode(text.encode()).decode()
    request: dict[str, Any] = {
        "method": method,
        "url": url,
        "httpVersion": "http/2.0",
        "headers": [*pseudo, *({"name": name, "value": value} for name, value in headers.items())],
        "queryString": [],
        "cookies": [],
    }
    if sent is not None:
        request["postData"] = {"mimeType": "application/json", "text": sent}
    return {
        "startedDateTime": "2026-03-09T08:00:00.000Z",
        "time": 12.5,
        "request": request,
        "response": {"status": 200, "statusText": "", "headers": [], "cookies": [], "content": content},
    }


def _quoted(text: str) -> str:
    """In single quotes, as Chrome writes it for bash; a single quote ends them, is escaped and opens them again."""
    return "'" + text.replace("'", "'\\''") + "'"


def _ansi(text: str) -> str:
    """In ``$'...'``: what is no printable ASCII as UTF-16 units, as Chrome does when the text has quotes or ``!``."""
    said = []
    for character in text:
        if character in "\\'":
            said.append("\\" + character)
        elif character in "\n\r\t":
            said.append({"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character])
        elif " " <= character <= "~" and character != "!":
            said.append(character)
        else:
            units = character.encode("utf-16-be")
            said += [f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
    return "$'" + "".join(said) + "'"


def _caret(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"^{one}" if one in '^&|<>"%!()' else one for one in escaped) + '^"'
