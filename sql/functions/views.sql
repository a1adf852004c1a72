-- views.sql: the counts for others to read, by names instead of numbers.
--
-- A view is never made anew but replaced, so that views of others may stand on it: columns
-- are added at the end and none is ever removed.

-- A row for each day of a site, in its own time zone.
CREATE OR REPLACE VIEW site_days AS
    SELECT s.site_id, s.time_zone, t.day,
           round(coalesce(hll_cardinality(t.users), 0))::bigint AS visitors, t.visits,
           t.pageviews, t.events, t.bounces, t.visit_views, t.duration_ms
      FROM sites s JOIN totals t USING (site_no)
     WHERE t.grain = 1;

-- A row for each value of a property on a day of a site.
CREATE OR REPLACE VIEW site_values AS
    SELECT s.site_id, m.name AS property, c.day, d.value, d.is_other,
           round(coalesce(hll_cardinality(c.users), 0))::bigint AS visitors, c.visits,
           c.pageviews, c.events, c.bounces, c.duration_ms
      FROM sites s
      JOIN counts c USING (site_no)
      JOIN dimensions m USING (dimension)
      JOIN dictionary d USING (value_id)
     WHERE c.grain = 1 AND (c.events > 0 OR c.visits > 0 OR c.duration_ms > 0);

-- A row for each visit whose raw events are there, with its value of each property.
DO $do$
BEGIN
    EXECUTE format($create$
CREATE OR REPLACE VIEW site_visits AS
    SELECT s.site_id, v.visitor, v.first_at AS began_at, v.ended_at,
           visit_duration_ms(v) AS duration_ms, v.events, v.pageviews,
           visit_is_bounce(v) AS is_bounce, %s
      FROM sites s JOIN visits v USING (site_no)
     WHERE v.events > 0
    $create$, (SELECT string_agg(format('(SELECT d.value FROM dictionary d WHERE d.value_id = '
                                        'v.value_ids[%s]) AS %I', dimension_place(dimension),
                                        name), ', ' ORDER BY dimension)
                 FROM dimensions WHERE kind = 'visit'));
END
$do$;
