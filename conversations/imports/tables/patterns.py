r"""Patterns of log lines, as a mapping file declares them.

Here: one pattern over one line. Not here: the walk over the lines (``logs``), the mapping (``mapping``).

A pattern comes from whoever brings the file, and the lines from strangers: together they could keep Python's own
``re`` busy for years. RE2 matches in time linear in the line, whatever the pattern; so it has no look-around and no
back references, and ``\d``, ``\w``, ``\s`` mean ASCII (``\p{L}`` is any letter).
"""

from __future__ import annotations

PATTERN_MEMORY = 8 * 1024 * 1024
"""Bytes that a compiled pattern may take; a larger one is refused."""


class PatternError(ValueError):
    """A regular expression that cannot be used."""


class LogPattern:
    """A regular expression over a whole line.

    Raises:
        PatternError: RE2 does not take it; the text is RE2's.
    """

    def __init__(self, pattern: str) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = PATTERN_MEMORY
        try:
            # bytes: for text, the library finds the place of every group anew by counting characters
            self._compiled = re2.compile(pattern.encode(), options)
        except (re2.error, UnicodeEncodeError) as error:
            said = error.args[0] if error.args else ""
            text = said.decode("utf-8", "replace") if isinstance(said, bytes) else "no text"
            raise PatternError(f"not a regular expression of RE2 ({text})") from None
        self._groups = {name.decode(): index for name, index in self._compiled.groupindex.items()}
        self.groups = frozenset(self._groups)

    def groups_of(self, line: str) -> dict[str, str | None] | None:
        """The named groups of the line; ``None`` where it does not fit."""
        found = self._compiled.fullmatch(line.encode("utf-8", "surrogatepass"))
        if found is None:
            return None
        groups = {}
        for name, index in self._groups.items():
            part = found.group(index)
            groups[name] = None if part is None else part.decode("utf-8", "surrogatepass")
        return groups
