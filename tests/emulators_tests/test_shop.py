"""The invented shop: the same for the same seed, every case often enough, and talks that read like talks.

Here: the generator alone. That the cases really come out as meant is the business of the tests of the metrics.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from hashlib import sha256

import pytest

from tests.emulators.retailcrm_bot_rows import BotRows
from tests.emulators.retailcrm_v5 import V5Api
from tests.emulators.shop import Shop
from tests.emulators.shop.generate import generate
from tests.emulators.shop.model import DAY, HOUR, MINUTE, micros, moment_of
from tests.emulators.shop.people import STAFF
from tests.emulators.shop.scenarios import CASES
from tests.emulators.shop.words import people

MONDAY = date(2026, 11, 16)
OFTEN = 20


@pytest.fixture(scope="module", params=[1, 7])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop.demo(request.param, MONDAY)


def fingerprint(shop: Shop) -> str:
    """A digest of everything that the two APIs could ever serve of the shop at its clock."""
    rows, v5 = BotRows(shop), V5Api(shop, shop.time_zone)
    digest = sha256()
    for path in ("channels", "users", "bots", "customers", "chats", "dialogs", "messages"):
        for row in getattr(shop, path):
            digest.update(json.dumps(rows.render(path, row, shop.clock), sort_keys=True).encode())
    for path in ("users", "customers", "orders", "orders/history"):
        digest.update(json.dumps(v5.rows(path), sort_keys=True).encode())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    one, again, other = (fingerprint(Shop.demo(seed, MONDAY, weeks=2)) for seed in (3, 3, 4))

    assert one == again
    assert one != other


def test_size_people_and_channels(shop: Shop) -> None:
    assert 3_300 <= len(shop.chats) <= 4_500
    assert 35_000 <= len(shop.messages) <= 60_000
    wrote = {m.sender_id for m in shop.messages if m.sender == "user"}
    teams = {user.group for user in shop.users if user.id in wrote}
    assert len(wrote) >= 8
    assert teams == {"sales", "care", "almaty"}
    assert Counter(channel.type for channel in shop.channels) == {"whatsapp": 2, "instagram": 1}
    assert {c.language for c in shop.customers} == {"ru", "kk"}


def test_every_case_was_played_often_enough(shop: Shop) -> None:
    rare = {name: shop.cases[name] for name in CASES if shop.cases[name] < OFTEN}
    others = ("autoreply_day", "autoreply_night", "autoreply_lunch", "handoff", "thanks", "sticker", "picture", "file")
    others += (
        "product_card",
        "order_card",
        "private_note",
        "edited_reply",
        "late_arrival",
        "returning",
        "mass_mailing",
    )
    others += ("answered_after_limit", "reply_outside_hours", "deleted_on_monday_night", "edited_on_monday_night")

    assert rare == {}
    assert {name: shop.cases[name] for name in others if shop.cases[name] < OFTEN} == {}


def test_the_rows_show_the_cases(shop: Shop) -> None:
    """Counted from what can be read, not from what was meant."""
    seen = [m for m in shop.messages if m.is_visible(shop.clock)]
    assert sum(m.failed is not None for m in seen) >= 2 * OFTEN
    assert sum((m.content or "").startswith(("#безответа", "#без ответа")) for m in seen) >= 25
    assert sum(m.deleted is not None for m in shop.messages) >= 100
    assert sum(d.closed is not None for d in shop.dialogs) > len(shop.dialogs) / 2

    steps: Counter[tuple[str | None, str | None]] = Counter()
    for dialog in shop.dialogs:
        kinds = [kind for _, kind, _ in dialog.assigns]
        people_ids = [person for _, _, person in dialog.assigns]
        for position in range(1, len(kinds)):
            if people_ids[position] != people_ids[position - 1]:
                steps[kinds[position - 1], kinds[position]] += 1
    assert steps["user", "user"] >= 5 * OFTEN
    assert steps["bot", "user"] >= 5 * OFTEN
    assert steps["user", None] >= 2 * OFTEN
    assert steps[None, "user"] >= OFTEN


def test_waits_have_a_heavy_tail(shop: Shop) -> None:
    """From a customer's first open question to a manager's next message, by the calendar: p90 at least 5 times p50."""
    waits = []
    for chat in shop.chats:
        asked = None
        for message in sorted(chat.messages, key=lambda m: (m.time, m.id)):
            if message.scope != "public" or message.failed is not None or not message.is_visible(shop.clock):
                continue
            if message.sender == "customer" and asked is None:
                asked = message.time
            elif message.sender == "user" and asked is not None:
                waits.append(message.time - asked)
                asked = None
    waits.sort()
    median, tail = waits[len(waits) // 2], waits[len(waits) * 9 // 10]
    assert 2 * MINUTE < median < 30 * MINUTE
    assert tail >= 5 * median


def test_nobody_is_answered_only_in_office_hours_or_writes_only_then(shop: Shop) -> None:
    hours = Counter(((m.time // HOUR + 3) % 24, m.sender) for m in shop.messages if m.scope == "public")
    days = Counter((m.time + 3 * HOUR) // DAY for m in shop.messages if m.sender == "customer")
    assert all(hours[hour, "customer"] > 0 for hour in range(24))
    assert sum(hours[hour, "user"] for hour in range(1, 6)) < sum(hours[hour, "user"] for hour in range(9, 18)) / 50
    assert max(days.values()) > 2 * min(days.values())


def test_talks_are_varied_and_make_sense(shop: Shop) -> None:
    texts = [m.content for m in shop.messages if m.content and m.sender in ("customer", "user")]
    assert len(set(texts)) > 6_000
    assert not [text for text in texts if re.search(r"[<>\\]|\bNone\b|  ", text)]
    customers = Counter(m.content for m in shop.messages if m.sender == "customer" and m.content)
    assert customers.most_common(1)[0][1] < 0.05 * sum(customers.values())
    # a talk is about one thing: the product that an answer names is one that was asked about or offered
    names = [product[0] for product in people()["products"]]
    for dialog in shop.dialogs[:600]:
        said = " ".join(m.content or "" for m in dialog.messages).lower()
        assert sum(name.lower() in said for name in names) <= 2


def test_managers_differ_and_some_change(shop: Shop) -> None:
    first, last = shop.monday.toordinal() - 42, shop.monday.toordinal() - 14
    by_name = {user.first_name: user.id for user in shop.users}
    days = {
        name: {
            moment_of(m.time).date().toordinal() for m in shop.messages if m.sender == "user" and m.sender_id == user_id
        }
        for name, user_id in by_name.items()
    }
    assert min(days["Жанна"]) >= last - 1
    assert not days["Ольга"] & set(range(first + 15, first + 27))
    assert max(days["Ольга"]) > last
    written = Counter(m.sender_id for m in shop.messages if m.sender == "user")
    care = [user.id for user in shop.users if user.group == "care"]
    assert written[by_name["Павел"]] == max(written[user] for user in care)
    assert len(STAFF) == 9


def test_one_person_answers_from_two_accounts_each_on_channels_of_its_own(shop: Shop) -> None:
    by_name = {user.name: user.id for user in shop.users}
    channels: dict[str, set[str]] = {}
    for name in ("Павел Ершов", "Инстаграм Ершов"):
        written = [m for m in shop.messages if m.sender == "user" and m.sender_id == by_name[name]]
        assert len(written) > 100
        channels[name] = {m.chat.channel.type for m in written}
        named = {(m.responsible, m.actor_id) for m in shop.messages if m.chat.channel.type not in channels[name]}
        assert not [one for one in named if by_name[name] == one[1] or ("user", by_name[name]) == one[0]]
    assert channels == {"Павел Ершов": {"whatsapp"}, "Инстаграм Ершов": {"instagram"}}


def test_the_clock_decides_what_can_be_seen(shop: Shop) -> None:
    was = shop.clock
    message = next(m for m in shop.messages if m.deleted is not None and micros_of_monday(shop) <= m.deleted <= was)
    edited = next(m for m in shop.messages if m.edits and m.edits[0][0] >= micros_of_monday(shop))
    try:
        shop.set_clock(moment_of(micros_of_monday(shop)))
        assert message.is_visible(shop.clock)
        assert edited.text(shop.clock) == edited.content
        assert sum(m.is_visible(shop.clock) for m in shop.messages) < len(shop.messages)
    finally:
        shop.set_clock(moment_of(was))
    assert not message.is_visible(shop.clock)
    assert edited.text(shop.clock) != edited.content
    assert any(m.created > shop.clock for m in shop.messages)


def micros_of_monday(shop: Shop) -> int:
    return shop.clock - 8 * HOUR


def test_phones_belong_to_nobody(shop: Shop) -> None:
    phones = [customer.phone for customer in shop.customers if customer.phone]
    assert len(phones) == len(set(phones)) > 1_000
    assert all(re.fullmatch(r"\+7(000000|700000)\d{4}", phone) for phone in phones)


@pytest.mark.parametrize("weeks", [1, 2])
def test_fewer_weeks_are_a_smaller_shop(weeks: int) -> None:
    shop = generate(5, MONDAY, weeks)
    assert 700 * weeks <= len(shop.dialogs) <= 950 * weeks
    assert min(m.time for m in shop.messages) >= micros_of_monday(shop) - weeks * 7 * DAY


def test_small_shops() -> None:
    equal = Shop.many_equal_times(2_500)
    assert len(equal.messages) == 2_500
    assert len({m.time for m in equal.messages}) == 1
    tiny = Shop.tiny(3)
    assert {m.sender for m in tiny.messages} == {"customer", "user", "bot", None}
    assert micros(moment_of(tiny.clock)) == tiny.clock
