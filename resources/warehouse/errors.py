"""Errors of the warehouse. Each text is one line that says what is wrong and what to do; none holds a row's content.

``WarehouseError``
    ``ServerFailed``          the embedded server cannot be started; the text names the log
    ``HomeLost``              the database of this home, or its key, is gone: refused, never replaced silently (D14)
    ``WarehouseUnavailable``  the server does not answer or went away; trying again can help
    ``LoginRefused``          the server answers and does not let the role in
    ``MigrationsPending``     the tables are older than the code
    ``KeysLost``              stored credentials and no key that opens them: refused, no new key is made (D14)
    ``PersonKeyLost``         the secret of the keyed ids is gone: refused, no new one is made (D14)
    ``CredentialsDamaged``    the stored credentials of one account open with no key
    ``NoSuchConnection``      no account of that name, or another vendor's
    ``MartsHeld``             a reader's open transaction keeps a published mart from being changed
    ``Busy``                  another process works on the same partition (exit code 75); trying again can help
"""

from __future__ import annotations


class WarehouseError(RuntimeError):
    """Base of the family."""


class ServerFailed(WarehouseError):
    """The embedded server could not be set up or started."""


class HomeLost(WarehouseError):
    """The home says that a database existed, but it or its key is not there."""


class WarehouseUnavailable(WarehouseError):
    """No connection, or the connection was lost; what was committed stays."""


class LoginRefused(WarehouseError):
    """The role has no login there, or another password. Nothing was done."""


class MigrationsPending(WarehouseError):
    """The database's schema is not the one that the code was written for."""


class KeysLost(WarehouseError):
    """Credentials are stored, and the key that opens them is not there. Nothing was changed."""


class PersonKeyLost(WarehouseError):
    """Ids in the warehouse are keyed, and the secret is not there. Nothing was changed."""


class CredentialsDamaged(WarehouseError):
    """The credentials of one account cannot be opened, other accounts' can."""


class NoSuchConnection(WarehouseError):
    """The name is no account's, or the wrong one's."""


class MartsHeld(WarehouseError):
    """The publication waited for a reader of a mart and gave up. Nothing was published."""


class Busy(WarehouseError):
    """Somebody else holds the partition. Nothing was done."""

    exit_code = 75
    """``EX_TEMPFAIL``: what a command ends with, so that a scheduler knows that this is no failure of the work."""
