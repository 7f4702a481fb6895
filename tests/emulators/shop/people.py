"""The shop's staff with their habits, its channels, and customers put together from lists of names."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.emulators.shop.builder import Builder
from tests.emulators.shop.hours import ALMATY, CARE_WEEK, KAZAKH, MOSCOW, NEW_YEAR, OFFICE_WEEK, RUSSIAN, Hours
from tests.emulators.shop.model import DAY, HOUR, Bot, Channel, Customer, User
from tests.emulators.shop.words import money, people


@dataclass(frozen=True)
class Habit:
    """How a manager answers: median minutes of a reply in the first and in the last week, and how much falls to him."""

    first: float
    last: float
    load: float = 1.0
    forgets: float = 0.02
    is_male: bool = False
    absent: tuple[int, ...] = ()
    """Weeks away, counted from the last one: 0 is the last week."""

    def median(self, week: int, weeks: int) -> float:
        share = week / (weeks - 1) if weeks > 1 else 1.0
        return self.first + (self.last - self.first) * share


STAFF: tuple[tuple[str, str, str, Habit], ...] = (
    ("Анна", "Сорокина", "sales", Habit(3.0, 3.2)),
    ("Тимур", "Ахметов", "sales", Habit(4.0, 19.0, forgets=0.03, is_male=True)),
    ("Елена", "Дроздова", "sales", Habit(15.0, 3.5)),
    ("Мария", "Гусева", "care", Habit(4.5, 4.5)),
    ("Павел", "Ершов", "care", Habit(10.0, 12.0, load=2.2, forgets=0.07, is_male=True)),
    ("Ольга", "Синицына", "care", Habit(6.0, 5.0, absent=(2, 3))),
    ("Айгерим", "Нурланова", "almaty", Habit(3.5, 3.5)),
    ("Данияр", "Сериков", "almaty", Habit(8.0, 8.0, load=1.3, forgets=0.04, is_male=True)),
    ("Жанна", "Абенова", "almaty", Habit(14.0, 6.0, absent=tuple(range(2, 60)))),
)


class People:
    """Who works and who writes."""

    def __init__(self, builder: Builder, start: int, weeks: int) -> None:
        self.builder = builder
        self.random: Random = builder.random
        self.weeks = weeks
        self.lists = people()
        self.hours = {
            "sales": Hours(MOSCOW, OFFICE_WEEK, RUSSIAN),
            "care": Hours(MOSCOW, CARE_WEEK, NEW_YEAR),
            "almaty": Hours(ALMATY, OFFICE_WEEK, KAZAKH),
        }
        opened = start - 200 * DAY
        self.moscow = Channel(61, "whatsapp", "WhatsApp Москва", opened)
        self.almaty = Channel(62, "whatsapp", "WhatsApp Алматы", opened + 30 * DAY)
        self.instagram = Channel(63, "instagram", "Instagram teply_kray", opened + HOUR)
        builder.channels = [self.moscow, self.almaty, self.instagram]
        self.sonya = Bot(7, "Соня", opened)
        self.answering = Bot(8, "Автоответчик", opened, ("autoreply",))
        builder.bots = [self.sonya, self.answering]
        self.habits: dict[int, Habit] = {}
        self.users: list[User] = []
        for number, (first, last, group, habit) in enumerate(STAFF):
            since = start + (weeks - 2) * 7 * DAY - 3 * DAY if first == "Жанна" else opened + number * DAY
            user = User(11 + number, 27 + number, first, last, group, since)
            self.habits[user.id] = habit
            self.users.append(user)
        former = User(20, 36, "Глеб", "Травин", "sales", opened, active=False)
        owner = User(21, 37, "Ирина", "Вольская", "admin", opened, is_manager=False)
        # one person with two accounts: Pavel answers Instagram from the one that is signed in on the phone
        self.pavel = next(user for user in self.users if user.first_name == "Павел")
        self.pavel_on_phone = User(22, 38, "Инстаграм", "Ершов", "care", opened + 20 * DAY)
        builder.users = [*self.users, former, owner, self.pavel_on_phone]
        self._taken: set[str] = set()

    def manager(self, group: str, week: int, other_than: User | None = None) -> User:
        """Somebody of the team who works in that week."""
        away = self.weeks - 1 - week
        able = [
            u for u in self.users if u.group == group and u is not other_than and away not in self.habits[u.id].absent
        ]
        return self.random.choices(able, [self.habits[u.id].load for u in able])[0]

    def customer(self, channel: Channel, at: int) -> Customer:
        """Somebody new."""
        random, number = self.random, len(self.builder.customers)
        language = "kk" if random.random() < (0.5 if channel is self.almaty else 0.06) else "ru"
        names = self.lists["kk" if language == "kk" or (channel is self.almaty and random.random() < 0.3) else "ru"]
        is_male = random.random() < 0.3
        first = random.choice(names["men" if is_male else "women"])
        last = random.choice(names["stems"]) + ("" if is_male else "а")
        phone = nick = None
        if channel is self.instagram:
            nick = f"kray_{random.choice(('fan', 'live', 'home', 'style', 'day'))}_{number:04d}"
            if random.random() < 0.3:
                last = ""
        else:
            # ranges that are handed out to nobody: 7 000 and 7 700 000
            phone = f"+7{'700000' if channel is self.almaty else '000000'}{number:04d}"
        customer = self.builder.customer(channel, first, last, phone, nick, at, language)
        customer.is_male = is_male
        return customer

    def order_number(self) -> str:
        """A number no other order has."""
        while True:
            number = f"{self.random.randrange(10_000, 99_999)}{self.random.choice('ACK')}"
            if number not in self._taken:
                self._taken.add(number)
                return number

    def facts(self, customer: Customer) -> dict[str, Any]:
        """What one talk is about."""
        random, lists = self.random, self.lists
        name, kind, price, family = random.choice(lists["products"])
        other = random.choice([p[0] for p in lists["products"] if p[3] == family and p[0] != name])
        size = random.choice(lists["sizes"][kind])
        is_kz = customer.channel is self.almaty
        currency = "KZT" if is_kz else "RUB"
        price = price * random.choice((8, 9, 10)) // 10 // 10 * 10
        amount = price * 6 // 100 * 100 if is_kz else price
        return {
            "cname": customer.first_name,
            "product": name,
            "other": other,
            "size": size,
            "sizeth": f"{size}-й" if kind == "shoes" else f"размер {size}",
            "kind": kind,
            "color": random.choice(lists["colors"]),
            "price": money(amount, currency),
            "amount": amount,
            "currency": currency,
            "order": self.order_number(),
            "cm": str(random.randrange(230, 290) / 10).replace(".", ","),
            "city_to": random.choice(lists["cities_kz" if is_kz else "cities"]),
            "city_kk": random.choice(lists["cities_kk"]),
            "fee": money(random.choice((1500, 2000, 2500) if is_kz else (290, 350, 390, 490)), currency),
            "days": random.choice(lists["days"]),
            "days_kk": random.choice(lists["days_kk"]),
        }
