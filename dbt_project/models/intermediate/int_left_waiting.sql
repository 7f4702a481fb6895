-- Waits that were handed over in the range after their holder had let them wait longer than the target.
select * from {{ staged_left_waiting() }} as l
where {{ in_range('l.week', 'l.business_on') }}
