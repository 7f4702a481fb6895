"""The file formats that can be imported: one entry per format, one parser module and one fixture each.

Here: the registry that the command, the file source and the docs read. Not here: any format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conversations.parsing import abcd, call_files, twitter_care
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
    beside: str | None = None
    """Folder next to the file's own in which a file of the same name belongs to it. ``rows`` is then handed an object:
    ``name`` of the file without its ending, its ``document``, and what lies ``beside``, or ``None``."""


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
        Format(
            name=call_files.CALL_ANALYTICS,
            source="call_files",
            stream=call_files.STREAM,
            title="A recognised call of Amazon's post-call analytics",
            shape="a JSON object with ConversationAnalytics and SpeechSegments",
            fixture="call_analytics_call.json",
            rows=call_files.call_analytics_rows,
            parser=call_files.CallFilesParser,
        ),
        Format(
            name=call_files.HARPER_VALLEY,
            source="call_files",
            stream=call_files.STREAM,
            title="A transcribed call of the Harper Valley corpus (Gridspace, 2020), its metadata beside it",
            shape="a JSON array of segments with channel_index and human_transcript; ../metadata/<same name> beside it",
            fixture="harper_valley/transcript/call.json",
            rows=call_files.harper_valley_rows,
            parser=call_files.CallFilesParser,
            beside="metadata",
        ),
    )
}
