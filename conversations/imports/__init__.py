"""Files that people bring: what is in them and what has to be said about them before they can be stored.

Here: pure readers, one module or package per kind of file, each turning decoded units (lines, messages, rows) into raw
rows. Not here: opening and decoding files (``resources.imports``), what a raw row means (``conversations.parsing``).
"""
