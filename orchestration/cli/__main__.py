"""``python -m orchestration.cli``: the same as ``otklik``, for environments without the console script."""

from orchestration.cli import main

main()
