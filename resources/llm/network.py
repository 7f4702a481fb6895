"""The way to a gateway: connections that look where they lead, and what was really seen on them.

Here: an HTTP transport on one event loop for litellm's client. Not here: what an answer means (``caller``). Connections
go to public addresses only, but for what the settings declare (promise S10): every address that a name resolves to is
looked at, and those that were looked at are the ones that are connected to. Redirects are not followed, nothing is
asked twice, an answer beyond ``MOST_BYTES`` is cut off. Imports aiohttp and httpx inside: a location must stay cheap.
"""

from __future__ import annotations

import ipaddress
import urllib.request
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from resources.clients.addresses import is_local
from resources.clients.errors import PrivateAddress
from resources.clients.private import may_connect
from resources.clients.public import is_public

if TYPE_CHECKING:
    import aiohttp
    import httpx

MOST_BYTES = 8 * 1024 * 1024


@dataclass
class Seen:
    """What one call came across."""

    status: int | None = None
    """Of the answer; ``None``: there was none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the answer; names in any case."""
    has_left: bool = False
    """Whether the question may have reached the gateway."""
    is_private: bool = False


seen: ContextVar[Seen | None] = ContextVar("seen", default=None)
"""The call that is being made in this task."""


class NotPublic(OSError):
    """The name leads into a network that is not public; nothing was sent."""


def check_host(base_url: str) -> None:
    """Look at an address that is written as a number, which is never resolved.

    Raises:
        PrivateAddress: it is not public.
    """
    host = (urlsplit(base_url).hostname or "").strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    if not (is_local(host) or is_public(host) or may_connect(host, host)):
        raise PrivateAddress("llm", "the address of the models' gateway leads into a private network")


def session_of(most_at_once: int) -> aiohttp.ClientSession:
    """Connections for so many calls at once. To be closed by whoever asked for it."""
    import aiohttp
    from aiohttp.abc import AbstractResolver

    proxies = {urlsplit(url).hostname for url in urllib.request.getproxies().values()}

    class Resolver(AbstractResolver):
        def __init__(self) -> None:
            self._inner = aiohttp.ThreadedResolver()

        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            found = await self._inner.resolve(host, port, family)
            # a proxy of the environment resolves by itself, and may be anywhere
            if not is_local(host) and host not in proxies:
                for one in found:
                    if not (is_public(one["host"]) or may_connect(host, one["host"])):
                        raise NotPublic("not a public address")
            return found

        async def close(self) -> None:
            await self._inner.close()

    connector = aiohttp.TCPConnector(limit=most_at_once, resolver=Resolver(), ttl_dns_cache=60)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def transport_of(session: aiohttp.ClientSession) -> httpx.AsyncBaseTransport:
    """litellm's transport over these connections; it notes in ``seen`` what happens."""
    import aiohttp
    import httpx
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    class Capped(httpx.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> Any:
            size = 0
            async for chunk in self._stream:
                size += len(chunk)
                if size > MOST_BYTES:
                    raise httpx.ReadError("the answer is too long")
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    class Transport(LiteLLMAiohttpTransport):
        def _rebuild_session(self) -> Any:
            # a session of its own making would not look where it connects to
            raise httpx.ConnectError("the connections were closed")

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            mine = seen.get() or Seen()
            try:
                response = await super().handle_async_request(request)
            except BaseException as error:
                mine.is_private = _holds(error, NotPublic)
                # whoever was cancelled may have sent all of it
                mine.has_left = not _holds(error, aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
                raise
            mine.has_left = True
            mine.status = response.status_code
            mine.headers = response.headers
            response.stream = Capped(response.stream)
            return response

    return Transport(client=session, owns_session=False)


def _holds(error: BaseException | None, *kinds: type[BaseException]) -> bool:
    for _ in range(8):
        if error is None:
            return False
        if isinstance(error, kinds):
            return True
        error = error.__cause__ or error.__context__
    return False
