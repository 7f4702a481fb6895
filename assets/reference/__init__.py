"""What people tell the platform and no source knows, as tables.

Here: one module per subject. Not here: facts of a source (``assets.core``), judgements (``assets.evaluated``).
"""
