"""What leaves the platform for people: the tabs of a Google spreadsheet.

Here: what is read for them (``snapshot``), what stands in them (``frames``, ``status``), the assets (``sheets``). Not
here: how a spreadsheet is written (``resources.sheets``), what must be true of a tab (``assets.checks.exports``).
"""
