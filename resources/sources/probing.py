"""Which lists of an account are open, one harmless call each. Not here: which lists a source has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from conversations.source import Capability
from resources.clients.errors import NeedsAuth, PermanentError, SourceError, TransientError


def capabilities(checks: Sequence[tuple[str, Callable[[], object]]]) -> Iterator[Capability]:
    """Make each call and say whether it worked; after an address that is silent or a refused key, no other."""
    silence: SourceError | None = None
    for name, call in checks:
        if silence is not None:
            yield Capability(name, False, f"not asked: {silence.what}", silence.reason)
            continue
        try:
            call()
        except (TransientError, PermanentError) as error:
            silence = error if isinstance(error, TransientError | NeedsAuth) else None
            yield Capability(name, False, f"{error.what}. {error.remedy}", error.reason)
        else:
            yield Capability(name, True, "")
