"""Is one account connected twice? Two connections of it are two accounts to everything that counts.

Here: by what an account is known whichever door it is read through, and which connections share one. Not here: refusing
and warning (``orchestration.cli.same_account``). Two connections with API keys are not compared: two keys of one
account may be for different channels.

The gateway's address tells nothing, many accounts share one; the account's own host does: the API has it as its base
URL, the chats page sends it as ``origin`` and in ``referer`` (contract, sections 2 and 3). A telephony is known by its
address and login.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple
from urllib.parse import urlsplit

from resources.accounts import RETAILCRM_WEB, TBANK, RetailCRMAccount, RetailCRMWebAccount
from resources.tbank_account import TBankAccount

_PORTS = {"https": 443, "http": 80}


class Seat(NamedTuple):
    """A connection and the account that it leads to."""

    connection_id: str
    vendor: str
    site: str | None
    """Host, with a port that is not the usual one; ``None``: nothing tells it."""
    login: str = ""
    """Who signs in there, as a digest; empty where the host alone is the account."""


def seat_of(account: RetailCRMAccount | RetailCRMWebAccount | TBankAccount) -> Seat:
    """Where an account is, as far as it can be known without asking anybody."""
    login = ""
    if isinstance(account, TBankAccount):
        said = [account.base_url]
        login = hashlib.sha256(account.login.get_secret_value().strip().casefold().encode()).hexdigest()[:16]
    elif isinstance(account, RetailCRMAccount):
        said = [account.base_url]
    else:
        try:
            headers = json.loads(account.secrets.get("headers", ""))
        except ValueError:
            headers = None
        said = [str(headers.get(name, "")) for name in ("origin", "referer")] if isinstance(headers, dict) else []
    site = next(filter(None, map(_host, said)), None)
    return Seat(account.connection_id, account.account.vendor, site, login)


def doubled(seats: Iterable[Seat]) -> list[tuple[Seat, Seat]]:
    """The pairs of connections that lead to one account: of a CRM, one of them at least through its chats page; of a
    telephony, by one login."""
    return [
        (one, other)
        for one, other in combinations(seats, 2)
        if one.site is not None
        and (one.site, one.login) == (other.site, other.login)
        and (RETAILCRM_WEB in (one.vendor, other.vendor) or one.vendor == other.vendor == TBANK)
    ]


def _host(url: str) -> str | None:
    """
    >>> _host("https://Shop.retailcrm.example:443/chats"), _host("http://127.0.0.1:8070"), _host("null")
    ('shop.retailcrm.example', '127.0.0.1:8070', None)
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    host = parts.hostname.rstrip(".")
    return host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
