"""What is said in one call: phrases with speakers and times, put together from the parts of ``calls_ru.yaml``.

Here: which parts make which kind of talk, and the truth about them. Not here: who calls whom and when (``calls``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

_HERE = Path(__file__).parent
_SLOT = re.compile(r"<(\w+)>")
# the lines are written as women say them
_MALE = {
    "рада": "рад",
    "Рада": "Рад",
    "Поняла": "Понял",
    "Оформила": "Оформил",
    "оформила": "оформил",
    "Записала": "Записал",
    "перенесла": "перенёс",
    "проверила": "проверил",
    "Была": "Был",
    "говорила": "говорил",
}
_MALE_PATTERN = re.compile("|".join(rf"\b{word}\b" for word in _MALE))
_MALE_CLIENT = {
    "смотрела": "смотрел",
    "Видела": "Видел",
    "ждала": "ждал",
    "обжигалась": "обжигался",
    "заказала": "заказал",
    "Передумала": "Передумал",
    "с мужем": "с женой",
    "самой": "самому",
}
_MALE_CLIENT_PATTERN = re.compile("|".join(rf"\b{word}\b" for word in _MALE_CLIENT))
REFUSALS = ("price", "delivery", "competitor", "no_need", "assortment")
CRITERIA = (
    "greeting",
    "named_himself",
    "asked_clarifying",
    "made_offer",
    "has_next_step",
    "farewell",
    "no_rudeness",
)


@dataclass(slots=True)
class Spoken:
    """One phrase; times in seconds from the beginning of the call."""

    speaker: str
    """``operator``, ``client`` or what else a recorder may call a voice."""
    text: str
    start: float
    end: float


@dataclass
class Talk:
    """A talk with what is true of it."""

    phrases: list[Spoken] = field(default_factory=list)
    truth: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> int:
        """Whole seconds from pick-up to the end."""
        return int(self.phrases[-1].end) + 2 if self.phrases else 0


@lru_cache(maxsize=1)
def _parts() -> dict[str, list[Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((_HERE / "calls_ru.yaml").read_text("utf-8"), loader)


class Composer:
    """Makes the talk of one call. ``facts`` fill the slots of the lines."""

    def __init__(self, random: Random, facts: dict[str, str], is_male: bool, is_male_client: bool = False) -> None:
        self._random = random
        self._facts = facts
        self._is_male, self._is_male_client = is_male, is_male_client
        self._at = round(random.uniform(0.2, 1.6), 2)
        self._used: set[str] = set()
        self.talk = Talk()

    # one phrase, one exchange ----------------------------------------------------------------------------------

    def operator(self, text: str) -> None:
        text = self._filled(text)
        self._say("operator", _MALE_PATTERN.sub(lambda found: _MALE[found[0]], text) if self._is_male else text)

    def client(self, text: str) -> None:
        text = self._filled(text)
        is_male = self._is_male_client
        self._say("client", _MALE_CLIENT_PATTERN.sub(lambda found: _MALE_CLIENT[found[0]], text) if is_male else text)

    def one(self, part: str) -> Any:
        """A line of the part that was not said yet, while there are such."""
        lines = _parts()[part]
        fresh = [line for line in lines if repr(line) not in self._used] or lines
        line = self._random.choice(fresh)
        self._used.add(repr(line))
        return line

    def asks(self, part: str) -> None:
        """The operator says the first half, the client the second."""
        first, second = self.one(part)
        self.operator(first)
        self.client(second)

    def answers(self, part: str) -> None:
        """The client says the first half, the operator the second."""
        first, second = self.one(part)
        self.client(first)
        self.operator(second)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    # whole talks -------------------------------------------------------------------------------------------------

    def sales(self, skill: float, is_inbound: bool, **more: bool) -> Talk:
        """A talk of a seller; ``skill`` is the chance of each thing that a good seller does."""
        return self._business("sales", skill, is_inbound, **more)

    def office(self, skill: float, is_inbound: bool, **more: bool) -> Talk:
        """A talk of the office about an order."""
        return self._business("office", skill, is_inbound, **more)

    def _business(
        self, team: str, skill: float, is_inbound: bool, *, is_kazakh: bool = False, has_data: bool = False,
        has_order_to_judge: bool = False, is_first_half: bool = False, is_second_half: bool = False,
    ) -> Talk:  # fmt: skip
        tail = "_office" if team == "office" else ""
        truth = self.talk.truth
        truth.update(dict.fromkeys(CRITERIA, False), no_rudeness=True, suitable=True, outcome=None, reason=None)
        self._opening(skill, team, is_inbound)
        if is_kazakh:
            self.answers("kazakh_first")
            for _ in range(self._random.randrange(1, 4)):
                self.answers("kazakh")
        for _ in range(self._random.randrange(1, 5) if self.chance(skill) else 0):
            self.asks(f"need{tail}")
            truth["asked_clarifying"] = True
        if has_order_to_judge:
            self.client(self.one("injection"))
        if self.chance(skill):
            self.asks(f"offer{tail}")
            truth["made_offer"] = True
        if team == "sales" and self.chance(0.35 + skill / 2):
            # a price is an offer as well
            self.answers("price")
            truth["made_offer"] = True
        if team == "sales" and self.chance(0.6):
            self.answers("delivery")
        for _ in range(self._random.randrange(0, 6)):
            roll = self._random.random()
            if roll < 0.25:
                self.answers("filler")
            elif roll < 0.5 and team == "sales":
                self.answers("objection")
            else:
                self.answers(f"detail{tail}")
        if has_data:
            self.asks("personal")
        if self.chance((1 - skill) * 0.12):
            self.operator(self.one("rude"))
            truth["no_rudeness"] = False
        if is_first_half:
            self.asks("transfer")
            truth["outcome"] = "transferred"
            return self.talk
        self._ending(skill, team, tail)
        return self.talk

    def _opening(self, skill: float, team: str, is_inbound: bool) -> None:
        truth, lines = self.talk.truth, []
        truth["greeting"] = self.chance(0.5 + skill / 2)
        lines.append(self.one("greeting" if truth["greeting"] else "no_greeting"))
        truth["named_himself"] = self.chance(0.3 + 0.7 * skill)
        if truth["named_himself"]:
            lines.append(self.one("named"))
        elif self.chance(0.5):
            lines.append(self.one("company_only"))
        self.operator(" ".join(lines))
        if is_inbound:
            self.client(self.one(f"inbound_{team}"))
            self.operator(self.one(f"inbound_{team}_answer"))
        else:
            part = "outbound_reason" if team == "sales" else "outbound_office"
            self.operator(self.one(part))
            self.client(self.one(f"{part}_answer"))

    def _ending(self, skill: float, team: str, tail: str) -> None:
        truth = self.talk.truth
        roll = self._random.random()
        if roll < 0.22 and team == "sales":
            truth["outcome"], truth["reason"] = "refused", self._random.choice(REFUSALS)
            self.answers(f"refusal_{truth['reason']}")
        elif self.chance(0.2 + 0.7 * skill):
            truth["outcome"], truth["has_next_step"] = "agreed", True
            self.asks(f"agreement{tail}" if roll < 0.75 or team == "office" else "later_with_step")
        else:
            truth["outcome"] = "later"
            self.asks("later")
        truth["farewell"] = self.chance(0.4 + 0.6 * skill)
        self.asks("farewell" if truth["farewell"] else "no_farewell")

    def plain(self, kind: str) -> Talk:
        """A call that is no talk of business: voicemail, wrong_number, short, internal or silence."""
        self.talk.truth.update(suitable=False, kind=kind)
        if kind == "voicemail":
            self.client(self.one("voicemail"))
            if self.chance(0.5):
                self.operator(self.one("voicemail_left"))
        elif kind == "wrong_number":
            self.asks("wrong_number")
            self.asks("wrong_number_end")
        elif kind == "short":
            self.answers("short")
        elif kind == "internal":
            for _ in range(self._random.randrange(1, 5)):
                self.asks("internal")
        return self.talk

    # ---- mechanics ------------------------------------------------------------------------------------------------

    def _filled(self, text: str) -> str:
        text = _SLOT.sub(lambda found: self._facts[found[1]], text)
        return text[:1].upper() + text[1:]

    def _say(self, speaker: str, text: str) -> None:
        start = self._at
        end = round(start + 0.8 + len(text) / 14, 2)
        self.talk.phrases.append(Spoken(speaker, text, start, end))
        self._at = round(end + self._random.uniform(0.2, 1.4), 2)
