{% test parts_fit_in_their_whole(model) %}
select *
from {{ model }}
where
    one_direction_chats > chats
    or unique_customers > chats
    or bot_only_sessions > sessions_ended
    or asking_sessions > sessions_ended
    or bot_first_sessions > asking_sessions
{% endtest %}
