"""The ways into RetailCRM side by side: which door is open, and what there is not behind it.

Here: what the answers of ``otklik probe`` mean per door. Not here: the calls (``probe``), words
(``conversations.messages.captures``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from conversations.messages import NONE, Doors
from orchestration.cli import screen

if TYPE_CHECKING:
    from orchestration.cli.probed import Probed

_OF_VENDOR = {"retailcrm": ("bot", "v5"), "retailcrm-web": ("web",)}
_PREFIXES = {"bot": ("api/bot/",), "v5": ("api/v5/", "api/credentials"), "web": ("",)}
_STYLES = {Doors.OPEN: "green", Doors.PARTLY: "yellow", Doors.CLOSED: "bold red"}


class Door(NamedTuple):
    """One door of one account; an account of API keys has two."""

    kind: str
    """``bot``, ``v5``, ``web``."""
    connection_id: str | None
    """``None``: no account is connected by it."""
    state: str
    lacks: str


def doors(asked: Sequence[Probed]) -> list[Door]:
    """Every door of the accounts that were asked, and one line for each that nobody has connected."""
    found = [_door(kind, one) for one in asked for kind in _OF_VENDOR.get(one.vendor, ())]
    absent = [kind for kind in Doors.NAMES if all(door.kind != kind for door in found)]
    return found + [Door(kind, None, Doors.ABSENT.format(Doors.CONNECT[kind]), Doors.LACK[kind]) for kind in absent]


def draw(asked: Sequence[Probed]) -> None:
    """Print the doors."""
    columns = [(heading, "left") for heading in (Doors.DOOR, Doors.CONNECTION, Doors.STATE, Doors.LACKS)]
    drawn = screen.table(Doors.TITLE, columns, [])
    for door in doors(asked):
        cells = [Doors.NAMES[door.kind], door.connection_id or NONE, door.state, door.lacks]
        screen.add_row(drawn, cells, style=_STYLES.get(door.state))
    screen.show(drawn)


def _door(kind: str, one: Probed) -> Door:
    """What is needed and closed makes a door partly open; nothing open, or a refusal before all calls, closes it."""
    ours = [item for item in one.found if item.name.startswith(_PREFIXES[kind])]
    closed = [item.name for item in one.missing if item in ours]
    absent = [Doors.NO_CAPTURE[item.name] for item in ours if item.reason == "not_captured"]
    if one.error is not None or all(not item.is_open for item in ours):
        state = Doors.CLOSED
    else:
        state = Doors.PARTLY if closed or absent else Doors.OPEN
    lacks = [*absent, Doors.LACK[kind], *([Doors.closed(closed)] if closed else [])]
    return Door(kind, one.connection_id, state, "; ".join(lacks))
