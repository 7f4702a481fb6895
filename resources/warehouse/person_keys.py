"""The secret that ids of people are keyed with: where it is and who gets it.

Here: reading it. Not here: what is keyed (``conversations.keyed``), making it: migration 0008 does, inside the server,
once. It stands in the database, since it must live exactly as long as the rows that are keyed with it: every dump has
both or none. Whoever holds a dump has the phones of ``raw`` anyway; whoever may read marts, masked views or sheets has
neither. A database without it is damaged: nothing makes a new one, for which all customers would be strangers (D14).
"""

from __future__ import annotations

from typing import Any

import psycopg

from conversations.keyed import PersonKeys
from resources.warehouse.errors import PersonKeyLost

_READ = "select secret from keys.installation where purpose = 'persons'"


def person_keys(connection: psycopg.Connection[Any]) -> PersonKeys:
    """The keyed hashes of this installation, for the owner and the loader.

    Raises:
        PersonKeyLost: the secret is not there.
    """
    row = connection.execute(_READ).fetchone()
    if row is None:
        raise PersonKeyLost(
            "the secret of the keyed ids is gone (keys.installation): without it every customer would be a stranger. "
            "Restore it from a backup of this database; no new one is made"
        )
    return PersonKeys(bytes(row[0]))
