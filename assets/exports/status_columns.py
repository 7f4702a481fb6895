"""The tab data_status: its title, columns and look. Not here: its rows (``status``)."""

from __future__ import annotations

from conversations.messages import DEFINITIONS, Headings, Words
from resources.sheets import ColourRule, Column, Kind, Look

STATUS = "data_status"
"""The title of the tab."""

COLUMNS = (
    (Column(Headings.TAB, Kind.TEXT, 240), "the tab that the row speaks of"),
    (Column(Headings.HOLDS, Kind.TEXT, 400), "what one row of that tab is"),
    (Column(Headings.WEEK, Kind.TEXT, 170), "week"),
    (Column(Headings.STALE, Kind.TEXT, 150), "ops.exports.stale_since, marts.data_status.is_stale"),
    (Column(Headings.DATA, Kind.TEXT, 110), "marts.data_status.status, the worst of the channels"),
    (Column(Headings.WHY, Kind.TEXT, 480), "marts.data_status.reasons, ops.exports.stale_reason"),
    (Column(Headings.AS_OF, Kind.DATETIME, 140), "marts.data_status.as_of; of lists ops.as_of"),
    (Column(Headings.DAYS, Kind.INTEGER, 110), "marts.data_status.days_complete, the least of the channels"),
    (Column(Headings.RECEIVED, Kind.PERCENT, 120), "marts.data_status.messages_stored / messages_reported"),
    (Column(Headings.ROWS, Kind.INTEGER, 100), "rows of the tab; of a chat by its last message"),
)
LOOK = Look(
    frozen_columns=1,
    rules=[
        ColourRule(Headings.STALE, "starts", Words.YES, "bad"),
        ColourRule(Headings.DATA, "is", Words.STATUSES["incomplete"], "warn"),
        ColourRule(Headings.DATA, "is", Words.STATUSES["failed"], "bad"),
    ],
    notes={column.name: DEFINITIONS[column.name] for column, _ in COLUMNS},
    wrap=[Headings.WHY],
    protected=True,
)
