// How many reviews of a brand wait, for how long and why.
// params: brand, overdue_since, day, week (times: opened later is younger than a day, a week)
// returns: pending, overdue, oldest, younger_than_day, younger_than_week, causes [[kind, rules]…] with repeats
// mode: read
MATCH (v:Review)
WHERE v.brand = $brand AND v.status = 'pending' AND v.created_at IS NOT NULL
RETURN count(v) AS pending, count(CASE WHEN v.created_at <= $overdue_since THEN 1 END) AS overdue,
  min(v.created_at) AS oldest, count(CASE WHEN v.created_at > $day THEN 1 END) AS younger_than_day,
  count(CASE WHEN v.created_at > $week THEN 1 END) AS younger_than_week,
  collect([coalesce(v.kind, 'rules'), v.rules]) AS causes
