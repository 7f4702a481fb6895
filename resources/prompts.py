"""Prompts on the disk: ``prompts/<name>/v<N>.md``, of which the highest ``N`` is in force.

Here: finding and reading the files. Not here: what a prompt may hold (``conversations.scoring.prompts``), criteria
(``resources.requirements``).

A version that was used is not changed but followed by the next one: its text is a part of the key of every answer, so a
changed file asks for every answer anew and starts the measuring of its judgements at zero.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from conversations.messages.scoring import PromptErrors
from conversations.scoring.prompts import check_prompt, prompt_of
from conversations.scoring.shapes import Prompt

PROJECT_PROMPTS: Final = Path(__file__).resolve().parents[1] / "prompts"
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VERSION: Final = re.compile(r"v([1-9]\d{0,5})\.md")
_LARGEST: Final = 400_000
"""Bytes of a file that is read."""


class PromptError(ValueError):
    """A prompt cannot be used; the text says which and why, in Russian, for the person who edits it."""


def prompt_in_force(name: str, folder: Path | None = None) -> Prompt:
    """The highest version of a prompt.

    Args:
        folder: own prompts (``OTKLIK_PROMPTS_DIR``); those of the project where it has none of this name.

    Raises:
        PromptError: there is no such prompt, or it cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise PromptError(PromptErrors.BAD_NAME.format(name=ascii(name)[:80]))
    places = [place / name for place in (folder, PROJECT_PROMPTS) if place is not None]
    versions = next((found for place in places if (found := _versions(place))), None)
    if versions is None:
        is_there = any(place.is_dir() for place in places)
        text = PromptErrors.NO_VERSION if is_there else PromptErrors.NO_FOLDER
        raise PromptError(text.format(folder=places[0]))
    version = max(versions)
    path = versions[version]
    try:
        stat = path.stat()
    except OSError as error:
        raise PromptError(PromptErrors.UNREADABLE.format(file=path)) from error
    return _read(name, version, path, stat.st_mtime_ns, stat.st_size)


def _versions(place: Path) -> dict[int, Path]:
    try:
        return {int(found[1]): path for path in place.iterdir() if (found := _VERSION.fullmatch(path.name))}
    except OSError:
        return {}


@lru_cache(maxsize=64)
def _read(name: str, version: int, path: Path, changed_ns: int, size: int) -> Prompt:
    """Once for each state of the file: a long-lived process sees an edit, and reads nothing twice."""
    if size > _LARGEST:
        raise PromptError(PromptErrors.WRONG.format(file=path, problems=PromptErrors.TOO_LONG.format(most=_LARGEST)))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PromptError(PromptErrors.WRONG.format(file=path, problems=PromptErrors.NOT_TEXT)) from error
    except OSError as error:
        raise PromptError(PromptErrors.UNREADABLE.format(file=path)) from error
    problems = check_prompt(text)
    if problems:
        raise PromptError(PromptErrors.WRONG.format(file=path, problems="; ".join(problems)))
    return prompt_of(name, version, text)
