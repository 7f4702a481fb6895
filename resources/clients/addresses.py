"""What may be used as the address and the headers of a connection. Not here: the calls (``http``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from resources.clients.errors import BadConfiguration
from resources.clients.private import is_declared_host
from resources.clients.redact import hide


def checked_url(connection_id: str, base_url: str) -> str:
    """The base URL without blanks and a slash at its end.

    Raises:
        BadConfiguration: none, or no plain https address; http is for this machine and declared private hosts only.
    """
    parts = urlsplit(base_url.strip())
    if not base_url.strip():
        raise BadConfiguration(connection_id, "no base URL is set", "Set the base URL of the connection")
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise BadConfiguration(
            connection_id, "the base URL is not a plain https address", "Write it like https://name.example.com"
        )
    if parts.scheme == "http" and not (is_local(parts.hostname) or is_declared_host(parts.hostname)):
        raise BadConfiguration(
            connection_id,
            "the base URL is not encrypted",
            "Use https; http is accepted on this machine only, and for hosts in HTTP_ALLOWED_PRIVATE_HOSTS",
        )
    return base_url.strip().rstrip("/")


def checked_headers(connection_id: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that carry a key; from here on no text of this process shows their values.

    Raises:
        BadConfiguration: a value that no header can carry.
    """
    for name, value in headers.items():
        hide(value)
        # the library would name the value in its own complaint
        if not value or not value.isascii() or not value.isprintable() or value != value.strip():
            raise BadConfiguration(
                connection_id, f"the key for {name} is empty or has stray characters", "Copy the key again"
            )
    return dict(headers)


def is_local(host: str) -> bool:
    """Whether a host's name is this machine by itself, without asking anybody what it resolves to."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
