"""The raw layer: what the vendors sent, payload verbatim, one table per stream.

Here: one asset per stream, a module per vendor. Not here: paging (``resources.sources``), writing
(``resources.warehouse.land``), meaning (``conversations.parsing``).
"""
