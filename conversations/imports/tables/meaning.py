"""What a stored row of a table or log means: its text, its kind, whether it was edited or deleted.

Here: the one function that the parser of imported files calls. Not here: how the row was made (``reader``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from conversations.parsing.fields import Odd, flag_of, instant, optional_text
from conversations.parsing.imported import Meant
from conversations.records import ContentKind

_KINDS = frozenset(get_args(ContentKind))


def meaning(payload: Mapping[str, Any]) -> Meant:
    """The meaning of a raw message of ``table_import``.

    Raises:
        Odd: ``unknown_kind``: a kind that the records do not know.
    """
    kind = payload.get("kind", "text")
    if kind not in _KINDS:
        raise Odd("unknown_kind")
    answered, seconds = payload.get("answered"), payload.get("talk_seconds")
    flags = payload.get("flags") or ()
    text = payload.get("text")
    return Meant(
        text=text if isinstance(text, str) else None,
        content_kind=kind,
        is_system=optional_text(payload, "side") == "system",
        is_deleted=flag_of(payload, "deleted"),
        is_edited=flag_of(payload, "edited"),
        edited_at=instant(payload, "edited_at"),
        call_answered=answered if isinstance(answered, bool) else None,
        talk_seconds=seconds if isinstance(seconds, int) else None,
        flags=tuple(one for one in flags if isinstance(one, str)),
    )
