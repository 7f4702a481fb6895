"""The telephone of the invented shop: who calls whom on a day, how it ends and what is said.

Every day is made from (seed, day) alone, so any one can be had without the others. Customers are those of the shop for
a part of the calls, by their phones; operators have accounts of their own, some of them are managers of the chats, too.
Not here: how the telephony's API spells it (``tests.emulators.tbank_rows``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tests.emulators.shop.calls_talk import Composer, Talk
from tests.emulators.shop.model import MINUTE, SECOND, ZONE, Shop, micros
from tests.emulators.shop.words import money, people

SALES, OFFICE = "Торговые представители", "Офис-менеджеры"
_DAYS = (
    ("в понедельник", "понедельник", "понедельника"),
    ("во вторник", "вторник", "вторника"),
    ("в среду", "среду", "среды"),
    ("в четверг", "четверг", "четверга"),
    ("в пятницу", "пятницу", "пятницы"),
    ("в субботу", "субботу", "субботы"),
)
_TIMES = ("десять утра", "одиннадцать", "три часа дня", "пять вечера", "половине третьего")
_HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 3, 10, 16, 18, 15, 9, 13, 15, 15, 13, 9, 4, 2, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody with an account in the telephony."""

    id: int
    login: str
    name: str
    team: str
    """``sales`` or ``office``."""
    groups: tuple[int, ...]
    extension: str
    phone: str
    skill: float
    is_male: bool = False
    is_listed: bool = True
    """Whether the directory of operators, which people keep by hand, knows him."""


class Known(NamedTuple):
    """A customer on the telephone."""

    phone: str
    name: str
    is_male: bool


@dataclass(slots=True)
class PhoneCall:
    """One segment as it truly was. Times in microseconds UTC."""

    segment_id: int
    communication_id: str
    group: int
    operator: Operator | None
    is_inbound: bool
    phone: str
    start: int
    seconds: int
    """Talk; 0: nobody answered."""
    kind: str
    talk: Talk = field(repr=False)
    listed: int = 0
    """When the search shows it first."""
    transcribed: int = 0
    """When its words are there."""

    @property
    def end(self) -> int:
        return self.start + self.seconds * SECOND


def _operators() -> tuple[Operator, ...]:
    rows = (
        # three of the sellers and three of the office answer in chats as well
        ("a.sorokina", "Анна Сорокина", "sales", (17,), 0.9, False),
        ("t.akhmetov", "Тимур Ахметов", "sales", (17,), 0.45, True),
        ("e.drozdova", "Елена Дроздова", "sales", (17,), 0.8, False),
        ("r.kalinin", "Роман Калинин", "sales", (17,), 0.7, True),
        ("s.ozerova", "Светлана Озерова", "sales", (17,), 0.6, False),
        ("v.ladozhin", "Виктор Ладожин", "sales", (17, 18), 0.5, True),
        ("k.vetrova", "Ксения Ветрова", "sales", (17,), 0.75, False),
        ("m.guseva", "Мария Гусева", "office", (18,), 0.85, False),
        ("p.ershov", "Павел Ершов", "office", (18,), 0.4, True),
        ("o.sinitsyna", "Ольга Синицына", "office", (18,), 0.75, False),
        ("g.klenova", "Галина Кленова", "office", (18,), 0.65, False),
        ("temp01", "Кирилл Осинин", "office", (18,), 0.3, True),
    )
    return tuple(
        Operator(
            301 + n, login, name, team, groups, f"{101 + n}", f"+7000002{n:04d}", skill, male, login != "temp01"
        )
        for n, (login, name, team, groups, skill, male) in enumerate(rows)
    )  # fmt: skip


OPERATORS = _operators()
GROUPS: tuple[tuple[int, str, str], ...] = (
    # the first hits of a search are others than the one that is meant
    (15, "Торговые представители (архив)", "workGroup"),
    (16, "Торговые представители Юг", "workGroup"),
    (12, "Офис-менеджеры филиала", "workGroup"),
    (17, SALES, "workGroup"),
    (18, OFFICE, "workGroup"),
    (40, OFFICE, "folder"),
    (19, "Курьеры", "workGroup"),
)
"""Id, name, type of what the search of groups finds."""


