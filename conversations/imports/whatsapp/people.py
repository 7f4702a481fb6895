"""Who writes in a chat, what the chat is called, and which of two people is the customer.

Here: names as the file shows them. Not here: who is a manager (``survey.settle``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from conversations.imports.survey import Author, Chat, NotThisFormat, folded, key_of
from conversations.imports.whatsapp.locales import plain, words
from conversations.imports.whatsapp.prefix import BLANKS, MARKS, unmarked

MOST_AUTHORS = 20_000
"""A chat of WhatsApp has at most a few thousand members; more names than this are no names."""

_LONGEST_NAME = 120
_ODD_SEPARATOR = re.compile(rf"^([^:]{{1,{_LONGEST_NAME}}}):(?=[{BLANKS}{MARKS}]|$)")
_BLANK = re.compile(f"[{BLANKS}]+")
_OPENED = re.compile('(?:^|[\\s(\u200e])(["\u201c\u201e\u00ab\u201a\u300c\u300e])(?=\\S)')
_CLOSERS = {
    "\u201c": "\u201d",
    "\u201e": "\u201c\u201d",
    "\u00ab": "\u00bb",
    "\u201a": "\u2018\u2019",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
}
_NO_DIGIT = re.compile(r"\D")
_COLON = re.compile(f"[:_\ua789][{BLANKS}]+")
_SIGN = re.compile(r"[\W_]+")


def named(title: str | None) -> re.Pattern[str] | None:
    """For ``split``: the person after whom a chat is named, if a colon and a blank stand in his name.

    The name of a file has another sign for the colon.

    >>> named("Анна_ опт").match("Анна: опт: да")[1], named("Анна опт")
    ('Анна: опт', None)
    """
    parts = _COLON.split(unmarked(title or ""))
    if len(parts) == 1 or not all(part.strip() for part in parts):
        return None
    return re.compile("(" + f":[{BLANKS}]+".join(map(re.escape, parts)) + "): ")


def split(rest: str, titled: re.Pattern[str] | None = None) -> tuple[str | None, int]:
    """Who wrote it, as it stands there, and where the body begins; ``None``: nobody, the messenger says it.

    ``titled``: what ``named`` makes of the chat's title.

    >>> split("John-John Doe: Lorem : dolor"), split("You were added")
    (('John-John Doe', 15), (None, 0))
    >>> split('Anna changed the subject to "Plans: Friday"'), split("Carol:")
    ((None, 0), ('Carol', 6))
    """
    if titled is not None and (whole := titled.match(rest)) is not None:
        return whole[1], whole.end()
    cut = rest.find(": ")
    if 0 < cut <= _LONGEST_NAME:
        name = rest[:cut]
        return (None, 0) if _is_told(name) else (name, cut + 2)
    found = _ODD_SEPARATOR.match(rest)
    if found is None or _is_told(found[1]):
        return None, 0
    end = found.end()
    return found[1], end + (rest[end : end + 1] in BLANKS and end < len(rest))


def perhaps(rest: str) -> tuple[str | None, int]:
    """The same where nothing parts name and text: it counts only if somebody of that name writes elsewhere.

    >>> perhaps("John Doe:.")
    ('John Doe', 9)
    """
    cut = rest.find(":")
    return (rest[:cut], cut + 1) if 0 < cut <= _LONGEST_NAME else (None, 0)


@lru_cache(maxsize=1_024)
def _is_told(name: str) -> bool:
    """Whether the messenger says it: a notice that has a colon only because a name in it has one."""
    return plain(name).startswith(words().notices) or _is_in_quotes(name)


def _is_in_quotes(name: str) -> bool:
    """A subject in quotes goes on after the colon: no name. Quotes inside a word (Hebrew) and pairs are part of one."""
    for found in _OPENED.finditer(name):
        closers = _CLOSERS.get(found[1], found[1])
        if not any(closer in name[found.end() :] for closer in closers):
            return True
    return False


@lru_cache(maxsize=1_024)
def cleaned(name: str) -> str:
    """A name without marks, with plain blanks and hyphens, without the tilde of people who are not in the contacts.

    >>> cleaned("\u202a+7\u00a0701 000\u201100\u201100\u202c"), cleaned("~\u202fАня")
    ('+7 701 000-00-00', 'Аня')
    """
    shown = _BLANK.sub(" ", unmarked(name)).replace("\u2010", "-").replace("\u2011", "-").strip()
    return shown[1:].strip() if shown.startswith("~") and len(shown) > 1 else shown


def is_stranger(name: str) -> bool:
    """Whether a name as it stands in the file is of somebody who is not in the contacts: never the phone's owner.

    >>> is_stranger("~\u202fАня"), is_stranger("Аня")
    (True, False)
    """
    return unmarked(name).lstrip().startswith("~")


def is_same(title: str, name: str) -> bool:
    """Whether the title of a private chat is this person's name; phones compare by their digits, and a file name has
    lost some signs.

    >>> is_same("+7 701 000 00 00", "+7 701 000-00-00"), is_same("Анна _ Иван", "Анна / Иван"), is_same("А", "Б")
    (True, True, False)
    """
    if folded(title) == folded(name):
        return True
    if _is_phone(title) and _is_phone(name) and _NO_DIGIT.sub("", title) == _NO_DIGIT.sub("", name):
        return True
    letters = _SIGN.sub("", folded(title))
    return bool(letters) and letters == _SIGN.sub("", folded(name))


def _is_phone(name: str) -> bool:
    return len(_NO_DIGIT.sub("", name)) >= 7 and not any(map(str.isalpha, name))


def counted(said: dict[str, int]) -> dict[str, Author]:
    """Names as they stand in the file with their messages, as authors."""
    authors: dict[str, Author] = {}
    for name, messages in said.items():
        shown = cleaned(name)
        if shown:
            author = authors.setdefault(key_of(shown), Author(key_of(shown), shown))
            author.messages += messages
    if len(authors) > MOST_AUTHORS:
        raise NotThisFormat(f"more than {MOST_AUTHORS} different names of authors")
    return authors


def chat_of(
    authors: dict[str, Author],
    title: str | None,
    voices: Iterable[str],
    owners: Iterable[str],
    first: str,
    strangers: Iterable[str] = (),
) -> Chat:
    """The chat of a file.

    ``title``: declared or from the file's name. ``voices``: names in which the messenger itself writes (iOS: the title
    of the chat). ``owners``: names under which the owner of the phone deleted something. ``first``: what the first
    message shows, for a group without a title.
    ``strangers``: names that are not in the owner's contacts. A chat whose title is a phone is one with such a person.
    """
    spoken = [cleaned(voice) for voice in voices]
    silent = [voice for voice in spoken if key_of(voice) not in authors]
    title = title or next(iter(silent or spoken), None)
    is_of_stranger = title is not None and _is_phone(title)
    is_group = len(authors) > 2 or (len(authors) == 2 and bool(silent) and not is_of_stranger)
    chat = Chat(_key(title, authors, first), title, "group" if is_group else "private", dict(authors))
    if not is_group:
        chat.customer_key = _customer(authors, title, {key_of(cleaned(owner)) for owner in owners})
        unknown = {key_of(cleaned(name)) for name in strangers} & set(authors)
        if chat.customer_key is None and is_of_stranger and len(unknown) == 1:
            (chat.customer_key,) = unknown
    return chat


def _key(title: str | None, authors: dict[str, Author], first: str) -> str:
    if title is not None:
        return key_of(title)
    return key_of(*sorted(authors)) if len(authors) <= 2 else key_of("group", first)


def _customer(authors: dict[str, Author], title: str | None, owners: set[str]) -> str | None:
    if title is not None:
        exact = key_of(title)
        named = [exact] if exact in authors else [a.key for a in authors.values() if is_same(title, a.name or "")]
        if len(named) == 1:
            return named[0]
        if len(authors) == 1:
            return exact
    others = set(authors) - owners
    return next(iter(others)) if len(authors) == 2 and len(others) == 1 else None
