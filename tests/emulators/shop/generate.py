"""Plans the weeks of the shop: how many talks, of which kind, when, with whom; then plays them.

Deterministic from (seed, monday, weeks): no clock, no hash of a string, one random generator.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.emulators.shop.builder import Builder
from tests.emulators.shop.model import DAY, HOUR, MINUTE, SECOND, ZONE, Channel, Chat, Shop, micros
from tests.emulators.shop.people import People
from tests.emulators.shop.scenarios import CASES, Case, plain
from tests.emulators.shop.talks import Over, Talk, World
from tests.emulators.shop.words import money

TALKS_A_WEEK = 850
_PLAIN = Case(plain, 0)
_WEEKDAYS = (1.25, 1.1, 1.05, 1.1, 1.0, 0.75, 0.55)
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 16, 34, 44, 50, 46, 34, 38, 40, 38, 36, 34, 32, 30, 22, 12, 5)
_NIGHTLY_DELETIONS, _NIGHTLY_EDITS = 40, 24


def generate(seed: int, monday: date, weeks: int) -> Shop:
    """The shop of ``weeks`` weeks before ``monday``; its clock stands at 08:00 of that Monday."""
    end = micros(datetime.combine(monday, time(), ZoneInfo(ZONE)))
    start = end - weeks * 7 * DAY
    builder = Builder(seed * 1_000_003 + monday.toordinal() * 101 + weeks)
    world = World(People(builder, start, weeks), start, weeks, end + 12 * HOUR)
    _Plan(world, end).play()
    _mass_mailings(world)
    _second_account(world)
    shop = builder.shop(seed, monday, weeks, end + 8 * HOUR)
    _monday_night(shop, world, end)
    return shop


class _Known(NamedTuple):
    """What is remembered of a chat for its next talk."""

    quiet_at: int
    is_care: bool
    is_two_way: bool


class _Plan:
    """Which talks there will be."""

    def __init__(self, world: World, end: int) -> None:
        self.world, self.end = world, end
        self.random = world.random
        self.builder = world.builder
        self._pool: dict[int, list[Chat]] = {channel.id: [] for channel in self.builder.channels}
        self._known_of: dict[int, _Known] = {}

    def play(self) -> None:
        """Play all talks in the order of their beginnings."""
        total = TALKS_A_WEEK * self.world.weeks
        plan: list[tuple[int, int, str, Case, Channel]] = []
        for name, case in CASES.items():
            for _ in range(round(total * case.per_thousand / 1000)):
                plan.append(self._planned(len(plan), name, case))
        while len(plan) < total:
            plan.append(self._planned(len(plan), "plain", _PLAIN))
        plan.sort(key=lambda row: row[:2])
        for at, _, name, case, channel in plan:
            self._play(at, name, case, channel)

    def _planned(self, number: int, name: str, case: Case) -> tuple[int, int, str, Case, Channel]:
        people = self.world.people
        channels = {
            "any": ((people.moscow, 46), (people.almaty, 28), (people.instagram, 26)),
            "whatsapp": ((people.moscow, 62), (people.almaty, 38)),
            "instagram": ((people.instagram, 1),),
        }[case.where]
        channel = self.random.choices([c for c, _ in channels], [w for _, w in channels])[0]
        return self._moment(case, channel is people.almaty), number, name, case, channel

    def _moment(self, case: Case, is_almaty: bool) -> int:
        """When a talk of this kind begins, by Moscow's clock."""
        random, world = self.random, self.world
        if case.when == "last_weekend":
            return self.end - 1 * DAY + random.randrange(8 * 3600, 23 * 3600) * SECOND
        # in the first week there are no regulars yet who could be left waiting
        first = 1 if case.leaves_open and world.weeks > 1 else 0
        week = world.start + random.randrange(first, world.weeks) * 7 * DAY
        if case.when == "any":
            day = random.choices(range(7), _WEEKDAYS)[0]
            hour = random.choices(range(24), _HOURS)[0]
            if is_almaty:
                hour = (hour - 2) % 24
            # the Thursday of the sale, in the last week but two
            if (self.end - week) // (7 * DAY) == 3 and random.random() < 0.25:
                day, hour = 3, random.randrange(10, 22)
            return week + day * DAY + hour * HOUR + random.randrange(3600) * SECOND
        if case.when == "weekend":
            # Friday after 15:30, or Saturday, or Sunday up to the evening before the last day is over
            last = 5 if week + 7 * DAY >= self.end else 6
            day = random.choice((4, 5, last))
            low, high = (930, 1040) if day == 4 else (600, 1200)
            return week + day * DAY + random.randrange(low, high) * MINUTE + random.randrange(60) * SECOND
        offices = world.people.hours.values()
        for _ in range(1000):
            day = random.randrange(3 if case.when == "work_before_thursday_night" else 5)
            at = week + day * DAY + random.randrange(9 * 60 + 4, 15 * 60) * MINUTE + random.randrange(60) * SECOND
            # everybody is at work, also for the next half hour
            if all(office.is_open(at) and office.is_open(at + 25 * MINUTE) for office in offices):
                return at
            week = world.start + random.randrange(first, world.weeks) * 7 * DAY
        raise ValueError("no working hours in these weeks")

    def _play(self, at: int, name: str, case: Case, channel: Channel) -> None:
        builder, random = self.builder, self.random
        # on the last Sunday nobody is there to answer before the week is counted: regulars write then, as mostly do
        # those who are left waiting, so that a chat with one side only stays the exception it is in real accounts
        office = self.world.people.hours["sales"]
        is_last_day = channel is not self.world.people.instagram and office.add(at, 2 * HOUR) > self.end
        share = 0.96 if case.leaves_open or case.is_regular or is_last_day else 0.18
        chat = self._known(channel, at, not_care=case.leaves_open) if random.random() < share else None
        is_returning = chat is not None and random.random() < 0.35
        if chat is None:
            chat = builder.chat(self.world.people.customer(channel, at), at)
            self._pool[channel.id].append(chat)
        talk = Talk(self.world, chat, at, returning=is_returning and name == "plain")
        if chat.customer.phone and "order" in talk.flow[0] and random.random() < 0.6:
            self._older_order(talk)
        try:
            case.play(talk)
            builder.cases[name] += 1
            builder.cases["returning"] += is_returning
        except Over:
            builder.cases["cut_by_the_end"] += 1
        said = [m for m in builder.messages[-40:] if m.dialog is talk.dialog]
        rest = 9 * DAY if case.leaves_open else 30 * HOUR
        before = self._known_of.get(id(chat))
        self._known_of[id(chat)] = _Known(
            max(*(m.time for m in said), talk.at) + rest,
            talk.group == "care",
            (before is not None and before.is_two_way) or any(m.sender == "user" and m.scope == "public" for m in said),
        )

    def _known(self, channel: Channel, at: int, not_care: bool) -> Chat | None:
        """A chat that has heard both sides and had time to become quiet."""
        pool = self._pool[channel.id]
        for _ in range(40 if pool else 0):
            chat = self.random.choice(pool)
            known = self._known_of[id(chat)]
            if known.quiet_at < at and known.is_two_way and not (not_care and known.is_care):
                return chat
        return None

    def _older_order(self, talk: Talk) -> None:
        """The order that the customer asks about was placed some days ago, in another way than this chat."""
        at = talk.at
        talk.at -= self.random.randrange(2 * DAY, 8 * DAY)
        talk.place_order()
        talk.at = at
        if talk.order is not None:
            talk.order.dialog = None


