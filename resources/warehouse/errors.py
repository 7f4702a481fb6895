"""Errors of the warehouse. Each text is one line that says what is wrong and what to do; none holds a row's content.

``WarehouseError``
    ``ServerFailed``          the embedded server cannot be started; the text names the log
    ``HomeLost``              the database of this home, or its key, is gone: refused, never replaced silently (D14)
    ``WarehouseUnavailable``  the server does not answer or went away; trying again can help
    ``MigrationsPending``     the tables are older than the code
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


class MigrationsPending(WarehouseError):
    """The database's schema is not the one that the code was written for."""


class Busy(WarehouseError):
    """Somebody else holds the partition. Nothing was done."""

    exit_code = 75
    """``EX_TEMPFAIL``: what a command ends with, so that a scheduler knows that this is no failure of the work."""
