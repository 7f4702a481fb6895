"""Files that people bring: opened safely, told apart, read twice, stored once.

Here: opening and decoding with limits (``archives``, ``text`` and a module per kind of file), telling kinds apart
(``formats``), the file as a source (``source``) and the whole walk of one file (``bring``). Not here: what a line or a
message of a file means (``conversations.imports``, ``conversations.parsing``).
"""
