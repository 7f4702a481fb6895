"""Prompts: templates with three places, filled by a template engine that can do nothing else.

Here: what a template may hold, filling it. Not here: reading the files (``resources.prompts``), what stands in the
places (``request``).

Places are ``{transcription}``, ``{criteria_list}`` and ``{custom_instructions}`` in single braces, as the people who
write prompts know them. Every other brace stays what it is, so that a prompt can show JSON. A value is put in as it is
and never read as a template: what a customer says is no place and no instruction to the engine.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any, Final

from conversations.messages.scoring import PromptErrors
from conversations.scoring.shapes import Prompt

PLACES: Final = ("transcription", "criteria_list", "custom_instructions")
LONGEST: Final = 100_000
"""Characters of a template."""
# only these two characters mean something to the engine; a template that has them is refused
_OPEN, _CLOSE = "\ue000", "\ue001"
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_KNOWN = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
_PLACE = re.compile(r"\{([^\W\d]\w{0,63})\}")


def check_prompt(text: str) -> tuple[str, ...]:
    """What is wrong with a template, in Russian, all at once; nothing where it can be used.

    >>> check_prompt('{criteria_list} {custom_instructions} {transcription} {"score": 1}')
    ()
    """
    if not text.strip():
        return (PromptErrors.EMPTY,)
    problems = []
    if len(text) > LONGEST:
        problems.append(PromptErrors.TOO_LONG.format(most=LONGEST))
    if _PRIVATE.search(text):
        problems.append(PromptErrors.PRIVATE)
    found = dict.fromkeys(_PLACE.findall(text))
    problems += [PromptErrors.MISSING.format(name=name) for name in PLACES if name not in found]
    known = ", ".join(f"{{{name}}}" for name in PLACES)
    problems += [PromptErrors.UNKNOWN.format(name=name, known=known) for name in found if name not in PLACES]
    return tuple(problems)


def prompt_of(prompt_id: str, version: int, text: str) -> Prompt:
    """A prompt with its hash.

    Raises:
        ValueError: the template cannot be used; says why, in Russian.
    """
    problems = check_prompt(text)
    if problems:
        raise ValueError("; ".join(problems))
    return Prompt(prompt_id, version, text, hashlib.sha256(text.encode()).hexdigest())


def fill(template: str, transcription: str, criteria_list: str, custom_instructions: str) -> str:
    """The template with its places filled.

    Raises:
        ValueError: the template cannot be used.
    """
    return _compiled(template).render(
        transcription=transcription, criteria_list=criteria_list, custom_instructions=custom_instructions
    )


@lru_cache(maxsize=16)
def _compiled(template: str) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    problems = check_prompt(template)
    if problems:
        raise ValueError("; ".join(problems))
    engine = ImmutableSandboxedEnvironment(
        variable_start_string=_OPEN,
        variable_end_string=_CLOSE,
        # blocks and comments do not exist: their signs cannot stand in a template
        block_start_string="\ue002",
        block_end_string="\ue003",
        comment_start_string="\ue004",
        comment_end_string="\ue005",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        newline_sequence="\n",
        autoescape=False,  # a question to a model is no HTML
    )
    return engine.from_string(_KNOWN.sub(rf"{_OPEN}\1{_CLOSE}", template))
