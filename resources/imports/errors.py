"""What can be wrong with a file that somebody brings, each with a code and one thing to do.

Here: the codes and their English words. Not here: the words on the screen (``conversations.messages.imports``; a test
holds both lists equal). No text names the file or quotes it: names of files are often names of people.
"""

from __future__ import annotations

from resources.clients.errors import BadFile
from resources.warehouse.errors import WarehouseError

FAULTS: dict[str, tuple[str, str]] = {
    "missing": ("the file does not exist", "Check the path"),
    "no_file": ("it is no regular file", "Give the exported file itself"),
    "unreadable": ("the file cannot be read", "Check that you may read it"),
    "empty": ("the file is empty", "Export it again"),
    "too_large": ("the file is too large", "Export the chats one by one"),
    "changed": ("the file was changed while it was being read", "Wait until it is copied whole and import it again"),
    "unknown_format": (
        "nothing tells what kind of file it is",
        "Say it with --format; a table needs a --mapping as well",
    ),
    "not_this_format": ("the file is not of this format", "Check the file, or say another --format"),
    "not_utf8": ("the text is not UTF-8", "Save the file as UTF-8"),
    "utf16_unmarked": ("the text is UTF-16 without a byte order mark", "Save the file as UTF-8"),
    "binary": ("the file is no text", "Give the exported text, JSON or zip"),
    "long_line": ("a line is too long", "This is no exported chat: lines of one are short"),
    "needs_mapping": ("the file is a table, and nothing says what its columns mean", "Give a --mapping"),
    "bad_mapping": ("the mapping cannot be used", "Correct the mapping; docs/imports.md describes it"),
    "other_columns": ("the columns are not those of the mapping", "Correct columns, file.skip or file.delimiter in it"),
    "undecided_date_order": ("day and month cannot be told apart", "Declare the date_order: dmy, mdy or ymd"),
    "other_date_order": ("its dates prove another order than was declared", "Leave the date_order out"),
    "undecided_staff": ("nothing says who the managers are", "Declare the managers"),
    "undecided_time_zone": ("its times have no zone", "Declare the time_zone"),
    "archive_damaged": ("the archive is damaged or breaks off", "Export or copy it again"),
    "archive_encrypted": ("the archive has a password", "Unpack it and import what is in it"),
    "archive_bomb": ("the archive unpacks to far more than an exported chat can hold", "Do not open it"),
    "archive_entries": ("the archive holds too many files", "Export the chat without media"),
    "archive_names": ("names in the archive point out of it", "Do not unpack it; export the chat again"),
    "archive_links": ("the archive holds links instead of files", "Do not unpack it; export the chat again"),
    "archive_duplicates": ("the archive holds two files of one name", "Export the chat again"),
    "archive_method": ("the archive is packed in an unusual way", "Unpack it and import what is in it"),
    "archive_nested": ("the archive holds only other archives", "Unpack it and import what is in it"),
    "archive_nothing": ("no chat is in the archive", "Export the chat again"),
    "archive_several": ("the archive holds several chats", "Unpack it and import the files one by one"),
}
"""Code to what happened and what to do."""


class BadImport(BadFile):
    """A file that cannot be imported; nothing of it was stored. ``code`` is a key of ``FAULTS``."""

    def __init__(self, connection_id: str, code: str, where: str = "") -> None:
        what, remedy = FAULTS[code]
        self.code = code
        self.where = where
        """A line, a byte, a size; never what stands there."""
        super().__init__(connection_id, f"{what} ({where})" if where else what, remedy)


class ConnectionTaken(WarehouseError):
    """Rows of another source are stored under that connection; two sources under one name would be one account."""

    def __init__(self, connection_id: str, source: str) -> None:
        self.connection_id = connection_id
        self.source = source
        super().__init__(f"{connection_id} belongs to {source}: give the file's connection another name")
