"""Bent files for the readers of imported files: ``python -m tests.fuzz --seconds 600`` (``make fuzz``).

Here: valid examples, mutations of bytes, what must hold for every file whatever is in it. Not here: what is right for a
good file (``tests/unit``).
"""
