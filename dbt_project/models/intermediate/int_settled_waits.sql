-- Waits that settled in the range: a wait belongs to the week of its settlement (contract, section 7).
select * from {{ staged_waits() }} as w
where {{ in_range('w.week', 'w.business_on') }}
