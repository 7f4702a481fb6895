"""The software-defined assets, a package per layer of the walk, and their checks.

Here: thin functions that read, call the pure core and write; an asset key is the name of its Postgres table. Not here:
what a figure means (``conversations``), SQL over many conversations (``dbt_project``), wiring (``orchestration``).
"""
