"""Writes WhatsApp exports as phones of many makes and languages do; knows nothing of the reader.

Here: an invented talk, the phones, and what a reader has to find. Texts of the languages are typed here once more, from
the data contract and from published exports, so that a slip in the reader's data shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

LRM, RLM, NNBSP, NBSP = "\u200e", "\u200f", "\u202f", "\u00a0"


class Said(NamedTuple):
    """One message and how it has to be understood; ``author`` is ``None`` for the messenger's own lines."""

    at: datetime
    author: str | None
    what: str
    text: str | None = None


@dataclass(frozen=True)
class Texts:
    """The fixed texts of one language."""

    media: str
    attached: str
    deleted: str
    missed: str
    omitted: str
    sticker: str
    encrypted: str
    edited: str | None = None
    tagged: str = "attached"


TEXTS = {
    "en": Texts(
        "Media omitted", "file attached", "This message was deleted", "Missed voice call", "image omitted",
        "sticker omitted", "Messages and calls are end-to-end encrypted. Tap to learn more.", "This message was edited",
    ),
    "ru": Texts(
        "Без медиафайлов", "файл добавлен", "Данное сообщение удалено", "Пропущенный аудиозвонок",
        "изображение отсутствует", "стикер не добавлен", "Сообщения и звонки защищены сквозным шифрованием.",
        "Сообщение изменено", "прикреплено",
    ),
    "kk": Texts(
        "Файл қосылған жоқ", "қосымша файл", "Бұл хат жойылды", "Жауапсыз қоңырау", "сурет жоқ", "стикер жоқ",
        "Сіздің хаттарыңыз және қоңырауларыңыз толығымен шифрланған.",
    ),
    "de": Texts(
        "Medien ausgeschlossen", "Datei angehängt", "Diese Nachricht wurde gelöscht.", "Verpasster Sprachanruf",
        "Bild weggelassen", "Sticker weggelassen", "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.",
        "Diese Nachricht wurde bearbeitet.", "Anhang",
    ),
    "es": Texts(
        "Multimedia omitido", "archivo adjunto", "Se eliminó este mensaje.", "Llamada perdida", "imagen omitida",
        "sticker omitido", "Los mensajes y las llamadas están cifrados de extremo a extremo.",
        "Se editó este mensaje.", "adjunto",
    ),
    "pt": Texts(
        "Mídia oculta", "arquivo anexado", "Mensagem apagada", "Chamada de voz perdida", "imagem ocultada",
        "figurinha omitida", "As mensagens e as chamadas são protegidas com a criptografia de ponta a ponta.",
        "Mensagem editada", "anexado",
    ),
    "fr": Texts(
        "Médias omis", "fichier joint", "Ce message a été supprimé", "Appel vocal manqué", "image absente",
        "sticker omis", "Les messages et les appels sont chiffrés de bout en bout.", "Ce message a été modifié",
        "pièce jointe",
    ),
    "tr": Texts(
        "Medya dahil edilmedi", "dosya ekli", "Bu mesaj silindi", "Cevapsız sesli arama", "görüntü dahil edilmedi",
        "Çıkartma dahil edilmedi", "Mesajlar ve aramalar uçtan uca şifrelidir.", "Bu mesaj düzenlendi", "eklendi",
    ),
    "ar": Texts(
        "تم استبعاد الوسائط", "الملف مرفق", "تم حذف هذه الرسالة", "مكالمة صوتية فائتة", "لم يتم إدراج الصورة",
        "تم حذف الملصقات", "الرسائل والمكالمات مشفرة تمامًا بين الطرفين.", "تم تعديل هذه الرسالة", "المُرفق",
    ),
    # a language that the reader's data do not have: structure alone
    "??": Texts(
        "Qualche cosina lassada", "schedario taccado", "This message was deleted", "Missed voice call",
        "figura lassada", "sticker omitted", "Messages and calls are end-to-end encrypted.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Phone:
    """How a phone writes; the defaults are a Russian Android."""

    name: str
    ios: bool = False
    date: str = "{d:02}.{m:02}.{y}"
    joint: str = ", "
    time: str = "{H:02}:{M:02}"
    halves: tuple[str, str] | None = None
    """Words for the halves of the day, as they stand around the time: ``{t}`` is the time."""
    time_first: bool = False
    zero: str = "0"
    mark: str = ""
    """In front of every number of the date."""
    before: str = ""
    """In front of the line."""
    years_later: int = 0
    language: str = "ru"
    dash: str = " - "

    def stamp(self, at: datetime) -> str:
        hour = at.hour
        if self.halves is not None:
            hour = at.hour % 12 or 12
        year = at.year + self.years_later
        date = self.date.format(d=at.day, m=at.month, y=year, yy=f"{year % 100:02}")
        if self.mark:
            date = "".join(self.mark + one if one.isdigit() and not before.isdigit() else one
                           for before, one in zip(" " + date, date, strict=False))  # fmt: skip
        time = self.time.format(H=hour, M=at.minute, S=at.second)
        if self.halves is not None:
            time = self.halves[at.hour >= 12].format(t=time)
        text = time + self.joint + date if self.time_first else date + self.joint + time
        shown = "".join(chr(ord(self.zero) + int(one)) if one in "0123456789" else one for one in text)
        return f"{self.before}[{shown}] " if self.ios else f"{self.before}{shown}{self.dash}"

    def body(self, said: Said) -> str:
        texts, mark, angle = TEXTS[self.language], LRM if self.ios else "", f"<{TEXTS[self.language].media}>"
        bodies = {
            "text": said.text,
            "media": f"{mark}{texts.omitted}" if self.ios else angle,
            "sticker": f"{mark}{texts.sticker}" if self.ios else f"STK-20220323-WA0002.webp ({texts.attached})",
            "attached": f"{said.text or ''} {mark}<{texts.tagged}: 00000035-PHOTO-2022-03-27-21-41-55.jpg>".strip()
            if self.ios
            else f"IMG-20220323-WA0002.jpg ({texts.attached})" + (f"\n{said.text}" if said.text else ""),
            "place": f"{mark}Location: https://maps.google.com/?q=43.238,76.945",
            "deleted": f"{mark}{texts.deleted}",
            "missed": f"{mark}{texts.missed}",
            "edited": f"{said.text} {mark}<{texts.edited}>",
            "once": "null",
            "system": texts.encrypted,
        }
        return bodies[said.what] or ""

    def lines(self, talk: list[Said]) -> Iterator[str]:
        """The export, line by line."""
        for said in talk:
            body = self.body(said)
            text = body if said.author is None else f"{said.author}: {body}"
            yield from (self.stamp(said.at) + text).split("\n")


def talk(customer: str, shop: str, language: str) -> list[Said]:
    """A talk over two weeks that proves its order of dates, with all kinds of messages."""
    start = datetime(2022, 3, 1, 9, 5, 7)
    steps: list[tuple[int, str | None, str, str | None]] = [
        (0, None, "system", None),
        (0, customer, "text", "Добрый день! Есть размер 42?"),
        (3, shop, "text", "Здравствуйте: есть.\nДва цвета:\n- чёрный\n- синий"),
        (3, shop, "attached", "вот чёрный"),
        (5, customer, "media", None),
        (700, customer, "text", "а 12:30 - 13:00 обед?"),
        (900, shop, "text", "1) да\n2. нет: 10.10.2022 было"),
        (1500, customer, "sticker", None),
        (3000, customer, "place", None),
        (4000, shop, "deleted", None),
        (9000, customer, "missed", None),
        (9001, customer, "once", None),
        (12000, shop, "attached", None),
        (16000, customer, "text", "спасибо 👨\u200d👩\u200d👧"),
        (20000, shop, "text", ""),
        (21000, shop, "text", "С 8 марта: скидки"),
    ]
    if TEXTS[language].edited is not None:
        steps.insert(6, (800, shop, "edited", "цена 5000"))
    return [Said(start + timedelta(minutes=minutes), who, what, text) for minutes, who, what, text in steps]


_AM_PM = ("{t} AM", "{t} PM")
PHONES = [
    Phone("android-ru"),
    Phone("android-ru-short", date="{d:02}.{m:02}.{yy}"),
    Phone("android-kk", date="{d:02}.{m:02}.{y}", language="kk"),
    Phone("android-cs", date="{d:02}.{m:02}.{yy}", joint=" ", language="en"),
    Phone("android-en-us", date="{m}/{d}/{yy}", halves=_AM_PM, time="{H}:{M:02}", language="en"),
    Phone("android-en-narrow", date="{m}/{d}/{yy}", halves=(f"{{t}}{NNBSP}AM", f"{{t}}{NNBSP}PM"), time="{H}:{M:02}",
          language="en"),
    Phone("android-en-gb", date="{d:02}/{m:02}/{y}", language="en"),
    Phone("android-en-in", date="{d:02}/{m:02}/{yy}", halves=("{t} am", "{t} pm"), time="{H}:{M:02}", language="en"),
    Phone("android-es-mx", date="{d}/{m}/{y}", halves=(f"{{t}} a.{NBSP}m.", f"{{t}} p.{NBSP}m."), time="{H}:{M:02}",
          language="es"),
    Phone("android-es", date="{d}/{m}/{yy}", language="es", time="{H}:{M:02}"),
    Phone("android-de", date="{d:02}.{m:02}.{yy}", language="de"),
    Phone("android-fr", date="{d:02}/{m:02}/{y}", joint=" à ", language="fr"),
    Phone("android-pt", date="{d:02}/{m:02}/{y}", joint=" ", language="pt"),
    Phone("android-tr", date="{d}.{m:02}.{y}", joint=" ", language="tr"),
    Phone("android-nl", date="{d:02}-{m:02}-{y}", joint=" ", language="en"),
    Phone("android-sv", date="{y}-{m:02}-{d:02}", joint=" ", language="en"),
    Phone("android-ja", date="{y}/{m:02}/{d:02}", joint=" ", language="en"),
    Phone("android-zh", date="{y}/{m}/{d}", joint=" ", halves=("上午{t}", "下午{t}"), time="{H}:{M:02}", language="en"),
    Phone("android-ko", date="{y}. {m}. {d}.", joint=" ", halves=("오전 {t}", "오후 {t}"), time="{H}:{M:02}",
          language="en"),
    Phone("android-hu", date="{y}. {m:02}. {d:02}.", joint=" ", language="en"),
    Phone("android-hr", date="{d:02}. {m:02}. {y}.", joint=" ", language="en"),
    Phone("android-bg", date="{d}.{m:02}.{yy} г.", time="{H}:{M:02} ч.", language="en"),
    Phone("android-fi", date="{d}.{m}.{y}", joint=" klo ", time="{H}.{M:02}", language="en"),
    Phone("android-id", date="{d:02}/{m:02}/{yy}", joint=" ", time="{H:02}.{M:02}", language="en"),
    Phone("android-fr-ca", date="{y}-{m:02}-{d:02}", joint=" ", time="{H:02} h {M:02}", language="fr"),
    Phone("android-vi", date="{d:02}/{m:02}/{y}", time_first=True, language="en"),
    Phone("android-th", date="{d}/{m}/{y}", joint=" ", years_later=543, language="en"),
    Phone("android-th-short", date="{d}/{m}/{yy}", years_later=543, language="en"),
    Phone("android-ar", date="{d}/{m}/{y}", joint="، ", halves=("{t} ص", "{t} م"), time="{H}:{M:02}", zero="٠",
          mark=RLM, language="ar"),
    Phone("android-he", date="{d}.{m}.{y}", halves=('{t} לפנה"צ', '{t} אחה"צ'), time="{H}:{M:02}", language="en"),
    Phone("android-hi", date="{d}/{m}/{yy}", halves=("{t} am", "{t} pm"), time="{H}:{M:02}", zero="०", language="en"),
    Phone("android-unknown", date="{d}.{m}.{y}", language="??"),
    Phone("ios-ru", ios=True, date="{d:02}.{m:02}.{y}", time="{H:02}:{M:02}:{S:02}"),
    Phone("ios-en-us", ios=True, date="{m}/{d}/{yy}", time="{H}:{M:02}:{S:02}", halves=_AM_PM, language="en"),
    Phone("ios-en-24", ios=True, date="{m}/{d}/{yy}", time="{H:02}:{M:02}:{S:02}", language="en"),
    Phone("ios-de", ios=True, date="{d:02}.{m:02}.{yy}", time="{H:02}:{M:02}:{S:02}", language="de"),
    Phone("ios-es", ios=True, date="{d}/{m}/{yy}", time="{H}:{M:02}:{S:02}", language="es"),
    Phone("ios-fr", ios=True, date="{d:02}/{m:02}/{y}", joint=" ", time="{H:02}:{M:02}:{S:02}", language="fr"),
    Phone("ios-pt", ios=True, date="{d:02}/{m:02}/{yy}", time="{H:02}:{M:02}:{S:02}", language="pt", before="\ufeff"),
    Phone("ios-vi", ios=True, date="{d}/{m}/{yy}", time="{H:02}:{M:02}:{S:02}", time_first=True, language="en"),
    Phone("ios-marked", ios=True, date="{d:02}.{m:02}.{yy}", time="{H:02}:{M:02}:{S:02}", before=LRM, language="ru"),
    Phone("ios-ar", ios=True, date="{d}/{m}/{y}", joint="، ", time="{H}:{M:02}:{S:02}", halves=("{t} ص", "{t} م"),
          zero="٠", mark=RLM, before=RLM, language="ar"),
    Phone("ios-th", ios=True, date="{d}/{m}/{y} BE", time="{H:02}:{M:02}:{S:02}", years_later=543, language="en"),
    Phone("ios-ja-era", ios=True, date="R{yy}/{m:02}/{d:02}", joint=" ", time="{H:02}:{M:02}:{S:02}",
          years_later=-2018, language="en"),
    Phone("ios-zh", ios=True, date="{y}/{m}/{d}", joint=" ", time="{H}:{M:02}:{S:02}", halves=("上午{t}", "下午{t}"),
          language="en"),
    Phone("ios-unknown", ios=True, date="{d}.{m}.{y}", time="{H:02}:{M:02}:{S:02}", language="??"),
]  # fmt: skip


def with_marks(phone: Phone) -> Phone:
    """The same phone with direction marks around everything."""
    return replace(phone, name=phone.name + "-marks", mark=phone.mark or LRM, before=LRM + phone.before)
