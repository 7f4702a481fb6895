{% test parts_fit_in_their_whole(model) %}
{% set shares = [
    ('one_direction_share', 'one_direction_chats', 'chats'),
    ('bot_first_share', 'bot_first_sessions', 'asking_sessions'),
] %}
select *
from {{ model }}
where
    one_direction_chats > chats
    or unique_customers > chats
    or bot_only_sessions > sessions_ended
    or asking_sessions > sessions_ended
    or bot_first_sessions > asking_sessions
    {%- for share, hits, eligible in shares %}
    or ({{ share }} is null) <> ({{ eligible }} = 0)
    or abs({{ share }} * {{ eligible }} - {{ hits }}) > 0.000001 * {{ eligible }}
    {%- endfor %}
{% endtest %}
