"""Two small shops for contract and chaos tests: every kind of row once, and thousands of rows of one second."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from tests.emulators.shop.builder import Builder
from tests.emulators.shop.model import DAY, HOUR, MINUTE, SECOND, Bot, Channel, Shop, User, micros

_LINES = (
    ("Здравствуйте, есть ботинки «Иртыш» 42 размера?", "Добрый день! Да, 42-й есть, 7 990 ₽."),
    ("Сәлеметсіз бе, жеткізу қанша тұрады?", "Сәлеметсіз бе! Алматы бойынша 1 500 ₸."),
    ("Когда привезут заказ?", "Курьер будет завтра с 10 до 14."),
    ("Можно вернуть куртку, если не подойдёт?", "Конечно, в течение 14 дней с биркой."),
)


def _staff(builder: Builder, start: int) -> None:
    builder.channels = [
        Channel(61, "whatsapp", "WhatsApp Москва", start),
        Channel(62, "instagram", "Instagram", start),
    ]
    builder.users = [
        User(12, 28, "Айгерим", "Ким", "sales", start),
        User(13, 29, "Борис", "Лунин", "care", start),
        User(14, 30, "Динара", "Сейт", "almaty", start, active=False),
    ]
    builder.bots = [Bot(7, "Помощник", start), Bot(8, "Автоответчик", start, ("autoreply",))]


def tiny(seed: int, monday: date, messages: int) -> Shop:
    """About ``messages`` messages in the week before ``monday``."""
    start = micros(datetime.combine(monday - timedelta(days=7), time(6), UTC))
    builder = Builder(seed)
    _staff(builder, start - 30 * DAY)
    random = builder.random
    number = 0
    while len(builder.messages) < messages:
        at = start + (number % 6) * DAY + random.randrange(0, 9 * 3600) * SECOND
        channel = builder.channels[number % 2]
        phone = f"+7700000{number:04d}" if channel.type == "whatsapp" else None
        customer = builder.customer(
            channel, "Клиент", f"Первый{number}", phone, None if phone else f"client_{number}", at
        )
        chat = builder.chat(customer, at)
        dialog = builder.dialog(chat, at)
        question, answer = _LINES[number % len(_LINES)]
        user = builder.users[number % 2]
        asked = builder.say(dialog, at, customer, question)
        if number % 3 == 0:
            builder.say(dialog, at + 5 * SECOND, builder.bots[1], "Мы скоро ответим.")
        if number % 4 == 1:
            builder.assign(dialog, at + SECOND, builder.bots[0])
            builder.say(dialog, at + 3 * SECOND, builder.bots[0], "Здравствуйте! Я помощник магазина.")
        builder.assign(dialog, at + MINUTE, user)
        if number % 5 == 2:
            builder.say(dialog, at + 2 * MINUTE, user, answer, failed=at + 2 * MINUTE, error="undeliverable")
        builder.say(dialog, at + 6 * MINUTE, user, answer, quoted=asked if number % 6 == 0 else None)
        if number % 5 == 3:
            builder.note(dialog, at + 7 * MINUTE, user, "#безответа")
        if number % 4 == 0:
            builder.say(dialog, at + 8 * MINUTE, customer, "спасибо", deleted=at + 3 * DAY if number % 8 == 0 else None)
        if number % 7 == 3:
            builder.say(dialog, at + 9 * MINUTE, user, "Цена 7 990 ₽", edits=((at + HOUR, "Цена 6 990 ₽"),))
        if number % 3 == 1:
            builder.close(dialog, at + 2 * HOUR, user)
        number += 1
    return builder.shop(seed, monday, 1, micros(datetime.combine(monday, time(5), UTC)))


def many_equal_times(n: int, monday: date) -> Shop:
    """``n`` messages in 50 chats, every one of them at noon of the Wednesday before ``monday``."""
    noon = micros(datetime.combine(monday - timedelta(days=5), time(9), UTC))
    builder = Builder(n)
    _staff(builder, noon - 30 * DAY)
    dialogs = []
    for number in range(min(50, n)):
        customer = builder.customer(builder.channels[0], "Клиент", str(number), f"+7700000{number:04d}", None, noon)
        dialogs.append(builder.dialog(builder.chat(customer, noon), noon))
    for number in range(n - len(dialogs)):
        dialog = dialogs[number % len(dialogs)]
        who = dialog.chat.customer if number // len(dialogs) % 2 == 0 else builder.users[0]
        builder.say(dialog, noon, who, f"Сообщение {number + 1}")
    return builder.shop(n, monday, 1, micros(datetime.combine(monday, time(5), UTC)))
