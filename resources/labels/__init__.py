"""Labels: what people say of talks, and how far the judge agrees with them.

``files``    the table that people mark, as a workbook or as CSV
``store``    which talks can be labelled, labels and gates in the warehouse
``talks``    what was said in them, without personal data
``plot``     the judge's marks against people's, as a picture

Not here: the table's rules (``conversations.scoring.labelling``), the figures (``conversations.scoring.agreement``),
when a criterion counts (``conversations.scoring.gates``), what is printed (``orchestration.cli.labels``).
"""
