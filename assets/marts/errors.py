"""Errors of building the marts. Not here: what they become in a run (``assets.failures``)."""

from __future__ import annotations


class DbtError(RuntimeError):
    """dbt could not build the marts; the text says what and what to do. Nothing was published."""
