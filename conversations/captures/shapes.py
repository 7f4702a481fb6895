"""The shapes that the readers of captures hand to each other, and the one error. Not here: any reading.

A capture holds live sessions: no ``repr`` here shows a header, an address beyond its host, or a body, and an error
carries a code and a name (an option, an operation, a byte number), never a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

CODES = frozenset(
    {
        "addresses",  # batches of two different places
        "body",  # the body is no JSON batch
        "cmd",  # "Copy as cURL (cmd)"
        "compressed",  # a zip or gzip file
        "control",  # a NUL or half a surrogate pair in a quoted text
        "curl_not_har",
        "deep",  # nested deeper than anything a browser writes
        "empty",
        "encoding",
        "expansion",  # $name, $(…) or `…`: only a shell could say what it means
        "fetch",  # "Copy as fetch"
        "file",  # @file, or a cookie jar: a pasted command names a file of this machine
        "har_not_curl",
        "header",
        "json",  # broken off by no end of file, but by no JSON
        "large",
        "no_batch",  # a HAR without one request to the endpoint
        "no_chats",
        "no_curl",
        "no_log",  # JSON without log.entries
        "no_operations",  # batches, and none of ours with a query in it
        "no_session",
        "not_batch",  # a cURL command to some other address
        "open_quote",
        "option",
        "powershell",
        "several_bodies",
        "several_urls",
        "shell",  # a pipe, a redirection, a second program
        "truncated",
        "url",
    }
)


class NotACapture(ValueError):
    """A text or file that cannot be used as a capture; nothing of it was stored.

    ``detail`` is a name (of an option, a header) or a number (of a byte); what people read about each of the ``CODES``
    is in ``conversations.messages``.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        assert code in CODES, code
        self.code, self.detail = code, detail
        super().__init__(f"{code} ({detail})" if detail else code)


@dataclass(frozen=True, repr=False)
class Request:
    """One request as the browser sent it."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    """Names in lower case, in their order; a name may come twice."""
    body: str | None = None

    def __repr__(self) -> str:
        return f"Request({self.method} {urlsplit(self.url).hostname or '?'}, {len(self.headers)} headers)"


@dataclass(frozen=True, repr=False)
class Exchange:
    """A request with what is known of its answer; of a cURL command nothing is."""

    request: Request
    status: int | None = None
    answer_bytes: int = 0
    """Size of the answer's content, decoded; 0 when unknown."""
    answer: str | None = None
    """The answer's text, where the file holds it whole."""

    def __repr__(self) -> str:
        return f"Exchange({self.request!r}, {self.status}, {self.answer_bytes} bytes)"
