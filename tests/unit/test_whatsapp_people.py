"""Who writes in a WhatsApp chat, what it is called, and who is the customer."""

from __future__ import annotations

import pytest

from conversations.imports.survey import Chat, Choices, Settled, Undecided, key_of, settle
from conversations.imports.whatsapp import WhatsAppReader, meaning, title_of
from conversations.source import RawRow

L = "\u200e"


def android(*said: str) -> list[str]:
    return [f"23.03.2022, 13:{number:02} - {one}" for number, one in enumerate(said)]


def ios(*said: str) -> list[str]:
    return [f"[23.03.22, 13:{number:02}:00] {one}" for number, one in enumerate(said)]


def chat_of(lines: list[str], title: str | None = None) -> Chat:
    (chat,) = WhatsAppReader().survey(lines, Choices(chat=title)).chats.values()
    return chat


def rows_of(lines: list[str], choices: Choices) -> list[RawRow]:
    survey = WhatsAppReader().survey(lines, choices)
    return list(WhatsAppReader().rows(lines, settle(survey, choices), choices))


def sides(lines: list[str], **declared: object) -> list[str | None]:
    return [row.payload["side"] for row in rows_of(lines, Choices(**declared))]  # type: ignore[arg-type]


def names(chat: Chat) -> dict[str | None, int]:
    return {author.name: author.messages for author in chat.authors.values()}


@pytest.mark.parametrize(
    ("file_name", "title"),
    [
        ("Чат WhatsApp с контактом Анна Петрова.txt", "Анна Петрова"), ("Чат WhatsApp с Анна.txt", "Анна"),
        ("WhatsApp Chat with +7 701 000-00-00.txt", "+7 701 000-00-00"), ("WhatsApp Chat - Отдел.zip", "Отдел"),
        ("WhatsApp чат: Айгүл.txt", "Айгүл"), ("WhatsApp чат_ Айгүл.txt", "Айгүл"),
        ("WhatsApp Chat with Ann (2).txt", "Ann"), ("WhatsApp-Chat mit Jürgen.txt", "Jürgen"),
        ("Chat de WhatsApp con José.txt", "José"), ("Conversa do WhatsApp com Zé.txt", "Zé"),
        ("Discussion WhatsApp avec Zoé.txt", "Zoé"), ("Alev ile WhatsApp Sohbeti.txt", "Alev"),
        ("WhatsApp_Chat_with_Ann_Lee.txt", "Ann Lee"), ("/tmp/x/WhatsApp Chat with A.txt", "A"),
        ("_chat.txt", None), ("whatsapp.txt", None), ("export.zip", None),
    ],
)  # fmt: skip
def test_the_title_is_in_the_file_name(file_name: str, title: str | None) -> None:
    assert title_of(file_name) == title


@pytest.mark.parametrize(
    ("title", "author"),
    [
        ("Анна", "Анна"), ("анна ПЕТРОВА", "Анна Петрова"), ("Анна _ Иван", "Анна / Иван"),
        ("+7 701 000 00 00", "\u202a+7\u00a0701\u00a0000\u201100\u201100\u202c"), ("Аня", "~\u202fАня"),
    ],
)  # fmt: skip
def test_a_private_chat_is_named_after_the_customer(title: str, author: str) -> None:
    lines = android(f"{author}: hi", "Shop: hello", "You changed your number")
    assert sides(lines, chat=title) == ["customer", "manager", "system"]


def test_without_a_title_somebody_has_to_be_declared() -> None:
    lines = android("Анна: hi", "Shop: hello")
    with pytest.raises(Undecided, match="staff"):
        sides(lines)
    assert sides(lines, staff=frozenset({"SHOP"})) == ["customer", "manager"]


def test_who_deleted_a_message_on_his_phone_exported_the_chat() -> None:
    assert sides(android("Анна: hi", "Shop: Вы удалили данное сообщение")) == ["customer", "manager"]


def test_the_notice_of_encryption_names_a_chat_without_a_title() -> None:
    private = ios(f"Анна: {L}Messages and calls are end-to-end encrypted.", "Анна: hi", "Shop: hello")
    assert sides(private) == ["system", "customer", "manager"]
    group = ios(f"Отдел: {L}Messages and calls are end-to-end encrypted.", "Анна: hi", "Shop: hello")
    chat = chat_of(group)
    assert (chat.title, chat.kind, chat.key, names(chat)) == ("Отдел", "group", key_of("Отдел"), {"Анна": 1, "Shop": 1})
    assert sides(group, staff=frozenset({"Shop"})) == ["system", "customer", "manager"]


def test_a_contact_who_never_wrote_is_no_author_and_ours_are_ours() -> None:
    lines = android("Shop: hello", "Shop: are you there?")
    assert names(chat_of(lines, "Анна")) == {"Shop": 2}
    assert sides(lines, chat="Анна") == ["manager", "manager"]


