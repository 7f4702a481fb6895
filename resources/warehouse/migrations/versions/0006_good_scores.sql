-- What a session's score must be for it to be good is kept with the session, like the targets with a wait.
alter table evaluated.behaviour add column good_score_at_least integer not null default 80;
alter table evaluated.behaviour alter column good_score_at_least drop default;

-- What changes in a conversation takes the scorecards with it that quote what was said there before.
create index scorecards_conversation_idx on evaluated.scorecards (conversation_id);
