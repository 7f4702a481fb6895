"""Connections go to public addresses only (promise S10): what is pasted must not reach this network.

Here: which IP addresses are public, and connections that look before they speak. Not here: which base URLs are accepted
(``addresses``), redirects (never followed, ``http``).

A connection whose base URL names this machine itself (``localhost``, ``127.0.0.1``) is a declared local gateway, and
goes there. Every other name is resolved and refused when any of its addresses is loopback, private, link-local (cloud
metadata) or otherwise not public, in whatever spelling; and what was really connected to is looked at once more before
a byte is sent, because a name may resolve differently a moment later. What ``HTTP_ALLOWED_PRIVATE_HOSTS`` declares may
be private (``private``). With a proxy of the environment it is the proxy that resolves: then the proxy's own rules
hold, and the proxy itself may be anywhere.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import requests
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from resources.clients.addresses import is_local
from resources.clients.errors import PrivateAddress
from resources.clients.private import may_connect

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_FAKE = ipaddress.ip_network("198.18.0.0/15")
"""Not public by the book, and nobody's services: local VPN clients answer with it for names that they tunnel."""


class NotPublic(NewConnectionError):
    """The name leads to an address that is not public; nothing was sent."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet.

    >>> [is_public(one) for one in ("8.8.8.8", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%eth0")]
    [True, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inside is None and ip in _NAT64:
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inside is not None:
            return is_public(str(inside))
    elif ip in _FAKE:
        return True
    return ip.is_global and not ip.is_multicast


class _Looking(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        host = self._dns_host.strip("[]")
        if is_local(host):
            return super()._new_conn()
        try:
            found = [str(one[4][0]) for one in socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):
            # the library's own attempt says it in its own words
            found = []
        if not all(is_public(one) or may_connect(host, one) for one in found):
            raise NotPublic(self, "not a public address")
        made = super()._new_conn()
        peer = str(made.getpeername()[0])
        if not (is_public(peer) or may_connect(host, peer)):
            made.close()
            raise NotPublic(self, "not a public address")
        return made


class _LookingTls(_Looking, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Looking


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _LookingTls


class PublicAdapter(requests.adapters.HTTPAdapter):
    """The way out of a session; it repeats nothing by itself."""

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def refuse_private(connection_id: str, error: Exception) -> None:
    """Raise if ``error`` is a connection that was not made because it led to no public address.

    Raises:
        PrivateAddress: it is.
    """
    if error.args and isinstance(getattr(error.args[0], "reason", None), NotPublic):
        raise PrivateAddress(connection_id, "the address of the connection leads into a private network") from None
