-- What each person did in the week, in the manager's view.
{{ manager_mart('week') }}
