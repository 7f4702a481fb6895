"""The door to language models: prices, limits, attempts, the calls themselves.

Not here: what is asked (``conversations.scoring``), what is booked (``resources.scoring.ledger``).
"""
