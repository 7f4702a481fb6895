"""The marts that Python builds beside dbt's: what was published, its revisions, comparisons, examples, advice.

Here: one module per mart or two, its columns and tests in the YAML of its name. Not here: the arithmetic over many
conversations (``dbt_project``), the rules of a comparison (``conversations.delta``), the swap
(``assets.marts.publish``).

All of it is built in ``marts_next`` after dbt, from the very tables that will be swapped in, in one transaction:

* ``published_waits``, ``published_sessions``, ``published_scores``: the cases behind each week of the publication, with
  the week's revision;
* ``behavior_snapshot``: its figures; ``week_revisions``, ``week_changes``: the revision, if it is a new one;
* ``weekly_examples``, ``chat_advice``: the talks and messages of these weeks to look at;
* ``manager_week_delta``, ``channel_week_delta``: of these weeks, and of up to four published ones after them, whose
  previous week or average they are.
"""
