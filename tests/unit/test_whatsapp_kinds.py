"""What single bodies mean, by their words and by their structure."""

from __future__ import annotations

import pytest

from conversations.imports.whatsapp.kinds import meaning, notice, said
from conversations.parsing.fields import Odd
from conversations.parsing.imported import Meant

L, R, N = "\u200e", "\u200f", "\u202f"


@pytest.mark.parametrize(
    "body",
    [
        # the data contract, section 8
        "<Media omitted>", "<Без медиафайлов>", "<Файл пропущен>", "<Файл қосылған жоқ>",
        f"{L}IMG-20220323-WA0002.jpg (file attached)", "отчёт за март.pdf (файл добавлен)", "Прайс.xlsx (қосымша файл)",
        "null", "", "IMG-20220323-WA0002.jpg (dato vedlagt her)", "Иван.vcf (файл добавлен)",
        # older and rarer forms
        "<View once voice message omitted>", "< Média vynechána >", "PTT-20180129-WA0025.opus (Datei angehängt)",
        "Waiting for this message. This may take a while.", "live location shared",
        "Ожидание сообщения. Это может занять некоторое время.",
    ],
)  # fmt: skip
def test_media_of_android(body: str) -> None:
    assert said(body, is_bracketed=False) == Meant(None, "media")


@pytest.mark.parametrize(
    "body",
    [
        f"{L}image omitted", f"{L}изображение отсутствует", f"{L}видео отсутствует", f"{L}GIF отсутствует",
        f"{L}Карточка контакта отсутствует", f"{L}документ отсутствует", f"{L}video note omitted",
        f"{L}<attached: 00000035-PHOTO-2022-03-27-21-41-55.jpg>", f"{L}<прикреплено: 00000002-AUDIO-2022-03-27.opus>",
        f"Счёт 12.pdf • {L}2 страницы {L}документ отсутствует", f"{L}Договор.pdf {L}<attached: 00000003-Договор.pdf>",
        f"{L}画像は含まれていません", f"{L}cosa che nessuno conosce",
    ],
)  # fmt: skip
def test_media_of_ios(body: str) -> None:
    assert said(body, is_bracketed=True) == Meant(None, "media")


@pytest.mark.parametrize(
    ("body", "caption"),
    [
        ("IMG-20220323-WA0002.jpg (файл добавлен)\nвот эта\nи эта", "вот эта\nи эта"),
        ("<Media omitted>\nlook", "look"),
        (f"вот эта {L}<attached: 00000035-PHOTO-2022-03-27-21-41-55.jpg>", "вот эта"),
        (f"look {L}image omitted", "look"),
        (f"{L}<attached: 00000035-PHOTO-2022-03-27.jpg>\nниже", "ниже"),
    ],
)
def test_a_caption_is_the_text(body: str, caption: str) -> None:
    assert said(body, is_bracketed="\u200e" in body) == Meant(caption, "media")


@pytest.mark.parametrize(
    "body",
    ["STK-20220323-WA0002.webp (файл добавлен)", f"{L}sticker omitted", f"{L}стикер не добавлен",
     f"{L}<attached: 00000012-STICKER-2022-03-27-21-41-55.webp>"],
)  # fmt: skip
def test_stickers(body: str) -> None:
    assert said(body, is_bracketed=body.startswith(L)).content_kind == "sticker"


@pytest.mark.parametrize(
    "body",
    [
        "This message was deleted", f"{L}This message was deleted.", "You deleted this message",
        "Данное сообщение удалено", f"{L}Данное сообщение удалено.", "Вы удалили данное сообщение",
        "Бұл хат жойылды", "Сіз бұл хатты жойдыңыз", f"{L}This message was deleted by admin Anna.",
        "Diese Nachricht wurde gelöscht.", "Bu mesajı sildiniz",
    ],
)  # fmt: skip
def test_deleted(body: str) -> None:
    assert said(body, is_bracketed=False) == Meant(None, is_deleted=True)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Цена 500 <Сообщение изменено>", "Цена 500"),
        (f"ok {L}<This message was edited>", "ok"),
        ("ok\nда <This message was edited.>", "ok\nда"),
        (f"ok {L}<Ta wiadomość gdzieś zmieniona>", "ok"),
    ],
)
def test_edited(body: str, text: str) -> None:
    assert said(body, is_bracketed=True) == Meant(text, is_edited=True)


