"""Marks without a model: rules that find words, each with the words that it found.

Here: ``RULES`` and the scorecard that they give. Not here: the words (``conversations.lexicon``: the same engine and
the same lexicons that behaviour is judged by), the behaviour of sessions as the contract defines it
(``conversations.behaviour``), marks by a model (``scorecard``).

A rule gives the whole mark or 0; degrees need understanding. Every mark above 0 and every automatic fail has a quote
out of the talk by itself, so nothing has to be looked for. A criterion without a rule is ``insufficient_evidence``: it
carries no weight, and a reader sees that it was not judged. Recognised speech has few signs of a sentence's end, and
words in it are wrong at times: a rule that finds nothing may miss something, which is why a card by rules is shown as
one and never mixed with a model's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from conversations.lexicon import PURCHASE_INTENTS, Lexicon, Reading, Side
from conversations.lexicon.reading import SPEECH
from conversations.lexicon.russian import is_first_name
from conversations.messages.scoring import ByRules
from conversations.scoring.injection import is_suspected
from conversations.scoring.scorecard import card_of_marks, unsuitable_card
from conversations.scoring.shapes import Criterion, CriterionResult, NotGiven, Phrase, Rubric, Scorecard, Talk
from conversations.scoring.suitable import unsuitable_by_rules

OPENING, CLOSING = 4, 4
"""Phrases of the manager at the beginning of a talk, in which he greets and introduces himself, and at its end."""
LAST_PART: Final = (1, 2)
"""A next step is looked for in so much of a call, from its end: its last words are farewells."""
_MOST: Final = 400_000
"""Characters of a talk that are read."""
_LONGEST_QUOTE: Final = 240
_WORD = re.compile(r"[^\W\d_]{2,30}")
_SENTENCE_END = re.compile(r"[.!?…\n]+")
_PURCHASE: Final = frozenset(PURCHASE_INTENTS)


class Proof(NamedTuple):
    """Words that a rule found: characters of a phrase, verbatim."""

    phrase: Phrase
    quote: str


class Ruled(NamedTuple):
    """What a rule says."""

    given: bool | NotGiven
    reason: str
    proof: Proof | None = None


class Spoken:
    """A talk with what its phrases say; each is read once, however many rules look at it."""

    def __init__(self, talk: Talk, lexicon: Lexicon) -> None:
        self.kind = talk.kind
        self.phrases = list(_read(talk.phrases))
        self._lexicon = lexicon
        self._speech = Lexicon.speech()
        self._readings: dict[int, Reading] = {}
        self._of_speech: dict[int, Reading] = {}

    @cached_property
    def managers(self) -> list[int]:
        """Numbers of the manager's phrases."""
        return [n for n, phrase in enumerate(self.phrases) if phrase.speaker == "manager"]

    @cached_property
    def wishes(self) -> list[int]:
        """Numbers of phrases in which the customer shows a wish to buy."""
        return [n for n in self._customers if not _PURCHASE.isdisjoint(self._reading(n).intents)]

    @cached_property
    def is_over(self) -> bool:
        """Whether the customer has refused, not wishing again afterwards, or somebody has said that it is paid."""
        refusals = [n for n in self._customers if self._reading(n).says("refusal")]
        is_refused = bool(refusals) and not any(n > refusals[-1] for n in self.wishes)
        return is_refused or any(self._reading(n).says("paid") for n in range(len(self.phrases)))

    def proof(self, intent: str, among: Sequence[int], entry: str | None = None) -> Proof | None:
        """The first words among the manager's phrases that say it; of one entry of the lexicon, if it is named."""
        read = self._reading_of_speech if intent in SPEECH else self._reading
        for n in among:
            reading = read(n)
            if reading.says(intent):
                for hit in reading.hits:
                    if hit.intent == intent and entry in (None, hit.entry):
                        phrase = self.phrases[n]
                        return Proof(phrase, _around(phrase.text, hit.start, hit.end))
        return None

    @cached_property
    def _customers(self) -> list[int]:
        return [n for n, phrase in enumerate(self.phrases) if phrase.speaker == "customer"]

    def _reading(self, n: int) -> Reading:
        """What the intents' lexicon finds in a phrase."""
        found = self._readings.get(n)
        if found is None:
            phrase = self.phrases[n]
            side: Side = "manager" if phrase.speaker == "manager" else "customer"
            found = self._readings[n] = self._lexicon.reading(phrase.text, side)
        return found

    def _reading_of_speech(self, n: int) -> Reading:
        """What the lexicon of speech finds in a phrase of the manager."""
        found = self._of_speech.get(n)
        if found is None:
            found = self._of_speech[n] = self._speech.reading(self.phrases[n].text, "manager")
        return found


