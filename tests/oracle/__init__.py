"""A slow reading of the metric contract, written a second time so that the fast one can be compared with it.

Here: waits, sessions and left_waiting straight from ``metric_definitions.md`` (sections 1-4 and 11), in plain loops.
Not here: anything of ``conversations`` but the tuples of ``conversations.timeline``; speed.
"""
