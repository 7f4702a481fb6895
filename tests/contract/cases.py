"""The sources that the contract suite runs over: add a source here and it has to pass everything.

Here: how to open each source against its emulator or fixture, and what is true there. Not here: any expectation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from conversations.parsing.abcd import AbcdParser
from conversations.parsing.retailcrm import RetailCRMParser
from conversations.parsing.retailcrm_web import RetailCRMWebParser
from conversations.parsing.tbank import TBankParser
from conversations.parsing.twitter_care import TwitterCareParser
from conversations.source import Parser, Source
from conversations.window import Window
from resources.clients.http import Limits
from resources.clients.retailcrm_bot import RetailCRMBotClient
from resources.clients.retailcrm_v5 import RetailCRMV5Client
from resources.clients.retailcrm_web import RetailCRMWebClient
from resources.clients.tbank import TBankClient
from resources.sources.files import FileSource
from resources.sources.retailcrm import RetailCRMSource
from resources.sources.retailcrm_web import RetailCRMWebSource
from resources.sources.tbank import TBankSource
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.retailcrm_bot import BotOptions
from tests.emulators.retailcrm_web import RetailCRMWebEmulator, WebOptions
from tests.emulators.shop.calls import OFFICE, SALES, CallBook
from tests.emulators.shop.model import Shop
from tests.emulators.tbank import TBankEmulator
from tests.emulators.tbank_rows import TBankOptions

ZONE = "Europe/Moscow"
WEEK = Window.of_days(date(2026, 3, 2), date(2026, 3, 8), ZONE)
BUSY_DAYS = Window.of_days(date(2026, 3, 3), date(2026, 3, 4), ZONE)
"""Two days with the telephone: each costs a call per agent group."""
CANARY_KEY = "canary-v5-9f2c41d07b"
CANARY_TOKEN = "canary-mg-58be0a6e13"
CANARY_SESSION = "canary-session-77d1c0e94a"
FIXTURES = Path(__file__).parent.parent / "fixtures"

FAST = Limits(
    connect_seconds=2,
    read_seconds=2,
    deadline_seconds=20,
    attempts=8,
    requests_per_second=1000,
    first_pause_seconds=0.01,
    longest_pause_seconds=0.05,
)


_GATEWAY = {
    "busiest": "messages",
    "fault_path": "/messages$",
    "account_path": "/api/bot/",
    "page_name": r"messages .*_id \d+",
    "neighbour": "channels",
}
_CRM = {
    "busiest": "customers",
    "fault_path": "/customers$",
    "account_path": "/api/v5/",
    "page_name": r"customers, page \d+",
    "neighbour": "crm_users",
}
_PAGE = {
    "busiest": "messages",
    "fault_path": "#(chatsList|messages)$",
    "account_path": "/graphql/",
    "page_name": r"messages of chat \d+",
    "neighbour": "channels",
    "signs_of_expiry": frozenset({"html", "forbid"}),
}
_TELEPHONY = {
    "busiest": "calls",
    "fault_path": "/callsessions$",
    "account_path": "/callsessions$",
    "page_name": r"calls of 2026-03-0\d, page \d+",
    "opening_path": "/(session-start|autocomplete-search)$",
    # the refused call, and once more with a new session
    "calls_of_a_refusal": 2,
}


@dataclass
class Opened:
    """A source that can be read, and the other side of it."""

    source: Source
    parser: Parser
    window: Window | None
    truth: Callable[[str], Mapping[str, Any]]
    """The true payloads of a stream in the window, by external id."""
    emulator: Any = None
    secrets: tuple[str, ...] = ()
    busiest: str = ""
    """A windowed stream of several pages, on which faults are played."""
    fault_path: str = ""
    """The calls of ``busiest``, as a regular expression."""
    account_path: str = ""
    """All calls that use the same key as ``busiest``."""
    page_name: str = ""
    """How errors name a page of ``busiest`` after the second, as a regular expression."""
    neighbour: str = ""
    """Another stream of the same key; empty: every other one needs the calls of ``busiest``."""
    opening_path: str = "^$"
    """Calls that are made once, before the first page: a session, what is looked up by name."""
    calls_of_a_refusal: int = 1
    """Calls by which a key that was revoked is found to be refused."""
    signs_of_expiry: frozenset[str] = frozenset()
    """Faults by which a vendor whose key is a browser's session says that it is over."""

    @property
    def asked(self) -> int:
        """How many calls the vendor has seen, but for those that open an account."""
        return sum(not re.search(self.opening_path, call.path) for call in self.emulator.ledger.calls)