def test_a_missed_call_without_a_name_was_the_customers() -> None:
    lines = android("Анна: hi", "Missed voice call", "Shop: hello")
    assert sides(lines, chat="Анна") == ["customer", "customer", "manager"]
    group = android("Анна: hi", "Missed voice call", "Shop: hello", "Ann: x")
    assert sides(group, staff=frozenset({"Shop"})) == ["customer", "system", "manager", "customer"]


def test_a_group_has_no_customer_of_its_own() -> None:
    lines = android("A: x", "B: x", "C: x")
    chat = chat_of(lines, "A")
    assert (chat.kind, chat.customer_key, chat.messages) == ("group", None, 3)


def test_unclear_bodies_after_a_mark_are_media_of_people_and_notices_of_the_chat() -> None:
    lines = ios("Отдел: \u200eqwe rty", "Анна: hi", "Анна: \u200eqwe rty", "Ира: x", "Эля: \u200eqwe rty")
    found = rows_of(lines, Choices(chat="Отдел", staff=frozenset({"Ира"})))
    assert [row.payload["side"] for row in found] == ["system", "customer", "customer", "manager", "customer"]
    assert names(chat_of(lines, "Отдел")) == {"Анна": 2, "Ира": 1, "Эля": 1}


def test_sentences_after_a_mark_are_no_file_of_the_customer() -> None:
    told = "\u200eEine Mitteilung der App, die niemand kennt und die so lang ist wie kein Platzhalter."
    right = "\u200f" + "نص طويل كتبه العميل نفسه باليد وفيه أكثر من أربعة وستين حرفا كما يكتب الناس عادة"
    lines = ios(f"Анна: {told}", "Анна: hi", f"Лавка: {told}", f"Анна: {right}", "Анна: \u200eкраткое")
    found = rows_of(lines, Choices(chat="Анна"))
    assert [row.payload["side"] for row in found] == ["system", "customer", "manager", "customer", "customer"]
    assert meaning(found[3].payload).text == right.removeprefix("\u200f")


def test_a_chat_called_by_a_phone_is_with_the_one_who_is_no_contact() -> None:
    phone = "\u202a+7\u00a0701\u00a0000\u201100\u201111\u202c"
    lines = ios(f"{phone}: {L}Messages and calls are end-to-end encrypted.", "~\u202fАня: hi", "Лавка: да")
    found = rows_of(lines, Choices(chat="+7 701 000-00-11"))
    assert [row.payload["side"] for row in found] == ["system", "customer", "manager"]
    with pytest.raises(Undecided):
        rows_of(lines[1:], Choices(chat="Опт"))


@pytest.mark.parametrize("title", ["Анна_ опт", "Анна: опт", "Анна\ua789 опт"])
def test_the_name_in_the_title_may_hold_a_colon(title: str) -> None:
    lines = android("Анна: опт: цена: 5", "Лавка: да", "Анна: опт: \u200eда")
    found = rows_of(lines, Choices(chat=title))
    assert [row.payload["side"] for row in found] == ["customer", "manager", "customer"]
    assert meaning(found[0].payload).text == "цена: 5"


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("Анна: текст: с двоеточием", "Анна"), ("Анна:", "Анна"), ("Анна:\u00a0x", "Анна"), ("Анна:.", "Анна"),
        ('Анна изменила тему на "Планы: лето"', None), ("Анна изменила тему на «Планы: лето»", None),
        ("Анна hat den Betreff zu „Pläne: Sommer“ geändert", None), ('Иван "Батя" Петров: да', 'Иван "Батя" Петров'),
        ('מפק"צ 2: כן', 'מפק"צ 2'), ("https://chat.example", None), ("x" * 200 + ": y", None), (": y", None),
        ("\u200e: y", None), ("Ваш код безопасности с контактом Анна: опт изменился.", None),
        ("You added Anna: shop", None), ("You: hi", "You"),
    ],
)  # fmt: skip
def test_the_name_ends_at_the_first_colon_and_blank(line: str, author: str | None) -> None:
    lines = android("Анна: hi", line)
    chat = chat_of(lines)
    settled = Settled(chat, dict.fromkeys(chat.authors, "customer"), "UTC", {})
    survey = WhatsAppReader().survey(lines, Choices())
    row = list(WhatsAppReader().rows(lines, {chat.key: settled._replace(facts=survey.facts)}, Choices()))[1]
    assert row.payload["side"] == ("customer" if author else "system")
    assert (chat.authors[row.payload["author"]].name if author else row.payload["author"]) == author


def test_keys_show_no_names_and_are_the_same_in_every_file() -> None:
    lines = android("Анна Петрова: hi", "Shop: hello")
    for row in rows_of(lines, Choices(chat="Анна Петрова")):
        assert "Анна" not in row.external_id and row.external_id.startswith(key_of("анна  петрова") + ":")
    assert chat_of(lines).key == chat_of(list(reversed(lines))).key
