-- What each person did on the day, in the manager's view.
{{ manager_mart('business_on') }}