@dataclass(frozen=True)
class Case:
    """One way to open one source."""

    name: str
    opened: Callable[..., AbstractContextManager[Opened]]
    options: Mapping[str, Any] = field(default_factory=dict)
    has_network: bool = True

    def open(self, **more: Any) -> AbstractContextManager[Opened]:
        return self.opened(**{**self.options, **more})


@contextmanager
def retailcrm(
    *,
    bot: BotOptions | None = None,
    page_size: int = 20,
    limits: Limits = FAST,
    shop_messages: int = 120,
    rate: float | None = None,
    base_url: str | None = None,
    is_about_crm: bool = False,
) -> Iterator[Opened]:
    with (
        RetailCRMEmulator(
            Shop.tiny(messages=shop_messages), rate=rate, bot=bot, api_key=CANARY_KEY, bot_token=CANARY_TOKEN
        ) as emulator,
        RetailCRMBotClient("shop", base_url or emulator.mg_base_url, CANARY_TOKEN, limits) as mg,
        RetailCRMV5Client("shop", base_url or emulator.base_url, CANARY_KEY, limits) as crm,
    ):

        def truth(stream: str) -> Mapping[str, Any]:
            is_windowed = RetailCRMSource.streams[stream].is_windowed
            bounds = (WEEK.start, WEEK.end) if is_windowed else ()
            return emulator.ledger.rows({"customers": "crm_customers"}.get(stream, stream), *bounds)

        yield Opened(
            RetailCRMSource("shop", mg, crm, ZONE, page_size=page_size, crm_page_size=20),
            RetailCRMParser(time_zone=ZONE),
            WEEK,
            truth,
            emulator,
            (CANARY_KEY, CANARY_TOKEN),
            **(_CRM if is_about_crm else _GATEWAY),
        )


@contextmanager
def retailcrm_web(
    *,
    options: WebOptions | None = None,
    page_size: int = 4,
    chats_page_size: int = 50,
    limits: Limits = FAST,
    shop_messages: int = 40,
    rate: float | None = None,
    base_url: str | None = None,
) -> Iterator[Opened]:
    with RetailCRMWebEmulator(
        Shop.tiny(messages=shop_messages),
        rate=rate,
        options=options,
        cookie=f"crm_session={CANARY_SESSION}",
        client_token=CANARY_TOKEN,
    ) as emulator:
        address = emulator.address.replace(emulator.base_url, base_url) if base_url else emulator.address
        with RetailCRMWebClient("shop", address, emulator.headers(), emulator.operations(), limits) as client:

            def truth(stream: str) -> Mapping[str, Any]:
                return emulator.ledger.rows(stream, *((WEEK.start, WEEK.end) if stream == "messages" else ()))

            yield Opened(
                RetailCRMWebSource("shop", client, page_size=page_size, chats_page_size=chats_page_size),
                RetailCRMWebParser(),
                WEEK,
                truth,
                emulator,
                (CANARY_SESSION, CANARY_TOKEN),
                **_PAGE,
            )


