"""An account as a source: what reaches the clients, and how soon a refused key is tried again."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from pydantic import SecretStr

from resources import retailcrm_account
from resources.accounts import RetailCRMAccount, retailcrm_of_environment
from resources.refused import NotAskedAgain
from resources.retailcrm_account import refuse_if_refused
from resources.settings import Settings
from resources.warehouse.connections import Account


@pytest.mark.parametrize("seed", [None, 11])
def test_the_seed_decides_the_pauses_of_both_clients(monkeypatch: pytest.MonkeyPatch, seed: int | None) -> None:
    given = []

    class Client:
        def __init__(self, *_: object, random: Random | None) -> None:
            given.append(random)

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(retailcrm_account, "RetailCRMBotClient", Client)
    monkeypatch.setattr(retailcrm_account, "RetailCRMV5Client", Client)
    settings = Settings(
        retailcrm_base_url="https://shop.invalid", retailcrm_api_key="k", retailcrm_bot_token="t", otklik_seed=seed
    )
    (account,) = retailcrm_of_environment(settings)
    with ExitStack() as closing:
        retailcrm_account.source_of(settings, account, closing)

    if seed is None:
        assert given == [None, None]
    else:
        assert len(given) == 2 and given[0] is given[1]
        assert given[0].random() == Random(seed).random()


NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "minutes", "is_asked"),
    [
        ("needs_auth", 0, False),
        ("needs_auth", 59, False),
        ("needs_auth", 60, True),
        # a clock that went back must not silence an account for a year
        ("needs_auth", -1, True),
        ("ok", 1, True),
        ("broken", 1, True),
        ("rate_limited", 1, True),
        (None, None, True),
    ],
)
def test_a_refused_key_rests_for_an_hour(status: str | None, minutes: int | None, is_asked: bool) -> None:
    checked_at = None if minutes is None else NOON - timedelta(minutes=minutes)
    account = RetailCRMAccount(
        Account("shop", "retailcrm", status=status, checked_at=checked_at),
        "https://shop.invalid", "https://shop.invalid", "Europe/Moscow", 10, SecretStr("k"), SecretStr("t"),
    )  # fmt: skip
    if is_asked:
        refuse_if_refused(account, NOON)
    else:
        with pytest.raises(NotAskedAgain, match=r"^shop: .* otklik probe tries it at once$"):
            refuse_if_refused(account, NOON)