def _mass_mailings(world: World) -> None:
    """One mailing in every second week, to customers who are known by then; some answer in a new dialog."""
    builder, random = world.builder, world.random
    for week in range(1, world.weeks, 2):
        at = world.start + week * 7 * DAY + 2 * DAY + 12 * HOUR
        known = [chat for chat in builder.chats if chat.created < at - 2 * DAY and chat.channel.type == "whatsapp"]
        for chat in random.sample(known, min(70, len(known))):
            dialog = builder.dialog(chat, at, is_mass=True)
            product, _, price, _ = random.choice(world.people.lists["products"])
            currency = "KZT" if chat.channel is world.people.almaty else "RUB"
            amount = price * 6 // 100 * 100 if currency == "KZT" else price
            facts = {"cname": chat.customer.first_name, "product": product, "price": money(amount, currency)}
            text, _ = world.words["ru"].say("mass", facts)
            builder.say(dialog, at + random.randrange(600) * SECOND, world.people.answering, text, is_mass=True)
            builder.cases["mass_mailing"] += 1


def _second_account(world: World) -> None:
    """Whatever Pavel does on Instagram he does from his second account; nothing else changes."""
    people = world.people
    one, other = people.pavel, people.pavel_on_phone
    for dialog in world.builder.dialogs:
        if dialog.chat.channel is people.instagram:
            dialog.assigns = [
                (at, kind, other.id if (kind, who) == ("user", one.id) else who) for at, kind, who in dialog.assigns
            ]
    for message in world.builder.messages:
        if message.chat.channel is people.instagram:
            if (message.sender, message.sender_id) == ("user", one.id):
                message.sender_id = other.id
            if message.responsible == ("user", one.id):
                message.responsible = ("user", other.id)
            if message.actor_id == one.id:
                message.actor_id = other.id
    for order in world.builder.orders:
        if order.dialog is not None and order.dialog.chat.channel is people.instagram and order.user is one:
            order.user = other


def _monday_night(shop: Shop, world: World, end: int) -> None:
    """Between midnight and 08:00 after the last week people delete and edit what they wrote in it."""
    random = world.random
    recent = [
        m
        for m in shop.messages
        if end - 7 * DAY <= m.time < end - HOUR
        and m.type == "text"
        and m.scope == "public"
        and m.deleted is None
        and m.created < end
        and m.sender in ("customer", "user")
        and not m.edits
        and not m.is_mass
    ]
    chosen = random.sample(recent, min(_NIGHTLY_DELETIONS + _NIGHTLY_EDITS, len(recent)))
    for number, message in enumerate(chosen):
        at = end + random.randrange(5 * 60, 7 * 3600 + 50 * 60) * SECOND
        if number < _NIGHTLY_DELETIONS:
            message.deleted = at
            shop.cases["deleted_on_monday_night"] += 1
        else:
            message.edits = ((at, f"{message.content} (исправлено)"),)
            shop.cases["edited_on_monday_night"] += 1
