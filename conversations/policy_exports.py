"""What leaves the warehouse for a spreadsheet: a section of the policy.

Here: its shape and defaults. Not here: the columns of the tabs (``assets.exports``), where the spreadsheet is (the
account). The section changes no figure, so it is no part of the policy's hash.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

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
