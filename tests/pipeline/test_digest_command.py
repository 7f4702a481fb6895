"""``otklik digest --send``: a person's hand queues nothing that the platform itself would refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik, on_database, otklik
from tests.emulators.telegram import TelegramEmulator
from tests.pipeline.standin import ANNA, BORIS, TELEGRAM, WHATSAPP, Floor

__all__ = ["on_database", "otklik"]

WEEK = "2026-W46"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The operators' chat, which is the digest's; nobody sends."""
    with TelegramEmulator() as emulator:
        monkeypatch.setenv("TELEGRAM_ENABLED", "1")
        monkeypatch.setenv("TELEGRAM_BOT_TOKEN", emulator.bot_token)
        monkeypatch.setenv("TELEGRAM_CHAT_ID", str(emulator.chat_id))
        monkeypatch.setenv("TELEGRAM_BASE_URL", emulator.base_url)
        yield str(emulator.chat_id)


@pytest.fixture
def floor(on_database: Warehouse, chat: str) -> Iterator[Floor]:
    """A published week: 30 waits of one channel, 5 of the other."""
    with ExitStack() as closing:
        made = Floor(on_database, closing)
        for _ in range(30):
            made.wait(WEEK, ANNA, channel_id=WHATSAPP)
        for _ in range(5):
            made.wait(WEEK, BORIS, channel_id=TELEGRAM)
        made.publish(WEEK)
        yield made
    with on_database.connect() as owner:
        owner.execute("delete from ops.outbox")


def queued(floor: Floor) -> set[str]:
    return {one for (one,) in floor.owner.execute("select message_id from ops.outbox").fetchall()}


@pytest.mark.parametrize("more", [(), ("--again",)])
def test_a_digest_that_contradicts_itself_is_not_queued(more: tuple[str, ...], floor: Floor, otklik: Otklik) -> None:
    floor.owner.execute(
        "update marts.manager_week set waits_settled = waits_settled + 1, slow_reply = slow_reply + 1 where week = %s"
        " and manager_key = %s",
        (WEEK, ANNA),
    )
    refused = otklik("digest", "--week", WEEK, "--send", *more)
    assert (refused.exit_code, queued(floor)) == (1, set())
    assert "не отправлен: итог и строки менеджеров или каналов не сходятся" in " ".join(refused.output.split())
    # to look at it is no harm
    assert otklik("digest", "--week", WEEK).exit_code == 0


@pytest.mark.parametrize("more", [(), ("--again",)])
def test_a_text_that_is_too_long_is_not_queued(
    more: tuple[str, ...], floor: Floor, otklik: Otklik, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    # 1024 emoji of two units each: twice what the messenger takes
    monkeypatch.setattr("orchestration.cli.digest.telegram_text", lambda made: "🔴" * 1024)
    refused = otklik("digest", "--week", WEEK, "--send", *more)
    assert (refused.exit_code, queued(floor)) == (1, set())
    assert "2048 знаков" in " ".join(refused.output.split())


def test_incomplete_data_get_the_short_message_unless_a_person_insists(
    floor: Floor, chat: str, otklik: Otklik
) -> None:  # fmt: skip
    floor.owner.execute("update marts.data_status set status = 'incomplete', reasons = 'incomplete_days'"
                        " where channel_id = %s", (WHATSAPP,))  # fmt: skip
    for number in (1, 0):
        said = " ".join(otklik("digest", "--week", WEEK, "--send").output.split())
        assert "сам отчёт не уходит" in said
        assert f"Короткое сообщение поставлено в очередь, чатов: {number} из 1" in said
        assert queued(floor) == {f"digest-late:{WEEK}:{chat}"}
    acts = floor.owner.execute("select subject from ops.audit where action = 'digest_send'").fetchall()
    assert acts[-2:] == [(WEEK,)] * 2
    [body] = floor.owner.execute("select body from ops.outbox").fetchone() or ()
    assert "загружены не все данные" in body
    insisted = otklik("digest", "--week", WEEK, "--send", "--again")
    assert insisted.exit_code == 0 and "сам отчёт не уходит" not in insisted.output
    assert queued(floor) == {f"digest-late:{WEEK}:{chat}", f"digest:{WEEK}:{chat}:again:0"}
