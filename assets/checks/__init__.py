"""Blocking checks of raw, core and evaluated, judged by Great Expectations.

Here: what must be true of the days of a run. A check's name says what is true when it passes. Not here: keys and NULLs,
which the database itself refuses, and checks of the marts, which are dbt tests (``dbt_project``).

A layer is judged in one go: each table's statement counts what contradicts, per day, in the database; the counts of all
tables make one small frame, and one suite of expectations judges it. That costs a tenth of a second and one import per
run, whatever the number of rows.
"""
