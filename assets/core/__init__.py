"""The core layer: conversations of every source in one vocabulary.

Here: which raw streams become which core tables, in one transaction per window. Not here: what a payload means
(``conversations.parsing``), how rows are replaced (``resources.warehouse.core``).
"""
