"""The marts: what people read, computed by dbt aside, tested there and swapped in.

Here: starting dbt, reading what it says, the swap. Not here: SQL of the figures (``dbt_project``). ``dagster_dbt`` is
not used: importing it makes the location three times as slow as ``import dagster``, and each run pays.
"""
