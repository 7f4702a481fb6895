"""The emulated judge: reads a talk out of a prompt and fills in the asked-for form.

Here: marks, reasons and quotes computed from the transcript alone, the same for the same prompt. Not here: HTTP, bad
manners (``llm_modes``). It knows no product code: lines of talk are found by their labels, criteria by the form (a JSON
schema), so any rubric can be asked about. It is no model and says so in its name.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

NAME = "demo-judge (эмулятор)"
_WHO = {
    "manager": "менеджер оператор продавец сотрудник manager operator agent",
    "customer": "клиент покупатель собеседник customer client caller",
    "bot": "бот bot",
    "unknown": "неизвестно неизвестный unknown",
}
_SPEAKERS = {word: who for who, words in _WHO.items() for word in words.split()}
_LINE = re.compile(
    rf"^[^\w\n]*(?P<ref>\w[\w-]*)[^\w\n]+(?P<who>{'|'.join(_SPEAKERS)})\b[^:\n]{{0,40}}:[ \t]*(?P<text>.+)$",
    re.I | re.M,
)
_BARE = re.compile(rf"^[^\w\n]*(?P<who>{'|'.join(_SPEAKERS)})\b[^:\n]{{0,40}}:[ \t]*(?P<text>.+)$", re.I | re.M)
_ORDER = re.compile(
    r"(постав|выстав|оцени|балл|максим).{0,60}(балл|оценк|максим|10|десят)|(give|score|rate).{0,40}(max|10|ten|full)|"
    r"(ignore|забудь|игнорируй).{0,60}(instruct|инструкц|правил)",
    re.I,
)
_THEMES = (
    (
        r"greet|привет|здоров",
        r"здравств|добрый (день|вечер)|доброе утро|приветству|сәлем|hello|good (morning|day|after)",
    ),
    (r"named|introduc|представ|назвал", r"меня зовут|вас приветствует|это [А-ЯЁ]\w+|менің атым|my name|this is \w+"),
    (r"clarif|need|потребн|уточн|вопрос", r"\?"),
    (r"objection|возраж", r"понимаю вас|согласен|согласна|зато|рассрочк|давайте посчитаем|с другой стороны"),
    (r"price|цен[аыу]|стоим", r"\d[\d ]*(руб|тенге|тыс|₽|₸)|стоит|стоимост|цена"),
    (r"offer|present|предлож|презент|решени", r"предлаг|предлож|рекоменд|подойд[её]т|подберу|в наличии|скидк|offer"),
    (r"next|step|следующ|договор", r"перезвон|созвон|отправлю|пришлю|завтра|договорились|оформ|жд[уеё]м?|вышлю"),
    (r"farewell|bye|прощ", r"до свидан|всего добр|хорошего дня|удачи|сау бол|goodbye|bye"),
)
_RUDE = r"rude|polite|груб|хам|вежлив|этик|тон\b"
_DOUBT = re.compile(r"дорог|дешевле|подума|сомнева|не уверен|боюсь|а если|не нужно|не интерес|долго", re.I)
_RUDE_TALK = re.compile(r"отстан|идиот|дура|надоел|сами виноват|не мои проблемы|чего вы хотите", re.I)
_MACHINE = re.compile(
    r"оставьте (свое |ваше )?сообщение|после (звукового )?сигнала|автоответчик|voicemail|абонент", re.I
)
_DECLINE = (
    ("price", r"дорого|цена высок|бюджет|expensive"),
    ("competitor", r"у других|конкурент|нашли дешевле|уже купил|другой компани"),
    ("timing", r"не сейчас|позже|через (месяц|полгода)|потом|not now"),
    ("no_need", r"не нужно|не интересно|не надо|не актуально|not interested"),
    ("delivery", r"доставк\w+ .{0,20}(долго|дорог)|не доставля"),
)
MARK_KEYS = {"given", "score", "mark", "value", "points", "grade", "балл"}


class Line(NamedTuple):
    """One utterance of the talk."""

    ref: str
    who: str
    text: str


class Heard(NamedTuple):
    """What the judge has understood of a prompt."""

    lines: tuple[Line, ...]
    order: Line | None
    """The first line of a customer that orders the judge what to answer."""
    prompt: str = ""

    def said(self, who: str) -> list[str]:
        return [line.text for line in self.lines if line.who == who]


class Opinion(NamedTuple):
    """On one criterion, before it is pressed into the form."""

    share: float | None
    """Of the best mark; ``None``: the talk does not tell."""
    reason: str
    quote: str | None
    applies: bool = True


def hear(prompt: str) -> Heard:
    """The talk inside a prompt: lines that begin with a number and a speaker's label; else with a label alone."""
    found = [(one["ref"], one["who"], one["text"]) for one in _LINE.finditer(prompt) if one["ref"][:1].isdigit()]
    if not found:
        found = [(str(n), one["who"], one["text"]) for n, one in enumerate(_BARE.finditer(prompt))]
    lines = tuple(Line(ref, _SPEAKERS[who.lower()], text.strip()) for ref, who, text in found)
    order = next((one for one in lines if one.who == "customer" and _ORDER.search(one.text)), None)
    return Heard(lines, order, prompt)


