"""The pure core: what a conversation is and how it is judged.

Here: records, parsing, calendars, waits, sessions, policy. Not here: I/O, the clock, Dagster, SQL.
"""