class CallBook:
    """The calls of all days of a shop.

    Args:
        busy_day: the day with about ``busy`` calls; every other day has from ``usual[0]`` to ``usual[1]``.
    """

    def __init__(
        self, shop: Shop, *, busy_day: date | None = None, busy: int = 300, usual: tuple[int, int] = (40, 60)
    ) -> None:
        self.shop = shop
        self.zone = ZoneInfo(ZONE)
        # the Wednesday of the last closed week
        self.busy_day = busy_day or shop.monday - timedelta(days=5)
        self._busy, self._usual = busy, usual
        self._days: dict[date, list[PhoneCall]] = {}
        self._phones = [(c.created, Known(c.phone, c.first_name, c.is_male)) for c in shop.customers if c.phone]
        self._products = [one for one in people()["products"] if one[1] == "shoes"]

    def day(self, day: date) -> list[PhoneCall]:
        """All segments of a local day by their beginnings."""
        if day not in self._days:
            random = Random(self.shop.seed * 10_007 + day.toordinal())
            wanted = self._busy if day == self.busy_day else random.randint(*self._usual)
            self._days[day] = _Day(self, day, random).made(wanted)
        return self._days[day]

    def between(self, first: date, last: date) -> list[PhoneCall]:
        """All segments of the local days ``first`` to ``last``."""
        return [one for n in range((last - first).days + 1) for one in self.day(first + timedelta(days=n))]

    def customer(self, random: Random, at: int) -> Known:
        """Somebody who calls or is called; nearly half of them write to the shop's chats, too."""
        if self._phones and random.random() < 0.45:
            for _ in range(20):
                created, known = random.choice(self._phones)
                if created <= at:
                    return known
        is_male = random.random() < 0.3
        phone = f"+7{random.choice(('000001', '700001'))}{random.randrange(10_000):04d}"
        return Known(phone, random.choice(people()["ru"]["men" if is_male else "women"]), is_male)

    def facts(self, random: Random, operator: Operator, cname: str) -> dict[str, str]:
        (product, _, price, _), (other, *_) = random.sample(self._products, 2)
        number = f"{random.randrange(10_000):04d}"
        day, accusative, genitive = random.choice(_DAYS)
        return {
            "name": operator.name.split()[0],
            "cname": cname,
            "product": product,
            "other": other,
            "price": money(price, "RUB").replace("₽", "рублей"),
            "fee": f"{random.choice((290, 350, 390, 490))} рублей",
            "city": random.choice(people()["cities"]),
            "days": random.choice(people()["days"]),
            "day": day,
            "day_acc": accusative,
            "day_gen": genitive,
            "time": random.choice(_TIMES),
            "order": f"{random.randrange(10_000, 99_999)}",
            "spoken_phone": f"{random.choice(('+7', '8'))} 700 000 {number[:2]} {number[2:]}",
            "email": f"client{number}@example.com",
            "card": _card(random),
        }


_KINDS: tuple[tuple[str, int], ...] = (
    ("sales_out", 330),
    ("sales_in", 120),
    ("office_in", 160),
    ("office_out", 90),
    ("missed", 90),
    ("not_reached", 60),
    ("short", 45),
    ("internal", 35),
    ("transfer", 25),
    ("voicemail", 20),
    ("wrong_number", 13),
    ("silence", 12),
)