def has_talk(heard: Heard) -> bool:
    """Whether both sides spoke, and no machine."""
    return bool(heard.said("manager") and heard.said("customer")) and not any(
        _MACHINE.search(line.text) for line in heard.lines[:2]
    )


def opinion(heard: Heard, code: str, described: str) -> Opinion:
    """What the talk tells of one criterion; ``described``: what the form says of it, beside the prompt's list."""
    own = heard.said("manager")
    if not own:
        return Opinion(None, "В разговоре нет реплик менеджера.", None)
    listed = re.search(rf"\b{re.escape(code)}\b(.{{0,120}})", heard.prompt)
    theme = _theme(code) or _theme(f"{described} {listed[1] if listed else ''}")
    if theme == _RUDE:
        rude = next((text for text in own if _RUDE_TALK.search(text)), None)
        if rude is not None:
            return Opinion(0.0, "Менеджер говорит резко.", rude)
        return Opinion(1.0, "Резких слов нет, тон ровный.", own[len(own) // 2])
    if theme is not None and "objection" in theme and not any(_DOUBT.search(text) for text in heard.said("customer")):
        return Opinion(None, "Клиент не возражал.", None, applies=False)
    if theme is not None:
        sign = next(sign for topic, sign in _THEMES if topic == theme)
        hits = [text for text in own if re.search(sign, text, re.I)]
        if hits:
            return Opinion(1.0 if len(hits) > 1 else 0.75, f"Есть в {len(hits)} репл. менеджера.", hits[0])
        return Opinion(0.0, "В репликах менеджера этого нет.", None)
    # a criterion that it has no idea of: always the same guess for the same talk
    guess = hashlib.sha256(f"{code}\n{own}".encode()).digest()
    if guess[0] < 40:
        return Opinion(None, "По разговору не видно.", None)
    return Opinion(guess[1] / 255, "Судя по реплике менеджера.", own[guess[2] % len(own)])


def _theme(words: str) -> str | None:
    """The topic that a criterion is about."""
    return next((topic for topic in (*(topic for topic, _ in _THEMES), _RUDE) if re.search(topic, words, re.I)), None)


def decline_of(heard: Heard) -> tuple[str, str] | None:
    """Why the customer says no: a code and his words."""
    for code, sign in _DECLINE:
        for text in heard.said("customer"):
            if re.search(sign, text, re.I):
                return code, text
    return None


def agreement_of(heard: Heard) -> str | None:
    """The manager's line that fixes what comes next."""
    sign = next(sign for topic, sign in _THEMES if "next" in topic)
    return next((text for text in reversed(heard.said("manager")) if re.search(sign, text, re.I)), None)
