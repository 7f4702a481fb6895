"""A telephone number in its normal form: equal for every way of writing one number.

Here: the normal form. Not here: its key (``conversations.keyed``), numbers in running text (``conversations.redact``),
who is joined by them (``conversations.identities``).
"""

from __future__ import annotations

import re

HOME = "RU"
"""How a number without its country is read. Russia and Kazakhstan share one plan: 8 701 ... is Kazakhstan's."""
NO_NUMBER = ""
"""The key of what is no number that could be rung."""

_PLAIN = re.compile(r"(?:\+?7|8)([0-9]{10})")
_WRITTEN = re.compile(r"[ ()\u00a0\u2010-\u2015.-]+")


def international(phone: str) -> str | None:
    """The number in its international form (E.164); ``None`` for what no telephone could ring.

    >>> {international(one) for one in ("+7 (701) 000-00-01", "87010000001", "7010000001", "77010000001")}
    {'+77010000001'}
    >>> international("104"), international("anonymous"), international("+44 20 7946 0018")
    (None, None, '+442079460018')
    """
    # nearly all numbers, at a hundredth of the library's time
    if plain := _PLAIN.fullmatch(_WRITTEN.sub("", phone)):
        return f"+7{plain[1]}"
    import phonenumbers

    digits = phone.strip()
    for said in (digits, f"+{digits}"):
        try:
            number = phonenumbers.parse(said, HOME)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) and not number.extension:
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return None