class _Day:
    """Makes one day."""

    def __init__(self, book: CallBook, day: date, random: Random) -> None:
        self.book, self.random = book, random
        self.start = micros(datetime.combine(day, time(), book.zone))
        self._first_id = (day.toordinal() - 700_000) * 10_000
        self.calls: list[PhoneCall] = []

    def made(self, wanted: int) -> list[PhoneCall]:
        kinds, weights = zip(*_KINDS, strict=True)
        # on a busy day nothing is left to chance: every kind happens
        owed = list(kinds) if wanted >= 40 else []
        while len(self.calls) < wanted:
            kind = owed.pop() if owed else self.random.choices(kinds, weights)[0]
            getattr(self, f"_{kind}", lambda kind=kind: self._plain(kind))()
        del self.calls[wanted:]
        self.calls.sort(key=lambda call: call.start)
        for number, call in enumerate(self.calls):
            call.segment_id = self._first_id + 1 + number
        for call in self.calls:
            call.communication_id = call.communication_id or f"c{call.segment_id}"
        return self.calls

    # kinds ---------------------------------------------------------------------------------------------------------

    def _sales_out(self) -> None:
        self._business("sales", False)

    def _sales_in(self) -> None:
        self._business("sales", True)

    def _office_in(self) -> None:
        self._business("office", True)

    def _office_out(self) -> None:
        self._business("office", False)

    def _business(self, team: str, is_inbound: bool, at: int | None = None, who: Known | None = None) -> PhoneCall:
        random, operator, at = self.random, self._operator(team), at or self._moment()
        who = who or self.book.customer(random, at)
        composer = self._composer(operator, who)
        roll = random.random()
        make: Callable[..., Talk] = composer.sales if team == "sales" else composer.office
        kind, more = "talk", {}
        if roll < 0.04:
            kind, more = "kazakh", {"is_kazakh": True}
        elif roll < 0.09:
            kind, more = "personal_data", {"has_data": True}
        elif roll < 0.115:
            kind, more = "injection", {"has_order_to_judge": True}
        return self._add(operator, is_inbound, who.phone, at, make(operator.skill, is_inbound, **more), kind)

    def _missed(self) -> None:
        """Nobody answers a customer; some are rung back, some call again, some are forgotten."""
        random, at = self.random, self._moment()
        team = random.choice(("sales", "office"))
        operator = self._operator(team) if random.random() < 0.8 else None
        who = self.book.customer(random, at)
        self._add(operator, True, who.phone, at, Talk(), "missed", team=team)
        roll = random.random()
        if roll < 0.5:
            self._business(team, False, at + random.randrange(4, 90) * MINUTE, who).kind = "rung_back"
        elif roll < 0.7:
            self._business(team, True, at + random.randrange(2, 25) * MINUTE, who).kind = "called_again"

    def _not_reached(self) -> None:
        operator, at = self._operator("sales"), self._moment()
        self._add(operator, False, self.book.customer(self.random, at).phone, at, Talk(), "not_reached")

    def _plain(self, kind: str) -> None:
        random = self.random
        operator, at = self._operator(random.choice(("sales", "office"))), self._moment()
        who = self.book.customer(random, at)
        talk = self._composer(operator, who).plain(kind)
        seconds = random.randrange(25, 70) if kind == "silence" else None
        self._add(operator, kind != "voicemail" and random.random() < 0.5, who.phone, at, talk, kind, seconds)

    def _internal(self) -> None:
        random = self.random
        one, other = random.sample(OPERATORS, 2)
        talk = self._composer(one, Known("", "", False)).plain("internal")
        phone = other.extension if random.random() < 0.6 else other.phone
        self._add(one, random.random() < 0.5, phone, self._moment(), talk, "internal")

    def _transfer(self) -> None:
        """One communication of two segments: the second begins where the first ends, with somebody else."""
        random, at = self.random, self._moment()
        who = self.book.customer(random, at)
        one, other = self._operator("office"), self._operator("sales")
        first = self._composer(one, who).office(one.skill, True, is_first_half=True)
        before = self._add(one, True, who.phone, at, first, "transfer")
        second = self._composer(other, who).sales(other.skill, True, is_second_half=True)
        after = self._add(other, True, who.phone, before.end + SECOND, second, "transfer")
        before.communication_id = after.communication_id = f"t{self._first_id + len(self.calls)}"

    # mechanics -----------------------------------------------------------------------------------------------------

    def _operator(self, team: str) -> Operator:
        able = [one for one in OPERATORS if one.team == team]
        return self.random.choices(able, [0.3 if not one.is_listed else 1.0 for one in able])[0]

    def _moment(self) -> int:
        hour = self.random.choices(range(24), _HOURS)[0]
        return self.start + (hour * 3600 + self.random.randrange(3600)) * SECOND

    def _composer(self, operator: Operator, who: Known) -> Composer:
        facts = self.book.facts(self.random, operator, who.name)
        return Composer(self.random, facts, operator.is_male, who.is_male)

    def _add(
        self, operator: Operator | None, is_inbound: bool, phone: str, at: int, talk: Talk, kind: str,
        seconds: int | None = None, team: str | None = None,
    ) -> PhoneCall:  # fmt: skip
        random = self.random
        group = {"sales": 17, "office": 18}[team or (operator.team if operator else "sales")]
        call = PhoneCall(
            0, "", group, operator, is_inbound, phone, at, talk.seconds if seconds is None else seconds, kind, talk
        )
        call.listed = call.end + random.randrange(1, 15) * MINUTE
        call.transcribed = max(call.listed, call.end + random.randrange(5, 58) * MINUTE)
        self.calls.append(call)
        return call


def _card(random: Random) -> str:
    """A number with a good check digit that no bank has given out."""
    digits = [2, 2, 0, 0, 0, 0, *(random.randrange(10) for _ in range(9))]
    total = sum(sum(divmod(d * 2, 10)) if n % 2 == 0 else d for n, d in enumerate(digits))
    text = "".join(map(str, [*digits, -total % 10]))
    return " ".join(text[n : n + 4] for n in range(0, 16, 4))
