"""The scoring run: which talks are judged, what is bought, what is kept.

``subjects``   which talks of a few days are judged, by which rubric and prompt
``answers``    paid answers, found by their key
``group``      many coroutines, one writing session: what waits is committed together
``ledger``     the book of calls to models: reserved before, settled after, within the budget
``spent``      what is left of the budget
``cards``      scorecards on their way into the tables
``plan``       what a run would buy, without buying it
``run``        a run over days

Not here: the rules of scoring (``conversations.scoring``), who asks a model (``resources.llm``), Dagster (``assets``).
"""
