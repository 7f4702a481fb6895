"""A talk becomes questions to a model: masked, numbered, cut into parts, between markers, with a key.

Here: what a model is shown and in which form it must answer. Not here: who asks it (``resources.llm``), how its text
becomes an answer (``answer``), what the answer is worth (``evidence``, ``scorecard``).

What a model sees: the prompt, the criteria (without weights), the instructions, the words of the talk after masking and
who said each ("Менеджер", "Клиент"), the day of the talk. Never the name of a manager or a team, an earlier score, an
id. Blanks and control characters of a phrase are made plain, so that no phrase looks like two.

**Long talks.** A talk is cut between phrases into parts of at most ``chunk_characters``; each part is a question of its
own (flag ``chunked``). A phrase that is longer goes on in the next part. Beyond ``max_chunks`` parts the rest is not
shown to anybody (flag ``truncated``). So the tokens of a talk are bounded, whatever its length.

**The key** (promise D6) is the sha256 of everything that decides the answer: the messages, which hold prompt, criteria,
instructions and the normalised masked talk; the schema; the rubric's hash; model, temperature, length of the answer;
whether names were hidden. Not in it: who the manager is, ids, times, how other talks are cut.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Final, NamedTuple

import orjson

from conversations.messages.scoring import Judge
from conversations.scoring.answer_schema import SCHEMA_NAME, schema_text, shared_schema
from conversations.scoring.injection import is_suspected
from conversations.scoring.masking import NameFinder, masked
from conversations.scoring.prompts import fill
from conversations.scoring.shapes import (
    Criterion,
    Masked,
    Parameters,
    Phrase,
    Prepared,
    Problems,
    Prompt,
    Request,
    Rubric,
    Talk,
)

_KEY_VERSION: Final = 1
_MOST_OF_A_BAD_ANSWER: Final = 8_000
"""Characters of a bad answer that a model is shown again."""
_LEAST_PIECE: Final = 200
"""A phrase is begun in a part only if so many characters of it find room."""
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ud800-\udfff]+"
)
_IN_NUMBERS = frozenset("().,-/_*+")


class _Line(NamedTuple):
    n: int
    speaker: str
    text: str


def prepare(
    talk: Talk,
    rubric: Rubric,
    prompt: Prompt,
    instructions: str,
    parameters: Parameters,
    names: NameFinder | None = None,
) -> Prepared:
    """Everything that is asked about a talk; no request where nobody said a word.

    Args:
        instructions: further instructions of the department; may be empty.
        names: finds names of people; needed if ``parameters.mask_names``.

    Raises:
        ValueError: the prompt cannot be used, or names are to be hidden and nobody can find them.
    """
    if parameters.mask_names and names is None:
        raise ValueError("names are to be hidden, and nothing that finds names was handed in")
    shown = _within(talk.phrases, parameters.chunk_characters * parameters.max_chunks)
    hidden = masked(shown, names if parameters.mask_names else None, is_call=talk.kind == "call")
    lines = [
        _Line(n, Judge.SPEAKERS[phrase.speaker], text)
        for n, (phrase, each) in enumerate(zip(shown, hidden, strict=True), start=1)
        if (text := _plain(each.text))
    ]
    parts = list(_parts(lines, parameters.chunk_characters))
    is_cut = len(parts) > parameters.max_chunks or _length(shown) < _length(talk.phrases)
    parts = parts[: parameters.max_chunks]
    rest = Masked("", (), {})
    return Prepared(
        talk=talk,
        masked=(*hidden, *[rest] * (len(talk.phrases) - len(hidden))),
        requests=tuple(_requests(talk, parts, is_cut, rubric, prompt, instructions, parameters)),
        transcript_hash=_sha([[line.speaker, line.text] for part in parts for line in part]),
        flags=tuple(
            flag
            for flag, is_set in (
                ("chunked", len(parts) > 1),
                ("truncated", is_cut),
                ("suspected_injection", is_suspected(talk)),
                ("unknown_speakers", any(phrase.speaker == "unknown" for phrase in talk.phrases)),
            )
            if is_set
        ),
        masked_items=sum(sum(each.counts.values()) for each in hidden),
    )


def repair_messages(request: Request, bad_text: str, problems: Problems) -> tuple[dict[str, str], ...]:
    """The question again, with the bad answer and what was wrong with it."""
    shown = [{"role": "assistant", "content": bad_text[:_MOST_OF_A_BAD_ANSWER]}] if bad_text.strip() else []
    return (*request.messages, *shown, {"role": "user", "content": Judge.REPAIR.format(told=problems.told)})


@lru_cache(maxsize=64)
def criteria_list(criteria: tuple[Criterion, ...]) -> str:
    """The criteria as a model reads them, one a line, without their weights."""
    return "\n".join(_criterion(criterion) for criterion in criteria)


def _criterion(criterion: Criterion) -> str:
    scale = [Judge.SCALE.format(best=criterion.best), Judge.QUOTE_OF[criterion.about]]
    if criterion.may_not_apply:
        scale.append(Judge.MAY_NOT_APPLY)
    if criterion.fails_all:
        scale.append(Judge.FAILS_ALL)
    return Judge.CRITERION.format(
        code=criterion.code,
        scale="; ".join(scale),
        title=_plain(criterion.title).rstrip("."),
        question=_plain(criterion.question),
    )


def _within(phrases: Sequence[Phrase], most: int) -> list[Phrase]:
    """The phrases that can be shown at all: a talk of a million characters is not masked in vain."""
    shown, length = [], 0
    for phrase in phrases:
        room = most - length
        if room <= 0:
            break
        if len(phrase.text) > room:
            # no half of a number may stay where its other half is cut off
            end = phrase.text.rfind(" ", 0, room) + 1 or room
            while end and ((last := phrase.text[end - 1]).isdigit() or last.isspace() or last in _IN_NUMBERS):
                end -= 1
            shown.append(phrase._replace(text=phrase.text[:end]))
            break
        shown.append(phrase)
        length += len(phrase.text)
    return shown


def _length(phrases: Sequence[Phrase]) -> int:
    return sum(len(phrase.text) for phrase in phrases)


def _plain(text: str) -> str:
    # what can be printed holds none of these characters, and telling that costs a fifth of looking for them
    return " ".join((text if text.isprintable() else _CONTROL.sub(" ", text)).split())


def _parts(lines: Sequence[_Line], most: int) -> Iterator[list[_Line]]:
    """Whole phrases up to ``most`` characters of text; a longer phrase goes on in the next part."""
    part: list[_Line] = []
    length = 0
    for line in lines:
        text = line.text
        while length + len(text) > most:
            room = most - length
            if len(text) > most and room >= _LEAST_PIECE:
                cut = text.rfind(" ", 0, room + 1)
                cut = cut if cut > 0 else room
                part.append(line._replace(text=text[:cut].rstrip()))
                text = text[cut:].lstrip()
            if part:
                yield part
            part, length = [], 0
        if text:
            part.append(line if text is line.text else line._replace(text=text))
            length += len(text)
    if part:
        yield part


def _requests(
    talk: Talk,
    parts: Sequence[Sequence[_Line]],
    is_cut: bool,
    rubric: Rubric,
    prompt: Prompt,
    instructions: str,
    parameters: Parameters,
) -> Iterator[Request]:
    listed = criteria_list(rubric.criteria)
    further = instructions.strip() or Judge.NO_INSTRUCTIONS
    for number, part in enumerate(parts):
        about = []
        if talk.on is not None:
            about.append(Judge.DAY.format(day=talk.on.isoformat()))
        if len(parts) > 1:
            about.append(Judge.PART.format(part=number + 1, parts=len(parts)))
        if is_cut and number == len(parts) - 1:
            about.append(Judge.CUT)
        spoken = "\n".join([Judge.PHRASE % line for line in part])
        marker = _marker(prompt, listed, further, spoken)
        begin, end = Judge.BEGIN.format(marker=marker), Judge.END.format(marker=marker)
        filled = fill(prompt.text, "\n".join([*about, begin, spoken, end]), listed, further)
        messages = (
            {"role": "system", "content": Judge.SYSTEM.format(begin=begin, end=end)},
            {"role": "user", "content": filled},
        )
        yield Request(_key(messages, rubric, parameters), messages, shared_schema(rubric.criteria), SCHEMA_NAME, number)


def _marker(prompt: Prompt, listed: str, further: str, spoken: str) -> str:
    """Nobody in the talk can have known it: it depends on every word of it. The same question has the same."""
    for attempt in count():
        marker = _sha([prompt.hash, listed, further, spoken, attempt])[:24]
        if marker not in spoken:
            return marker
    raise AssertionError("unreachable")


def _key(messages: Sequence[dict[str, str]], rubric: Rubric, parameters: Parameters) -> str:
    temperature = float(parameters.temperature)
    # very small numbers are written in two ways
    sha = _sha if orjson.dumps(temperature) == repr(temperature).encode() else _sha_of_json
    return sha(
        {
            "version": _KEY_VERSION,
            "messages": list(messages),
            "schema": schema_text(rubric.criteria),
            "rubric": rubric.hash,
            "model": parameters.model,
            "temperature": temperature,
            "max_answer_tokens": parameters.max_answer_tokens,
            "mask_names": parameters.mask_names,
        }
    )


def _sha(content: Any) -> str:
    try:
        # the bytes of _sha_of_json at a fifth of the cost
        return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError:
        # half of a surrogate pair is no text
        return _sha_of_json(content)


def _sha_of_json(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
