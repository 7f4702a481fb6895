"""How soon a key or a login that a vendor refused is tried again by runs that nobody waits for (promise F14).

Here: the rest of an hour. Not here: what a refusal looks like (``resources.clients``), the words of one vendor's
remedy.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from resources.clients.errors import NeedsAuth
from resources.warehouse.connections import Account

REFUSED_KEY_RESTS = timedelta(hours=1)
"""How long a key that the vendor refused is not tried again by runs that nobody waits for (promise F14)."""


class NotAskedAgain(NeedsAuth):
    """The vendor refused the key a short time ago and was not asked again; the account's health stays as it was."""


def rest_after_refusal(account: Account, now: datetime, refused: str, remedy: str) -> None:
    """Leave the vendor alone for an hour after it refused the account.

    Args:
        refused: what was refused, with its verb: "the key was".
        remedy: what to do about it.

    Raises:
        NotAskedAgain: the hour is not over.
    """
    if account.status != "needs_auth" or account.checked_at is None:
        return
    if timedelta() <= now - account.checked_at < REFUSED_KEY_RESTS:
        raise NotAskedAgain(
            account.connection_id,
            f"{refused} refused at {account.checked_at:%H:%M} UTC and is tried again an hour later",
            remedy,
        )