def greeting(spoken: Spoken) -> Ruled:
    """The manager greets in one of his first phrases."""
    return _found(spoken.proof("greeting", spoken.managers[:OPENING]))


def named_himself(spoken: Spoken) -> Ruled:
    """The manager says his name in one of his first phrases: "меня зовут", or a first name beside his company, his role
    or "это". His company alone is no name."""
    among = spoken.managers[:OPENING]
    named = [n for n in among if any(map(is_first_name, _WORD.findall(spoken.phrases[n].text)))]
    return _found(
        spoken.proof("introduction", among, "by_name") or spoken.proof("introduction", named, "by_company_or_role")
    )


def asked_clarifying(spoken: Spoken) -> Ruled:
    """The manager asks about the need of a customer who wants to buy."""
    return _if_wished(spoken, "clarifying_question")


def made_offer(spoken: Spoken) -> Ruled:
    """The manager names a product, a price or terms to a customer who wants to buy."""
    return _if_wished(spoken, "offer")


def has_next_step(spoken: Spoken) -> Ruled:
    """The talk leads on: an order, an appointment, a promise with a time. In a chat in the manager's last turn
    (contract, section 5), in a call in its last part, whose very end is farewells."""
    if not spoken.wishes:
        return Ruled("not_applicable", ByRules.NO_WISH)
    part, of = LAST_PART
    last = spoken.managers[-max(CLOSING, len(spoken.managers) * part // of) :]
    among = _last_turn(spoken) if spoken.kind == "session" else last
    proof = spoken.proof("next_step", among)
    if proof is None and spoken.is_over:
        return Ruled("not_applicable", ByRules.REFUSED)
    return _found(proof)


def farewell(spoken: Spoken) -> Ruled:
    """The manager takes leave in one of his last phrases."""
    return _found(spoken.proof("farewell", spoken.managers[-CLOSING:]))


def no_rudeness(spoken: Spoken) -> Ruled:
    """The manager says no rude word. That he is polite needs a proof as well: a polite one."""
    rude = spoken.proof("rudeness", spoken.managers)
    if rude is not None:
        return Ruled(False, ByRules.RUDE, rude)
    for intent in ("politeness", "greeting", "farewell"):
        polite = spoken.proof(intent, spoken.managers)
        if polite is not None:
            return Ruled(True, ByRules.NOT_RUDE, polite)
    return Ruled("insufficient_evidence", ByRules.NO_WORDS)


Rule: TypeAlias = Callable[[Spoken], Ruled]
RULES: Final[Mapping[str, Rule]] = {
    "greeting": greeting,
    "named_himself": named_himself,
    "asked_clarifying": asked_clarifying,
    "made_offer": made_offer,
    "has_next_step": has_next_step,
    "farewell": farewell,
    "no_rudeness": no_rudeness,
}
"""By the name that a criterion may give in its ``rule``."""


def judge_by_rules(
    talk: Talk, rubric: Rubric, lexicon: Lexicon | None = None, *, suspected: bool | None = None
) -> Scorecard:
    """The scorecard that rules can give.

    Args:
        lexicon: of intents; without it, the one that comes with the product.
        suspected: whether the talk holds an order to the judge, where somebody has looked already
            (``Prepared.flags``); ``None``: it is looked for.

    Raises:
        ValueError: a criterion names a rule that does not exist.
    """
    kind = unsuitable_by_rules(talk)
    if kind is not None:
        return unsuitable_card(kind, "rules")
    spoken = Spoken(talk, lexicon or Lexicon.default())
    marks = [_mark(criterion, spoken) for criterion in rubric.criteria]
    flags = [
        *(["suspected_injection"] if (is_suspected(talk) if suspected is None else suspected) else []),
        *(["truncated"] if sum(len(phrase.text) for phrase in talk.phrases) > _MOST else []),
        *(["unknown_speakers"] if any(phrase.speaker == "unknown" for phrase in talk.phrases) else []),
    ]
    return card_of_marks(marks, "rules", flags)


def _mark(criterion: Criterion, spoken: Spoken) -> CriterionResult:
    if criterion.rule is None:
        said = Ruled("insufficient_evidence", ByRules.NO_RULE)
    elif criterion.rule in RULES:
        said = RULES[criterion.rule](spoken)
    else:
        raise ValueError(f"criterion {criterion.code!r}: there is no rule {criterion.rule!r}")
    given: int | NotGiven
    if isinstance(said.given, str):
        given = said.given
        if given == "not_applicable" and not criterion.may_not_apply:
            given = "insufficient_evidence"
    else:
        given = criterion.best if said.given else 0
    if given == 0 and criterion.fails_all and said.proof is None:
        given = "insufficient_evidence"
    proof = said.proof if isinstance(given, int) else None
    return CriterionResult(
        code=criterion.code,
        weight=criterion.weight,
        best=criterion.best,
        given=given,
        claimed=given,
        is_auto_fail=criterion.fails_all and given == 0,
        reason=said.reason,
        quote=proof.quote if proof else None,
        quote_state="verified" if proof else "missing",
        ref=proof.phrase.ref if proof else None,
        speaker=proof.phrase.speaker if proof else None,
    )


def _found(proof: Proof | None) -> Ruled:
    return Ruled(True, ByRules.FOUND, proof) if proof else Ruled(False, ByRules.NOT_FOUND)


def _if_wished(spoken: Spoken, intent: str) -> Ruled:
    if not spoken.wishes:
        return Ruled("not_applicable", ByRules.NO_WISH)
    return _found(spoken.proof(intent, spoken.managers))


def _last_turn(spoken: Spoken) -> list[int]:
    """Phrases of the manager after the customer's last but those of the manager's last turn."""
    turn: list[int] = []
    for n in reversed(range(len(spoken.phrases))):
        speaker = spoken.phrases[n].speaker
        if speaker == "manager":
            turn.append(n)
        elif turn and speaker == "customer":
            break
    return turn[::-1]


def _read(phrases: Sequence[Phrase]) -> Iterator[Phrase]:
    """The phrases that are read: a talk of a million characters costs no more than a long one."""
    length = 0
    for phrase in phrases:
        if length >= _MOST:
            return
        room = _MOST - length
        yield phrase if len(phrase.text) <= room else phrase._replace(text=phrase.text[:room])
        length += len(phrase.text)


def _around(text: str, start: int, end: int) -> str:
    """The sentence with the words, if it is short; otherwise the words and what fits beside them, by whole words."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text, 0, start)]
    first = ends[-1] if ends else 0
    behind = _SENTENCE_END.search(text, end)
    last = behind.end() if behind else len(text)
    if last - first > _LONGEST_QUOTE:
        room = max(_LONGEST_QUOTE - (end - start), 0) // 2
        # from blank to blank; the words themselves always stay
        first = max(first, text.find(" ", max(start - room, 0), start) + 1 or start) if start - first > room else first
        last = max(text.rfind(" ", end, min(end + room, last)), end) if last - end > room else last
    return text[first:last].strip()
