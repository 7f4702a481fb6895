"""What leaves the warehouse for a spreadsheet: a section of the policy.

Here: its shape and defaults. Not here: the columns of the tabs (``assets.exports``), where the spreadsheet is (the
account). The section changes no figure, so it is no part of the policy's hash.
"""

from __future__ import annotations

import string
from typing import Annotated, Literal, TypeAlias
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

Texts: TypeAlias = Literal["full", "masked", "none"]
"""full: as written; masked: without phones, e-mails and cards, customers by first name and initial; none: no texts and
no names of customers."""


class Exports(BaseModel):
    """What the spreadsheet shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weeks: Annotated[int, Field(gt=0, le=104)] = 12
    """The newest published weeks in the summaries of managers and channels."""
    raw_weeks: Annotated[int, Field(gt=0, le=104)] = 4
    """Of those, the newest whose chats and messages are listed."""
    raw_rows: Annotated[int, Field(gt=0, le=200_000)] = 50_000
    """Most rows of one list; the newest stay. A spreadsheet holds 10 million cells, people read far fewer."""
    texts: Texts = "masked"
    chat_link: str | None = None
    """Where a chat is opened at its source: ``{url}`` is the address of the account, ``{chat}`` the chat's id there, as
    in ``{url}/chats/{chat}``. Without it, no address is shown."""

    @field_validator("chat_link")
    @classmethod
    def _check_link(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            named = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
        except ValueError:
            named = set()
        if "chat" not in named or named - {"chat", "url"} or not value.startswith(("{url}", "https://", "http://")):
            raise ValueError("write an address with {chat} in it, and {url} for the account's own: {url}/chats/{chat}")
        return value

    def link_of(self, url: str | None, chat: str) -> str | None:
        """The address of a chat; ``None``: there is no pattern, or it needs the account's address and there is none.

        >>> Exports(chat_link="{url}/chats/{chat}").link_of("https://shop.example/", "a/7")
        'https://shop.example/chats/a%2F7'
        """
        if self.chat_link is None or ("{url}" in self.chat_link and not url):
            return None
        return self.chat_link.replace("{url}", (url or "").rstrip("/")).replace("{chat}", quote(chat, safe=""))
