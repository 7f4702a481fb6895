"""What came back: a body as JSON, and whether a request that failed can have arrived at all. Not here: statuses."""

from __future__ import annotations

import json
from typing import Any, Final

import requests
from urllib3.exceptions import NewConnectionError

NO_JSON: Final = object()


def parsed(body: bytes) -> Any:
    """The JSON value, ``NO_JSON`` for anything that is none; ``NaN`` and ``Infinity`` are none."""
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return NO_JSON


def never_left(error: Exception) -> bool:
    """Whether no connection came about, so that the vendor has seen nothing of the request."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectionError) and isinstance(reason, NewConnectionError)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