@pytest.mark.parametrize(
    ("body", "answered", "seconds"),
    [
        ("Пропущенный аудиозвонок", False, None), ("Пропущенный видеозвонок", False, None),
        ("Жауапсыз қоңырау", False, None), ("Жауапсыз видео қоңырау", False, None),
        (f"{L}Missed voice call, {L}Tap to call back", False, None), (f"{L}Voice call, {L}No answer", False, None),
        (f"{L}Voice call. {L}6 min".replace(".", ","), True, 360), (f"{L}Video call, {L}1 hr 5 min", True, 3900),
        (f"{L}Аудиозвонок, {L}12 мин", True, 720), (f"{L}Видеозвонок, {L}45 сек.", True, 45),
        (f"{L}Voice call, {L}Answered on other device", True, None),
        (f"{L}Silenced voice call, {L}Focus mode", False, None),
        (f"{L}Voice call", None, None), (f"{L}Missed voice call. {L}Tap to call back", False, None),
        (f"{L}Voice call. {L}No answer", False, None), (f"{L}Voice call. {L}1 hr 2 min", True, 3720),
    ],
)  # fmt: skip
def test_calls(body: str, answered: bool | None, seconds: int | None) -> None:
    meant = said(body, is_bracketed=True)
    assert (meant.content_kind, meant.call_answered, meant.talk_seconds) == ("call", answered, seconds)


@pytest.mark.parametrize(
    "body",
    [
        "location: https://maps.google.com/?q=43.238,76.945", f"{L}Местоположение: https://maps.google.com/?q=1,2",
        "орналасуы: https://maps.google.com/?q=1,2", "Кафе\nАбая 10\nhttps://foursquare.com/v/4b8e",
        f"{L}POLL:\nКогда?\n{L}OPTION: пн (1 vote)\n{L}OPTION: вт (0 votes)",
    ],
)  # fmt: skip
def test_places_and_polls_keep_their_text(body: str) -> None:
    meant = said(body, is_bracketed=True)
    assert (meant.content_kind, meant.text) == ("media", body.replace(L, ""))


@pytest.mark.parametrize(
    "body",
    ["<3", "a <b> c", "video call tonight?", "Voice call, 5 min?", "media omitted", "image omitted было в чате", "(да)",
     "https://maps.google.com/?q=1,2", "посмотри файл (новый)", "Null", "deleted", "Итого: 100", "1 < 2 > 0",
     "Цена:\nA: 1", "цвет (красный)", "отчёт.pdf (новый)", "<b>"],
)  # fmt: skip
def test_ordinary_text_stays_text(body: str) -> None:
    assert said(body, is_bracketed=False) == Meant(body)


@pytest.mark.parametrize("text", ["@Лавка привет", "есть розы?", "каталог: https://wa.me/c/7701"])
def test_what_somebody_wrote_after_a_mark_stays_text(text: str) -> None:
    assert said(f"{L}{text}", is_bracketed=True) == Meant(text)


def test_marks_go_and_joined_emoji_stay() -> None:
    family = "👨\u200d👩\u200d👧"
    assert said(f"\ufeff{R}привет {family} @\u2068Анна\u2069", is_bracketed=True).text == f"привет {family} @Анна"


@pytest.mark.parametrize(
    "body",
    ["此消息已删除", "您已删除此消息", "Ez az üzenet törölve lett", "This message was deleted by admin Anna",
     "Сообщение удалено администратором Анна", "Вы удалили данное сообщение как админ"],
)  # fmt: skip
def test_what_was_deleted_has_no_text(body: str) -> None:
    assert said(body, is_bracketed=False) == Meant(None, is_deleted=True)


@pytest.mark.parametrize(
    ("body", "sender", "is_notice"),
    [
        (f"{L}Messages and calls are end-to-end encrypted. Nobody can read them.", "Anna", True),
        (f"{L}Ваш код безопасности с контактом Анна изменился. Подробнее.", "Анна", True),
        (f"{L}Anna created this group", "Anna", True), (f"{L}~{N}Anna added Bob", "Anna", True),
        (f"{L}image omitted", "Anna", False), (f"{L}This message was deleted.", "Anna", False),
        (f"{L}Missed voice call", "Anna", False), (f"{L}something else", "Anna", None),
        # begin like a notice
        (f"{L}Вы удалили данное сообщение.", "Лавка", False), (f"{L}Ви видалили це повідомлення.", "Лавка", False),
        (f"{L}Je hebt dit bericht verwijderd.", "Shop", False),
        (f"{L}Anna Lee.pdf • {L}2 pages {L}document omitted", "Anna", False),
        (f"{L}Этот чат с бизнес-аккаунтом. Подробнее", "Анна", True),
    ],
)  # fmt: skip
def test_notices_in_somebodys_name(body: str, sender: str, is_notice: bool | None) -> None:
    assert notice(body, sender) is is_notice


def test_a_row_of_the_messenger_is_a_notice_and_a_missed_call_stays_a_call() -> None:
    row = {"original": "23.03.2022, 13:31 - Анна добавлена", "body_at": 20, "side": "system"}
    assert meaning(row) == Meant("Анна добавлена", is_system=True)
    row = {"original": "23.03.2022, 13:31 - Missed voice call", "body_at": 20, "side": "system"}
    assert meaning(row) == Meant("Missed voice call", "call", is_system=True, call_answered=False)


def test_a_row_of_another_reader_has_no_meaning() -> None:
    with pytest.raises(Odd, match="missing_field"):
        meaning({"original": "x"})
