"""Who may do what with which table: the whole matrix by hand.

Here: the table of ``test_roles``. Not here: what is made of it.
"""

from __future__ import annotations

# letters as psql shows them; "all": it is the role's own
MATRIX = """
                                loader  publisher  analyst  desk  dagster
raw.abcd__conversations         raw     -          -        -     -
raw.call_files__calls           raw     -          -        -     -
raw.retailcrm__bots             raw     -          -        -     -
raw.retailcrm__channels         raw     -          -        -     -
raw.retailcrm__chats            raw     -          -        -     -
raw.retailcrm__crm_users        raw     -          -        -     -
raw.retailcrm__customers        raw     -          -        -     -
raw.retailcrm__dialogs          raw     -          -        -     -
raw.retailcrm__messages         raw     -          -        -     -
raw.retailcrm__orders           raw     -          -        -     -
raw.retailcrm__users            raw     -          -        -     -
raw.retailcrm_web__channels     raw     -          -        -     -
raw.retailcrm_web__chats        raw     -          -        -     -
raw.retailcrm_web__messages     raw     -          -        -     -
raw.table_import__chats         raw     -          -        -     -
raw.table_import__messages      raw     -          -        -     -
raw.tbank__calls                raw     -          -        -     -
raw.tbank__transcripts          raw     -          -        -     -
raw.telegram_export__chats      raw     -          -        -     -
raw.telegram_export__messages   raw     -          -        -     -
raw.twitter_care__conversations raw     -          -        -     -
raw.whatsapp_export__chats      raw     -          -        -     -
raw.whatsapp_export__messages   raw     -          -        -     -
core.call_transcripts           rawd    r          -        r     -
core.calls                      rawd    r          -        r     -
core.channels                   rawd    r          -        r     -
core.conversations              rawd    r          -        r     -
core.customers                  rawd    r          -        r     -
core.events                     rawd    r          -        r     -
core.managers                   rawd    r          -        r     -
core.messages                   rawd    r          -        r     -
core.orders                     rawd    r          -        r     -
core.quarantine                 rawd    r          -        r     -
core.calls_masked               -       -          r        -     -
core.conversations_masked       -       -          r        -     -
core.messages_masked            -       -          r        -     -
core.quarantine_masked          -       -          r        -     -
reference.criterion_gates       rawd    r          -        r     -
reference.customer_links        rawd    r          -        r     -
reference.customer_list         rawd    r          -        r     -
reference.departments           rawd    r          -        r     -
reference.instructions          rawd    r          -        r     -
reference.labels                rawd    r          -        r     -
reference.offices               rawd    r          -        r     -
reference.operators             rawd    r          -        r     -
reference.people                rawd    r          -        r     -
reference.person_teams          rawd    r          -        r     -
reference.requirement_looks     rawd    r          -        r     -
reference.rubrics               rawd    r          -        r     -
reference.supervisors           rawd    r          -        r     -
evaluated.advice                rawd    r          -        r     -
evaluated.agreements            r       r          -        r     -
evaluated.behaviour             rawd    r          -        r     -
evaluated.call_decline_reasons  r       r          -        r     -
evaluated.call_eligibility      rawd    r          -        r     -
evaluated.call_evaluations      r       r          -        r     -
evaluated.call_recommendations  r       r          -        r     -
evaluated.evaluations           rawd    r          -        r     -
evaluated.judge_repeats         rawd    r          -        r     -
evaluated.judged_sessions       r       r          -        r     -
evaluated.left_waiting          rawd    r          -        r     -
evaluated.scorecard_criteria    rawd    r          -        r     -
evaluated.scorecard_notes       rawd    r          -        r     -
evaluated.scorecards            rawd    r          -        r     -
evaluated.scorecards_masked     -       -          r        -     -
evaluated.sessions              rawd    r          -        r     -
evaluated.talk_scores           r       r          -        r     -
evaluated.waits                 rawd    r          -        r     -
evaluated.waits_masked          -       -          r        -     -
marts.manager_week              -       all        r        r     -
marts.some_view                 -       all        r        r     -
marts_next.manager_week         -       all        -        -     -
ops.alembic_version             r       r          -        r     -
ops.as_of                       raw     r          -        -     -
ops.audit                       ra      ra         -        -     -
ops.completeness                rawd    r          -        -     -
ops.connections                 raw     -          -        -     -
ops.cursors                     raw     -          -        -     -
ops.dirty                       rawd    r          -        -     -
ops.exports                     -       raw        -        -     -
ops.imports                     raw     -          -        -     -
ops.incidents                   -       raw        -        -     -
ops.link_changes                raw     r          -        -     -
ops.llm_calls                   raw     r          -        -     -
ops.looks                       -       raw        -        -     -
ops.outbox                      -       raw        -        ra    -
ops.read_pages                  rad     -          -        -     -
keys.installation               r       -          -        -     -
dagster.runs                    -       -          -        -     all
"""
