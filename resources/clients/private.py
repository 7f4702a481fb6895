"""Private places that the operator has declared: an on-premise CRM, a gateway of the own network (promise S10).

Here: how they are written, and whether a name or an address is one of them. Not here: looking at connections
(``public``), the setting (``resources.settings``: ``HTTP_ALLOWED_PRIVATE_HOSTS``).

The list belongs to the process, like the proxies of the environment, and not to one connection: the settings declare it
when they are read. Nothing that is pasted (a captured request, a key file, a base URL) can add to it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Places(NamedTuple):
    """What was declared."""

    names: frozenset[str] = frozenset()
    """Whole names in lower case; a name stands for whatever it resolves to."""
    networks: tuple[_Network, ...] = ()


_declared = Places()


def places_of(said: str) -> Places:
    """Names, addresses and networks out of a list with commas or blanks between them.

    >>> places_of("crm.corp.example, 10.20.0.0/16").networks
    (IPv4Network('10.20.0.0/16'),)

    Raises:
        ValueError: an item is none of these, a pattern, or a network so wide that the check would be off; the text
            tells which one by its number.
    """
    names: set[str] = set()
    networks: list[_Network] = []
    for number, item in enumerate(re.split(r"[,\s]+", said.strip()), 1):
        try:
            network = ipaddress.ip_network(item.strip("[]"))
        except ValueError:
            name = item.lower().rstrip(".")
            # 10.0.0.1/8 is a slip, not a name, and so is 10.0.0
            if item and (not _NAME.fullmatch(name) or re.fullmatch(r"[\d.]+", name)):
                raise ValueError(
                    f"item {number} is no host name, address or network: crm.corp.example, 192.168.1.5, 10.20.0.0/16"
                ) from None
            names |= {name} - {""}
            continue
        if network.prefixlen < (8 if network.version == 4 else 32):
            raise ValueError(f"item {number} is too wide: name the hosts, or a network of /8 or smaller (IPv6: /32)")
        networks.append(network)
    return Places(frozenset(names), tuple(networks))


def declare(places: Places) -> None:
    """Let these be connected to from now on, and only these."""
    global _declared
    _declared = places


def is_declared_host(host: str) -> bool:
    """Whether a host, as it is written in an address, was declared: by its name, or as an address in a network."""
    host = host.strip("[]").lower().rstrip(".")
    try:
        return _holds(ipaddress.ip_address(host))
    except ValueError:
        return host in _declared.names


def may_connect(host: str, address: str) -> bool:
    """Whether what ``host`` resolved to may be connected to although it is not public.

    Link-local addresses never may: that is where clouds keep the keys of the machine.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return False
    return _holds(ip) or is_declared_host(host)


def _holds(ip: _Address) -> bool:
    return any(ip.version == network.version and ip in network for network in _declared.networks)
