"""``otklik link-customers``: the list of customers with several ids is read, checked and put in the place of the last.

Here: reading the file and what is printed. Not here: the list's rules (``conversations.identities``), the table.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from conversations.messages import Customers, Errors, number
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes; a list of a million ids is half of it."""


def link(path: Path, *, as_json: bool) -> None:
    """Replace the list by the file; print what that means.

    Raises:
        CliError: there is no such file, or it cannot be used; nothing was changed.
        Busy: an account concerned is being judged right now.
    """
    from conversations.identities import IdentityError, read_identities
    from resources.settings import Settings
    from resources.warehouse.customer_links import replace_links
    from resources.warehouse.engine import Warehouse

    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        raise CliError(Errors.NO_FILE.format(path), EXIT_USAGE)
    try:
        links = read_identities(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise CliError(Customers.BAD_FILE.format(path.name, Customers.NOT_TEXT)) from None
    except IdentityError as error:
        raise CliError(Customers.BAD_FILE.format(path.name, error)) from None
    with Warehouse.open(Settings()) as warehouse:
        warehouse.ensure_migrated()
        counts = asdict(replace_links(warehouse, links))
    if as_json:
        print(json.dumps(counts))
        return
    rows = [(label, number(counts[key])) for key, label in Customers.LABELS.items()]
    screen.show(screen.table(Customers.TITLE, [("", "left"), ("", "right")], rows))
    if counts["conversations"]:
        screen.say(Customers.NEXT)
