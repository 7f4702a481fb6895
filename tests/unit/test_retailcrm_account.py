"""The settings as a source: what reaches the clients."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import pytest

from resources import retailcrm_account
from resources.settings import Settings


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
    with ExitStack() as closing:
        retailcrm_account.source_of(settings, closing)

    if seed is None:
        assert given == [None, None]
    else:
        assert len(given) == 2 and given[0] is given[1]
        assert given[0].random() == Random(seed).random()
