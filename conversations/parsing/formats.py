"""The file formats that can be imported: one entry per format, one parser module and one fixture each.

Here: the registry that the command, the file source and the docs read. Not here: any format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conversations.parsing import abcd, twitter_care
from conversations.source import Parser, RawRow


@dataclass(frozen=True)
class Format:
    """One kind of file."""

    name: str
    """As people type it: ``--format twitter-care``."""
    source: str
    """Names the raw table, ``raw.<source>__<stream>``, and is the default connection."""
    stream: str
    title: str
    """What kind of file it is, for people."""
    shape: str
    """What a file must look like, for people and for the error about a file that does not."""
    fixture: str
    """The invented example under ``tests/fixtures``."""
    rows: Callable[[Any], Iterator[RawRow]]
    """Splits the decoded document into raw rows; ``ValueError`` says what is wrong with it."""
    parser: Callable[[], Parser]


FORMATS: Mapping[str, Format] = {
    format.name: format
    for format in (
        Format(
            name="twitter-care",
            source="twitter_care",
            stream=twitter_care.STREAM,
            title="Support conversations on Twitter, as IBM published them in 2020",
            shape="a JSON array of objects with dialogHeader, dialogContent and agentURL",
            fixture="twitter_care_conversations.json",
            rows=twitter_care.rows,
            parser=twitter_care.TwitterCareParser,
        ),
        Format(
            name="abcd",
            source="abcd",
            stream=abcd.STREAM,
            title="Customer service talks with actions of the agent, without times (ABCD, 2022)",
            shape="a JSON array of objects with convo_id and original, a list of [speaker, text]",
            fixture="abcd_conversations.json",
            rows=abcd.rows,
            parser=abcd.AbcdParser,
        ),
    )
}
