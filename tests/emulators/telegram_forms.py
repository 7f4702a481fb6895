"""Bodies of Bot API calls: JSON, form-urlencoded and multipart, and the pictures in them.

Here: bytes into named values. Not here: what a method does with them (``telegram``).
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl


class BadForm(Exception):
    """``Bad Request: ...``"""


@dataclass(frozen=True)
class Upload:
    """A file of a multipart body."""

    filename: str
    data: bytes


def read_form(body: bytes, content_type: str) -> dict[str, Any]:
    """Named values; files as ``Upload``.

    Raises:
        BadForm: no JSON object, a text that is not UTF-8, a body of an unknown type.
    """
    if not body:
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            loaded = json.loads(body)
        except ValueError:
            raise BadForm("can't parse request: object expected as JSON") from None
        if not isinstance(loaded, dict):
            raise BadForm("can't parse request: object expected as JSON")
        return {name: value for name, value in loaded.items() if value is not None}
    if kind == "application/x-www-form-urlencoded":
        try:
            return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict"))
        except ValueError:
            raise BadForm("strings must be encoded in UTF-8") from None
    if kind == "multipart/form-data":
        return _multipart(body, content_type)
    return {}


def _multipart(body: bytes, content_type: str) -> dict[str, Any]:
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    found: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(data, bytes):
            raise BadForm("can't parse multipart/form-data")
        filename = part.get_filename()
        if filename is not None:
            found[name] = Upload(filename, data)
            continue
        try:
            found[name] = data.decode("utf-8")
        except ValueError:
            raise BadForm("strings must be encoded in UTF-8") from None
    return found


def whole_number(form: dict[str, Any], name: str, default: int) -> int:
    """A number of the form.

    Raises:
        BadForm: it is none.
    """
    value = form.get(name, default)
    if not re.fullmatch(r"-?\d+", str(value)):
        raise BadForm(f"{name} must be a number")
    return int(value)


def flag(form: dict[str, Any], name: str) -> bool:
    """Telegram reads true, yes and 1; everything else is no."""
    return str(form.get(name, "")).lower() in ("true", "yes", "1")


def read_picture(data: bytes) -> tuple[str, int, int]:
    """Media type, width and height.

    Raises:
        BadForm: no picture, or of a shape that Telegram does not take.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 24 and data.rstrip(b"\0").endswith(b"IEND\xaeB`\x82"):
        kind = "image/png"
        width, height = struct.unpack(">II", data[16:24])
    elif data.startswith(b"\xff\xd8"):
        kind = "image/jpeg"
        width, height = _jpeg(data)
    else:
        raise BadForm("IMAGE_PROCESS_FAILED")
    if not width or not height or width + height > 10000 or max(width, height) > 20 * min(width, height):
        raise BadForm("PHOTO_INVALID_DIMENSIONS")
    return kind, width, height


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + size
    raise BadForm("IMAGE_PROCESS_FAILED")
