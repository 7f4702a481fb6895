"""``otklik link-customers``: which ids of customers are one human; a list is read and put in the place of the last one.

Here: reading the file and what is printed. Not here: the list's rules and whom a number joins
(``conversations.identities``), the tables.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from conversations.messages import Customers, Errors, number
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

if TYPE_CHECKING:
    from conversations.identities import Linked

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes; a list of a million ids is half of it."""
SHOWN = 20
"""Of the numbers that join nobody, so many are shown to a person; all of them with ``--json``."""


def link(path: Path | None, *, as_json: bool) -> None:
    """Replace the list by the file and print what that means; without a file, print who is one human as of now.

    Raises:
        CliError: there is no such file, or it cannot be used; nothing was changed.
        Busy: an account concerned is being judged right now.
    """
    from conversations.policy import Policy
    from resources.settings import Settings
    from resources.warehouse.customer_links import find_links, replace_list
    from resources.warehouse.engine import Warehouse

    listed = None if path is None else _read(path)
    settings = Settings()
    by_number = Policy.load(settings.policy_path).customers.link_by_number
    with Warehouse.open(settings) as warehouse:
        warehouse.ensure_migrated()
        if listed is None:
            _show(find_links(warehouse, by_number=by_number), as_json=as_json)
            return
        counts = asdict(replace_list(warehouse, listed, by_number=by_number))
    if as_json:
        print(json.dumps(counts))
        return
    rows = [(label, number(counts[key])) for key, label in Customers.LABELS.items()]
    screen.show(screen.table(Customers.TITLE, [("", "left"), ("", "right")], rows))
    if counts["conversations"]:
        screen.say(Customers.NEXT)


def _read(path: Path) -> dict[str, str]:
    from conversations.identities import IdentityError, read_identities

    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        raise CliError(Errors.NO_FILE.format(path), EXIT_USAGE)
    try:
        return read_identities(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise CliError(Customers.BAD_FILE.format(path.name, Customers.NOT_TEXT)) from None
    except IdentityError as error:
        raise CliError(Customers.BAD_FILE.format(path.name, error)) from None


def _show(found: Linked, *, as_json: bool) -> None:
    from conversations.identities import BY_LIST, BY_NUMBER

    reasons = [why for _, why in found.links.values()]
    people = len({root for root, _ in found.links.values()})
    counts = {
        "people": people,
        "customers": people + len(reasons),
        "by_list": reasons.count(BY_LIST),
        "by_number": reasons.count(BY_NUMBER),
        "shared_numbers": len(found.shared),
    }
    if as_json:
        print(json.dumps({**counts, "shared": found.shared}))
        return
    rows = [(label, number(counts[key])) for key, label in Customers.STATE.items()]
    screen.show(screen.table(Customers.TITLE, [("", "left"), ("", "right")], rows))
    if found.shared:
        shared = [(", ".join(ids),) for ids in found.shared[:SHOWN]]
        screen.show(
            screen.table(Customers.SHARED.format(len(shared), number(len(found.shared))), [("", "left")], shared)
        )
        screen.say(Customers.DECIDE)
