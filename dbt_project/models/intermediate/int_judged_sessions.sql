-- Behaviour of the sessions that ended in the range: a session's behaviour belongs to the week of its end.
select * from {{ staged_behaviour() }} as b
where {{ in_range('b.week', 'b.business_on') }}
