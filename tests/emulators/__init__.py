"""Emulators of the vendors: small servers with real paging, limits, auth, switchable faults and a ledger of calls.

A program of its own (``python -m tests.emulators``). Imports nothing of the product, so that a misreading of a
vendor's documents cannot be made twice in one place.
"""