@contextmanager
def tbank(
    *,
    options: TBankOptions | None = None,
    groups: tuple[str, ...] = (SALES, OFFICE),
    page_size: int = 3,
    limits: Limits = FAST,
    rate: float | None = None,
    base_url: str | None = None,
) -> Iterator[Opened]:
    shop = Shop.tiny()
    book = CallBook(shop, busy=14, usual=(5, 9))
    with (
        TBankEmulator(shop, book=book, rate=rate, options=options, login=CANARY_KEY, password=CANARY_TOKEN) as emulator,
        TBankClient("shop", base_url or emulator.base_url, CANARY_KEY, CANARY_TOKEN, limits=limits) as client,
    ):
        # everything that the shop's clock shows is older than the lag but what it does not show yet
        now = datetime.fromtimestamp(shop.clock / 1_000_000, UTC)

        def truth(stream: str) -> Mapping[str, Any]:
            calls = emulator.ledger.rows("calls", BUSY_DAYS.start, BUSY_DAYS.end)
            if stream == "calls":
                names = {17: SALES, 18: OFFICE}
                return {
                    key: {**item, "otklik_group": names[min(_group_ids(emulator, key))]} if groups else item
                    for key, item in calls.items()
                }
            said = emulator.ledger.rows("transcripts", BUSY_DAYS.start, BUSY_DAYS.end)
            return {
                key: {
                    **body,
                    "segmentId": int(key),
                    "startDate": calls[key]["startDate"],
                    "direction": {"inbound": "in", "outbound": "out"}[calls[key]["callDirection"]],
                    "phrases": body.get("phrases") or [],
                    "state": "ready" if body.get("phrases") else "no_speech",
                }
                for key, body in said.items()
            }

        source = TBankSource(client, "shop", ZONE, groups, lag=timedelta(hours=1), now=lambda: now, page_size=page_size)
        parser = TBankParser(time_zone=ZONE)
        yield Opened(source, parser, BUSY_DAYS, truth, emulator, (CANARY_TOKEN,), **_TELEPHONY)


def _group_ids(emulator: TBankEmulator, segment_id: str) -> set[int]:
    call = emulator.rows.call(int(segment_id))
    assert call is not None
    return emulator.rows.groups_of(call)


@contextmanager
def abcd(*, page_size: int = 1) -> Iterator[Opened]:
    path = FIXTURES / "abcd_conversations.json"
    document = json.loads(path.read_text("utf-8"))
    yield Opened(
        FileSource(path, "abcd", page_size=page_size),
        AbcdParser(),
        None,
        lambda stream: {str(item["convo_id"]): item for item in document},
    )


@contextmanager
def twitter_care(*, page_size: int = 2) -> Iterator[Opened]:
    path = FIXTURES / "twitter_care_conversations.json"
    document = json.loads(path.read_text("utf-8"))
    yield Opened(
        FileSource(path, "twitter-care", page_size=page_size),
        TwitterCareParser(),
        None,
        lambda stream: {item["dialogHeader"]["sessionID"]: item for item in document},
    )


CASES = (
    Case("retailcrm_newest_first", retailcrm, {"bot": BotOptions(order="desc")}),
    Case("retailcrm_oldest_first", retailcrm, {"bot": BotOptions(order="asc")}),
    Case("retailcrm_inclusive_bounds", retailcrm, {"bot": BotOptions(inclusive_ids=True)}),
    Case("retailcrm_oldest_first_inclusive", retailcrm, {"bot": BotOptions(order="asc", inclusive_ids=True)}),
    Case("retailcrm_until_exclusive", retailcrm, {"bot": BotOptions(until_inclusive=False)}),
    Case("retailcrm_counts_from_since_id", retailcrm, {"bot": BotOptions(since_id_ascending=True)}),
    Case("retailcrm_small_pages", retailcrm, {"page_size": 3}),
    Case("retailcrm_one_page", retailcrm, {"page_size": 1000}),
    Case("retailcrm_web", retailcrm_web),
    Case("retailcrm_web_small_pages", retailcrm_web, {"page_size": 1, "chats_page_size": 2}),
    Case("retailcrm_web_reversed", retailcrm_web, {"options": WebOptions("desc", "asc"), "chats_page_size": 3}),
    Case("retailcrm_web_bare", retailcrm_web, {"options": WebOptions(is_bare=True), "page_size": 50}),
    Case("tbank", tbank),
    Case("tbank_newest_first", tbank, {"options": TBankOptions("Items", "desc", "absent", "id"), "page_size": 4}),
    Case("tbank_one_page", tbank, {"options": TBankOptions(order="asc"), "page_size": 1000}),
    Case("tbank_everybody", tbank, {"groups": ()}),
    Case("twitter_care", twitter_care, has_network=False),
    Case("abcd", abcd, has_network=False),
)
"""Every variant must hand over the same rows."""

GATEWAYS = (CASES[0], CASES[1])
"""RetailCRM's chats, in both orders."""

VENDORS = (
    *GATEWAYS,
    Case("retailcrm_web", retailcrm_web),
    Case("tbank", tbank),
    Case("retailcrm_v5", retailcrm, {"is_about_crm": True, "shop_messages": 1000}),
)
"""Sources with a network, for the faults."""
