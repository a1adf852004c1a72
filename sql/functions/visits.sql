-- visits.sql: the visits, and what they add to totals and counts.
--
-- A visit is a largest set of one visitor's events and engagements on a site of which no
-- neighbours lie more than half an hour apart: a function of the set, not of the order in
-- which they come.  A row of visits is a summary that can be merged.  A chunk makes pieces of
-- its own events, finds the visits that lie within half an hour of them, merges both, and
-- adds the new rows less the old ones to totals and counts.

-- Floats have the microseconds of 285 years exactly, and are far quicker than numeric.
CREATE OR REPLACE FUNCTION visit_duration_ms(visit visits) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT greatest(visit.engaged_ms,
                    round(1e6::float8 * date_part('epoch', visit.ended_at - visit.began_at)
                    )::bigint / 1000)
$$;

CREATE OR REPLACE FUNCTION visit_is_bounce(visit visits) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT visit.pageviews < 2 AND visit.events = visit.pageviews
$$;

-- Of a visit so many users are told apart by its values; nearly all visits have one.
CREATE OR REPLACE FUNCTION visit_users_max() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 64 $$;

-- Both lists of users as one, each once.
CREATE OR REPLACE FUNCTION visit_users(one bigint[], other bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN other <@ one THEN one WHEN one <@ other THEN other
                ELSE (ARRAY(SELECT DISTINCT key FROM unnest(one || other) AS key ORDER BY key)
                 )[1:visit_users_max()] END
$$;

-- rollup_find_visits(source): what the events of a chunk change about visits.
--
-- Nearly always a piece lies near one visit at most, and no other piece near that one: a pair.
-- Visitors of whom that is not true are tangled: all their pieces and visits are laid out by
-- time, and what touches is one visit.
DO $do$
DECLARE
    columns text; -- of points: by what visits are counted
    names   text;
    types   text;
    texts   text;
    wanted  text; -- the values of a winner, one part for each dimension
    joins   text; -- and their numbers
    numbers text;
BEGIN
    SELECT string_agg(format('(%s) AS v%s', expression, dimension), ', ' ORDER BY dimension),
           string_agg(format('v%s', dimension), ', ' ORDER BY dimension),
           string_agg(format('v%s text', dimension), ', ' ORDER BY dimension),
           string_agg(format('w.v%s', dimension), ', ' ORDER BY dimension),
           string_agg(format('SELECT DISTINCT home_no, %1$s::smallint, v%1$s FROM winners '
                             'WHERE v%1$s IS NOT NULL', dimension), ' UNION ALL '),
           string_agg(format('LEFT JOIN named n%1$s ON n%1$s.dimension = %1$s '
                             'AND n%1$s.home_no = w.home_no AND n%1$s.value = w.v%1$s',
                             dimension), ' ' ORDER BY dimension)
      INTO columns, names, types, texts, wanted, joins
      FROM dimensions WHERE kind = 'visit' AND dimension > dimension_exit_page();
    -- The place of a number that is no dimension of visits stays empty: dimension_place().
    SELECT string_agg(coalesce('n' || d.dimension || '.value_id', 'NULL'), ', ' ORDER BY n)
      INTO numbers
      FROM generate_series(dimension_exit_page() + 1,
                           (SELECT max(dimension) FROM dimensions WHERE kind = 'visit')) AS n
      LEFT JOIN dimensions d ON d.dimension = n AND d.kind = 'visit';
    -- ROWS is a word to the planner: it takes no join of two such sets for a large one.
    EXECUTE format($create$
CREATE OR REPLACE FUNCTION rollup_visit_points(source rollup_source)
RETURNS TABLE (site_no integer, home_no integer, visitor bigint, at timestamptz, event_id uuid,
               path text, is_event boolean, is_view boolean, duration_ms integer,
               user_key bigint, place bigint, piece bigint, %3$s)
LANGUAGE plpgsql ROWS 200 SET enable_hashjoin = on SET enable_nestloop = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH ordered AS (
        SELECT s.site_no, s.home_no, event_visitor(e.user_id, e.visitor_id) AS visitor,
               e."timestamp" AS at, e.event_id, e.path, e.duration_ms IS NULL AS is_event,
               e.duration_ms IS NULL AND event_is_view(e.event_type) AS is_view,
               e.duration_ms, event_user_key(e.user_id, e.visitor_id) AS user_key, %1$s
          FROM events e
          JOIN unnest(source.site_ids, source.site_nos, source.home_nos)
               AS s (site_id, site_no, home_no) ON s.site_id = e.site_id
         WHERE e.id > source.low AND e.id <= source.high
           AND (source.only_site IS NULL
                OR e.site_id = source.only_site AND e."timestamp" >= source.since
                   AND e."timestamp" < source.until AND e.id <> ALL (source.aside))
           AND (e.visitor_id IS NOT NULL OR e.user_id IS NOT NULL)
    ), started AS (
        SELECT *, row_number() OVER line AS place,
               (lag(at) OVER line >= at - visit_gap() AND lag(visitor) OVER line = visitor
                AND lag(site_no) OVER line = site_no) IS NOT TRUE AS starts
          FROM ordered WINDOW line AS (ORDER BY site_no, visitor, at, event_id)
    )
    SELECT site_no, home_no, visitor, at, event_id, path, is_event, is_view, duration_ms,
           user_key, place, count(*) FILTER (WHERE starts)
               OVER (ORDER BY site_no, visitor, at, event_id ROWS UNBOUNDED PRECEDING),
           %2$s
          FROM started;
END
$$ $create$, columns, names, types);
    EXECUTE format($create$
CREATE OR REPLACE FUNCTION rollup_find_visits(source rollup_source) RETURNS visit_change[]
LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_nestloop = off SET join_collapse_limit = 1 AS $$
#variable_conflict use_column
DECLARE
    changes visit_change[];
BEGIN
    WITH points AS MATERIALIZED (
        SELECT * FROM rollup_visit_points(source)
    ), cut AS MATERIALIZED (
        SELECT *, coalesce(entry_place, first_place) AS winner_place
          FROM (SELECT piece, site_no, home_no, visitor,
                       min(at) AS began_at, max(at) AS ended_at,
                       min(place) FILTER (WHERE is_event) AS first_place,
                       min(place) FILTER (WHERE is_view) AS entry_place,
                       max(place) FILTER (WHERE is_view) AS exit_place,
                       count(*) FILTER (WHERE is_event) AS events,
                       count(*) FILTER (WHERE is_view) AS pageviews,
                       coalesce(sum(duration_ms), 0)::bigint AS engaged_ms,
                       min(user_key) FILTER (WHERE is_event) AS least_user,
                       max(user_key) FILTER (WHERE is_event) AS greatest_user
                  FROM points GROUP BY piece, site_no, home_no, visitor) AS p
         ORDER BY piece -- the order of the key of visits
    ), several AS (
        SELECT piece, (array_agg(DISTINCT user_key))[1:visit_users_max()] AS users
          FROM points
         WHERE is_event AND user_key IS NOT NULL
           AND piece IN (SELECT piece FROM cut WHERE least_user < greatest_user)
         GROUP BY piece
    ), ends AS MATERIALIZED (
        -- First events and last page views that are not the winner, which is one join.
        SELECT p.place, p.at, p.event_id, p.path
          FROM points p
          JOIN (SELECT first_place AS place FROM cut WHERE first_place < winner_place
                 UNION
                SELECT exit_place FROM cut WHERE exit_place > winner_place) AS c
            ON c.place = p.place
    ), pieces AS MATERIALIZED (
        SELECT c.piece, c.site_no, c.home_no, c.visitor, c.began_at, c.ended_at,
               CASE WHEN c.first_place = c.winner_place THEN w.at ELSE first.at END AS first_at,
               CASE WHEN c.first_place = c.winner_place THEN w.event_id
                    ELSE first.event_id END AS first_id,
               CASE WHEN c.pageviews > 0 THEN w.at END AS entry_at,
               CASE WHEN c.pageviews > 0 THEN w.event_id END AS entry_id,
               CASE WHEN c.pageviews > 0 THEN w.path END AS entry_path,
               CASE WHEN c.exit_place = c.winner_place THEN w.at ELSE last.at END AS exit_at,
               CASE WHEN c.exit_place = c.winner_place THEN w.event_id
                    ELSE last.event_id END AS exit_id,
               CASE WHEN c.exit_place = c.winner_place THEN w.path
                    ELSE last.path END AS exit_path,
               c.events, c.pageviews, c.engaged_ms,
               CASE WHEN c.least_user = c.greatest_user THEN ARRAY[c.least_user]
                    ELSE coalesce(u.users, '{}') END AS users,
               c.winner_place
          FROM cut c
          LEFT JOIN points w ON w.place = c.winner_place
          LEFT JOIN ends first ON first.place = c.first_place
          LEFT JOIN ends last ON last.place = c.exit_place
          LEFT JOIN several u ON u.piece = c.piece
    ), near AS MATERIALIZED (
        -- Visits lie more than a gap apart, so there are no more of them.
        SELECT p.piece, v.tid, v.visit
          FROM pieces p
         CROSS JOIN LATERAL (
               SELECT v.ctid AS tid, v AS visit, v.ended_at FROM visits v
                WHERE v.site_no = p.site_no AND v.visitor = p.visitor
                  AND v.began_at <= p.ended_at + visit_gap()
                ORDER BY v.began_at DESC
                LIMIT CASE WHEN p.ended_at - p.began_at <= visit_gap() THEN 3
                           ELSE 2 + ceil(date_part('epoch', p.ended_at - p.began_at)
                                         / date_part('epoch', visit_gap())) END) AS v
         WHERE v.ended_at >= p.began_at - visit_gap()
    ), tangled AS MATERIALIZED (
        SELECT DISTINCT (visit).site_no, (visit).visitor FROM near
         WHERE piece IN (SELECT piece FROM near GROUP BY piece HAVING count(*) > 1)
            OR tid IN (SELECT tid FROM near GROUP BY tid HAVING count(*) > 1)
    ), pairs AS MATERIALIZED (
        SELECT p.*, n.tid, n.visit AS was, t.visitor IS NOT NULL AS is_tangled,
               -- Whether the values of the visit are those of the piece.
               CASE WHEN n.tid IS NULL OR t.visitor IS NOT NULL THEN true
                    WHEN p.entry_at IS NULL
                    THEN (n.visit).entry_at IS NULL AND p.first_at IS NOT NULL
                         AND ((n.visit).first_at IS NULL
                              OR (p.first_at, p.first_id)
                                 < ((n.visit).first_at, (n.visit).first_id))
                    ELSE (n.visit).entry_at IS NULL
                         OR (p.entry_at, p.entry_id) < ((n.visit).entry_at, (n.visit).entry_id)
               END AS wins
          FROM pieces p
          LEFT JOIN tangled t ON t.site_no = p.site_no AND t.visitor = p.visitor
          LEFT JOIN near n ON n.piece = p.piece AND t.visitor IS NULL
    ), winners AS MATERIALIZED (
        SELECT w.* FROM pairs p JOIN points w ON w.place = p.winner_place
         WHERE p.wins AND coalesce(%5$s) IS NOT NULL -- as of many no event has any
    ), wanted (home_no, dimension, value) AS (
        %1$s UNION ALL
        (SELECT home_no, dimension_page(), entry_path FROM pairs WHERE wins AND entry_path IS NOT NULL
          UNION
         SELECT home_no, dimension_page(), exit_path FROM pairs WHERE exit_path IS NOT NULL)
    ), %4$s, valued AS MATERIALIZED (
        SELECT w.piece, ARRAY[%3$s] AS value_ids FROM winners w %2$s
    ), new AS MATERIALIZED (
        -- What a pair becomes, and of the tangled the piece alone.
        SELECT p.tid, p.was, p.is_tangled,
               p.wins OR ((p.first_at, p.first_id) < ((p.was).first_at, (p.was).first_id)) IS TRUE
                   AS moves,
               ROW(p.site_no, p.visitor,
                   least(p.began_at, (p.was).began_at), greatest(p.ended_at, (p.was).ended_at),
                   CASE WHEN f.is_mine THEN p.first_at ELSE (p.was).first_at END,
                   CASE WHEN f.is_mine THEN p.first_id ELSE (p.was).first_id END,
                   CASE WHEN p.wins THEN p.entry_at ELSE (p.was).entry_at END,
                   CASE WHEN p.wins THEN p.entry_id ELSE (p.was).entry_id END,
                   CASE WHEN l.is_mine THEN p.exit_at ELSE (p.was).exit_at END,
                   CASE WHEN l.is_mine THEN p.exit_id ELSE (p.was).exit_id END,
                   p.events + coalesce((p.was).events, 0),
                   p.pageviews + coalesce((p.was).pageviews, 0),
                   p.engaged_ms + coalesce((p.was).engaged_ms, 0),
                   CASE WHEN p.was IS NULL THEN p.users
                        WHEN (p.was).users = p.users THEN p.users
                        ELSE visit_users((p.was).users, p.users) END,
                   ARRAY[CASE WHEN p.wins THEN entry.value_id ELSE (p.was).value_ids[1] END,
                         CASE WHEN l.is_mine THEN last.value_id
                              ELSE (p.was).value_ids[2] END]
                   || CASE WHEN p.wins THEN v.value_ids ELSE (p.was).value_ids[3:] END
               )::visits AS now
          FROM pairs p
          LEFT JOIN valued v ON v.piece = p.piece
          LEFT JOIN named entry ON entry.dimension = dimension_page()
               AND entry.home_no = p.home_no AND entry.value = p.entry_path
          LEFT JOIN named last ON last.dimension = dimension_page()
               AND last.home_no = p.home_no AND last.value = p.exit_path
         CROSS JOIN LATERAL (
               SELECT (p.was).first_at IS NULL
                      OR ((p.first_at, p.first_id)
                          < ((p.was).first_at, (p.was).first_id)) IS TRUE AS is_mine) AS f
         CROSS JOIN LATERAL (
               SELECT (p.was).exit_at IS NULL
                      OR ((p.exit_at, p.exit_id)
                          > ((p.was).exit_at, (p.was).exit_id)) IS TRUE AS is_mine) AS l
    ), members AS (
        SELECT NULL::tid AS tid, now AS visit FROM new WHERE is_tangled
         UNION ALL
        SELECT DISTINCT ON (n.tid) n.tid, n.visit
          FROM near n
          JOIN tangled t ON t.site_no = (n.visit).site_no AND t.visitor = (n.visit).visitor
    ), apart AS (
        SELECT *, ((visit).began_at - max((visit).ended_at)
                       OVER (line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                   <= visit_gap()) IS NOT TRUE AS starts
          FROM members
        WINDOW line AS (PARTITION BY (visit).site_no, (visit).visitor ORDER BY (visit).began_at)
    ), islands AS (
        SELECT *, count(*) FILTER (WHERE starts)
                      OVER (PARTITION BY (visit).site_no, (visit).visitor
                            ORDER BY (visit).began_at ROWS UNBOUNDED PRECEDING) AS island
          FROM apart
    ), joined AS (
        SELECT min((visit).began_at) AS began_at, max((visit).ended_at) AS ended_at,
               sum((visit).events)::bigint AS events,
               sum((visit).pageviews)::bigint AS pageviews,
               sum((visit).engaged_ms)::bigint AS engaged_ms,
               (array_agg(visit ORDER BY (visit).first_at, (visit).first_id))[1] AS first,
               (array_agg(visit ORDER BY (visit).entry_at, (visit).entry_id,
                                         (visit).first_at, (visit).first_id))[1] AS winner,
               (array_agg(visit ORDER BY (visit).exit_at DESC NULLS LAST,
                                         (visit).exit_id DESC))[1] AS last,
               array_agg(visit) AS visits
          FROM islands GROUP BY (visit).site_no, (visit).visitor, island
    )
    SELECT array_agg(c::visit_change) INTO changes
      FROM (SELECT tid, was, now, moves FROM new WHERE NOT is_tangled
             UNION ALL
            SELECT tid, visit, NULL, true FROM members WHERE tid IS NOT NULL
             UNION ALL
            SELECT NULL, NULL,
                   ROW((first).site_no, (first).visitor, began_at, ended_at,
                       (first).first_at, (first).first_id, (winner).entry_at,
                       (winner).entry_id, (last).exit_at, (last).exit_id, events, pageviews,
                       engaged_ms,
                       (ARRAY(SELECT DISTINCT key
                                FROM unnest(visits) AS one CROSS JOIN unnest(one.users) AS key
                               ORDER BY key))[1:visit_users_max()],
                       ARRAY[(winner).value_ids[1], (last).value_ids[2]]
                       || (winner).value_ids[3:])::visits,
                   true
              FROM joined) AS c (tid, was, now, moves);
    RETURN changes;
END
$$ $create$, wanted, joins, numbers, rollup_sql_named(), texts);
END
$do$;

-- Writes what has changed.  The lines of old rows are found by their places, whatever the
-- statistics say, and those cannot have changed: one roll-up runs at a time.
CREATE OR REPLACE FUNCTION rollup_write_visits(changes visit_change[]) RETURNS void
LANGUAGE plpgsql SET enable_indexscan = off SET enable_bitmapscan = off AS $$
BEGIN
    DELETE FROM visits v USING unnest(changes) AS c
     WHERE v.ctid = c.tid AND (c.now).site_no IS NULL;
    UPDATE visits v
       SET began_at = (c.now).began_at, ended_at = (c.now).ended_at,
           first_at = (c.now).first_at, first_id = (c.now).first_id,
           entry_at = (c.now).entry_at, entry_id = (c.now).entry_id,
           exit_at = (c.now).exit_at, exit_id = (c.now).exit_id,
           events = (c.now).events, pageviews = (c.now).pageviews,
           engaged_ms = (c.now).engaged_ms, users = (c.now).users,
           value_ids = (c.now).value_ids
      FROM unnest(changes) AS c
     WHERE v.ctid = c.tid AND (c.now).site_no IS NOT NULL;
    INSERT INTO visits
    SELECT (c.now).* FROM unnest(changes) AS c WHERE c.tid IS NULL;
END
$$;

-- What changed visits add to the figures of a day: the new rows less the old ones.  One that
-- has its values and its first event still is one row, of all values or of all but its exit
-- page, which is two more.
CREATE OR REPLACE FUNCTION rollup_diff_visits(changes visit_change[])
RETURNS TABLE (visit visits, visits integer, events bigint, pageviews bigint,
               bounces integer, duration_ms bigint, users bigint[],
               counts_exit boolean, counts_rest boolean)
LANGUAGE sql IMMUTABLE AS $$
    WITH c AS (
        SELECT *, (now).value_ids[2] IS NOT DISTINCT FROM (was).value_ids[2] AS stays
          FROM unnest(changes) AS c
    )
    SELECT now, 0, (now).events - (was).events, (now).pageviews - (was).pageviews,
           visit_is_bounce(now)::integer - visit_is_bounce(was)::integer,
           visit_duration_ms(now) - visit_duration_ms(was),
           CASE WHEN (now).users <> (was).users THEN (now).users END, stays, true
      FROM c WHERE NOT moves
     UNION ALL
    SELECT now, 1, (now).events, (now).pageviews, visit_is_bounce(now)::integer,
           visit_duration_ms(now), (now).users, true, moves
      FROM c WHERE (moves OR NOT stays) AND (now).events > 0
     UNION ALL
    SELECT was, -1, -(was).events, -(was).pageviews, -visit_is_bounce(was)::integer,
           -visit_duration_ms(was), NULL, true, moves
      FROM c WHERE (moves OR NOT stays) AND (was).events > 0
$$;

-- What changed visits add to totals and to counts.  The users of exit pages are counted by
-- rollup_recount_users().  Visits that share all values but their pages are summed first, for
-- there are many dimensions.
CREATE OR REPLACE FUNCTION rollup_count_visits(changes visit_change[], source rollup_source,
                                    OUT totals rollup_totals, OUT counts rollup_counts)
LANGUAGE plpgsql SET enable_hashjoin = on SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
    counted record;
BEGIN
    WITH seen AS MATERIALIZED (
        SELECT (d.visit).site_no, l.local_time::date AS day,
               (d.visit).first_at - (l.local_time - date_trunc('hour', l.local_time)) AS hour,
               (d.visit).value_ids[1] AS entry_page, (d.visit).value_ids[2] AS exit_page,
               (d.visit).value_ids[3:] AS value_ids,
               d.visits, d.events, d.pageviews, d.bounces, d.duration_ms, d.users,
               d.counts_exit, d.counts_rest
          FROM rollup_diff_visits(changes) d
          JOIN unnest(source.site_nos, source.zones) AS s (site_no, time_zone)
            ON s.site_no = (d.visit).site_no
         CROSS JOIN LATERAL (
               SELECT (d.visit).first_at AT TIME ZONE s.time_zone AS local_time) AS l
    ), in_total AS (
        SELECT site_no, day, hour, sum(visits)::bigint AS visits,
               sum(bounces)::bigint AS bounces, sum(pageviews)::bigint AS visit_views,
               sum(duration_ms)::bigint AS duration_ms,
               (2 - GROUPING(hour) - GROUPING(day))::smallint AS grain
          FROM seen WHERE counts_rest
         GROUP BY GROUPING SETS ((site_no, day, hour), (site_no, day), (site_no))
    ), arrays AS (
        SELECT ROW(array_agg(site_no), array_agg(grain), array_agg(coalesce(day, '-infinity')),
                   array_agg(coalesce(hour, '-infinity')), array_agg(0::bigint),
                   array_agg(0::bigint), array_agg(visits), array_agg(bounces),
                   array_agg(visit_views), array_agg(duration_ms), NULL
               )::rollup_totals AS totals
          FROM in_total
         WHERE (visits, bounces, visit_views, duration_ms) <> (0, 0, 0, 0)
           AND (grain < 2 OR day >= (SELECT (now() AT TIME ZONE 'UTC')::date - hours_days
                                       FROM rollup_state))
    ), parts AS MATERIALIZED (
        SELECT site_no, day, entry_page, value_ids, visits, events, pageviews, bounces,
               duration_ms, users[1] AS user_key
          FROM seen WHERE counts_rest
         UNION ALL
        SELECT site_no, day, entry_page, value_ids, 0, 0, 0, 0, 0, user_key
          FROM seen CROSS JOIN LATERAL unnest(users[2:]) AS user_key
         WHERE counts_rest AND cardinality(users) > 1
    ), alike AS (
        SELECT site_no, day, value_ids, sum(visits)::bigint AS visits,
               sum(events)::bigint AS events, sum(pageviews)::bigint AS pageviews,
               sum(bounces)::bigint AS bounces, sum(duration_ms)::bigint AS duration_ms,
               array_agg(user_key) FILTER (WHERE user_key IS NOT NULL) AS user_keys
          FROM parts GROUP BY site_no, day, value_ids
    ), sketched AS MATERIALIZED (
        SELECT site_no, day, value_ids, visits, events, pageviews, bounces, duration_ms,
               CASE WHEN cardinality(user_keys) = 1
                    THEN hll_add(hll_empty(11, 5, 128, 1), user_keys[1]::hll_hashval)
                    ELSE (SELECT hll_add_agg(key::hll_hashval, 11, 5, 128, 1)
                            FROM unnest(user_keys) AS key) END AS users
          FROM alike WHERE array_remove(value_ids, NULL) <> '{}'
    ), by_entry AS (
        SELECT site_no, day, entry_page AS value_id, sum(visits)::bigint AS visits,
               sum(events)::bigint AS events, sum(pageviews)::bigint AS pageviews,
               sum(bounces)::bigint AS bounces, sum(duration_ms)::bigint AS duration_ms,
               array_agg(user_key) FILTER (WHERE user_key IS NOT NULL) AS user_keys
          FROM parts WHERE entry_page IS NOT NULL GROUP BY site_no, day, entry_page
    ), by_rest AS (
        SELECT site_no, day, dimension, value_id, sum(visits)::bigint AS visits,
               sum(events)::bigint AS events, sum(pageviews)::bigint AS pageviews,
               sum(bounces)::bigint AS bounces, sum(duration_ms)::bigint AS duration_ms,
               array_agg(users) FILTER (WHERE users IS NOT NULL) AS users
          FROM (SELECT site_no, day, visits, events, pageviews, bounces, duration_ms, users,
                       unnest(value_ids) AS value_id,
                       dimension_exit_page() + generate_subscripts(value_ids, 1) AS dimension
                  FROM sketched) AS r
         WHERE value_id IS NOT NULL GROUP BY site_no, day, dimension, value_id
    ), summed AS (
        SELECT site_no, dimension_entry_page() AS dimension, day, value_id, visits, events,
               pageviews, bounces, duration_ms,
               CASE WHEN cardinality(user_keys) = 1
                    THEN hll_add(hll_empty(11, 5, 128, 1), user_keys[1]::hll_hashval)
                    ELSE (SELECT hll_add_agg(key::hll_hashval, 11, 5, 128, 1)
                            FROM unnest(user_keys) AS key) END AS users
          FROM by_entry
         UNION ALL
        SELECT site_no, dimension_exit_page(), day, exit_page, sum(visits)::bigint,
               sum(events)::bigint, sum(pageviews)::bigint, sum(bounces)::bigint,
               sum(duration_ms)::bigint, NULL
          FROM seen WHERE counts_exit AND exit_page IS NOT NULL
         GROUP BY site_no, day, exit_page
         UNION ALL
        SELECT site_no, dimension::smallint, day, value_id, visits, events, pageviews, bounces,
               duration_ms,
               CASE WHEN cardinality(users) = 1 THEN users[1]
                    ELSE (SELECT hll_union_agg(one) FROM unnest(users) AS one) END
          FROM by_rest
    )
    SELECT (SELECT a.totals FROM arrays a),
           ROW(array_agg(site_no), array_agg(dimension), array_agg(1::smallint),
               array_agg(day), array_agg(value_id), array_agg(events), array_agg(pageviews),
               array_agg(visits), array_agg(bounces), array_agg(duration_ms),
               array_agg(users))::rollup_counts AS counts
      INTO counted
      FROM summed
     WHERE (events, pageviews, visits, bounces, duration_ms) <> (0, 0, 0, 0, 0);
    totals := counted.totals;
    counts := counted.counts;
END
$$;
