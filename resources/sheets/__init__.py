"""Tabs of ours in somebody's Google spreadsheet: what a tab is, and how it is published so that nobody sees a half.

    published = publish(client, spreadsheet_id, [Tab("chats_raw", columns, rows)], previous={"chats_raw": hash})

Here: the tabs (``cells``), their look (``look``), the packing into requests (``packing``) and the publication
(``publish``). Not here: the calls to Google (``resources.clients.sheets``), what stands in the tabs
(``assets.exports``).
"""

from resources.sheets.cells import Cell, Column, InvalidTab, Kind, Tab
from resources.sheets.look import Chart, ColourRule, Legend, Look, Tone
from resources.sheets.publish import Published, TabResult, publish, read_back

__all__ = [
    "Cell",
    "Chart",
    "ColourRule",
    "Column",
    "InvalidTab",
    "Kind",
    "Legend",
    "Look",
    "Published",
    "Tab",
    "TabResult",
    "Tone",
    "publish",
    "read_back",
]  # fmt: skip
