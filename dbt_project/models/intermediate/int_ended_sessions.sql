-- Sessions that ended in the range; a session belongs to the week of its end.
select * from {{ staged_sessions() }} as s
where {{ in_range('s.week', 's.business_on') }}
