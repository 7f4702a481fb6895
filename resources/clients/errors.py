"""Everything that can go wrong between us and a vendor, as one tree that callers catch by family.

    SourceError
    ├── TransientError          the same call may work later; carries status and retry_after
    │   ├── RateLimited         429, and 503 where that is the vendor's word for it
    │   ├── DeadlineExceeded    our own total deadline; also "told to wait longer than the deadline"
    │   └── UnknownOutcome      a request that must not be done twice got no answer: done or not, the caller finds out
    └── PermanentError          trying again does not help, a person has to act
        ├── BadConfiguration    address or key missing or unusable; raised before any call
        ├── NeedsAuth           401, or a key that the vendor calls wrong
        │   └── SessionExpired  a captured browser session is over: a person captures it again
        ├── Forbidden           403: the key is good, the right is missing
        ├── NotFound            404
        ├── Refused             any other 4xx: the vendor does not accept the request
        ├── WrongHost           a web page or a redirect where an API should be
        ├── BadAnswer           truncated, too large or of the wrong shape; names the page
        │   └── BadFile         the same for a file
        └── CursorLoop          paging repeats itself or goes backwards

Here: the classes and their texts. Not here: which status means what (``http``, and the vendor's own client).

Every text has the form ``<connection>: <what happened>. <what to do>`` and is redacted when it is built, so that it
may be printed, logged and stored anywhere.
"""

from __future__ import annotations

from resources.clients.redact import redact


class SourceError(Exception):
    """A source could not be read. ``str(error)`` is one line for people; ``reason`` is the code for machines."""

    reason = "source"
    default_remedy = "See the log of this run"

    def __init__(self, connection_id: str, what: str, remedy: str | None = None) -> None:
        self.connection_id = connection_id
        self.what = redact(_one_line(what))
        self.remedy = redact(_one_line(remedy or self.default_remedy))
        super().__init__(f"{connection_id}: {self.what}. {self.remedy}")


class TransientError(SourceError):
    """The vendor could not answer now."""

    reason = "unavailable"
    default_remedy = "Nothing is lost: run the same window again later; if it lasts, check the vendor's status page"

    def __init__(
        self,
        connection_id: str,
        what: str,
        remedy: str | None = None,
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.status = status
        self.retry_after = retry_after
        """Seconds that the vendor asked us to stay away; ``None`` when it did not say."""
        super().__init__(connection_id, what, remedy)


class RateLimited(TransientError):
    """The vendor asked us to slow down."""

    reason = "rate_limited"
    default_remedy = "Lower the request rate of this connection or find what else uses the same key, then run again"


class DeadlineExceeded(TransientError):
    """The call did not succeed within its total deadline, pauses included."""

    reason = "deadline"
    default_remedy = "Run the same window again later, or raise the deadline of this connection"


class UnknownOutcome(TransientError):
    """A request that must not be done twice, and nobody knows whether it was done; it was not sent again."""

    reason = "unknown"
    default_remedy = "Look whether it was done before doing it again"


class PermanentError(SourceError):
    """A person has to act before the same call can work."""

    reason = "permanent"


class BadConfiguration(PermanentError):
    """The connection cannot be tried at all."""

    reason = "configuration"
    default_remedy = "Correct the connection's settings"


class NeedsAuth(PermanentError):
    """The vendor does not accept our key (any more)."""

    reason = "needs_auth"
    default_remedy = "Issue a new key at the vendor and put it into the connection's settings"


class SessionExpired(NeedsAuth):
    """A session that was captured in a browser is not accepted any more."""

    reason = "session_expired"
    default_remedy = "Capture a request of the open chats again: otklik connect retailcrm-web --curl FILE"


class Forbidden(PermanentError):
    """The key is accepted but may not do this."""

    reason = "forbidden"
    default_remedy = "Give the key the right to read this list in the vendor's settings"


class NotFound(PermanentError):
    """The address or the object does not exist."""

    reason = "not_found"
    default_remedy = "Check the base URL of the connection and whether the account has this module"


class Refused(PermanentError):
    """The vendor understood the request and does not accept it."""

    reason = "refused"
    default_remedy = "Report this line: the vendor's interface may have changed"


class WrongHost(PermanentError):
    """Something answers at the address, but it is not the vendor's API."""

    reason = "wrong_host"
    default_remedy = "Check the base URL of the connection: it must be the API's own address, without a path"


class PrivateAddress(WrongHost):
    """The address leads into a private network that nobody declared; nothing was sent (promise S10)."""

    reason = "private_address"
    default_remedy = (
        "Check the base URL: only public https addresses are asked, and http on this machine itself. A host of your "
        "own network is named in HTTP_ALLOWED_PRIVATE_HOSTS"
    )


class BadAnswer(PermanentError):
    """An answer that cannot be used; nothing of it was stored."""

    reason = "bad_answer"
    default_remedy = "Nothing of this page was stored: run again; if it stays so, the vendor's interface has changed"


class BadFile(BadAnswer):
    """A file that cannot be used; nothing of it was stored."""

    reason = "bad_file"
    default_remedy = "Nothing of this file was stored: correct the file or the format and run again"


class CursorLoop(PermanentError):
    """The vendor's paging repeats itself or goes backwards; stopped before it could go on for ever."""

    reason = "cursor_loop"
    default_remedy = "Committed pages stay: run again; if it stays so, report it to the vendor with this line"


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
