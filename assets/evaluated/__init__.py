"""The evaluated layer: conversations as the rules of the metric contract judge them.

Here: one function that has the days' contacts judged again. Not here: any rule (``conversations``), reading and writing
of many contacts (``resources.warehouse.refresh``).
"""
