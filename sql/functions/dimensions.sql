-- dimensions.sql: what of an event is counted, and by what.

-- The 64 bits by which users are counted and visitors told apart.
CREATE OR REPLACE FUNCTION event_user_hash(p_user_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT hashtextextended(p_user_id, 0) $$;

-- The user of an event: a visitor without a user_id is one, too.  NULL is nobody.
CREATE OR REPLACE FUNCTION event_user_key(p_user_id text, p_visitor_id bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_user_id IS NOT NULL THEN hashtextextended(p_user_id, 0)
                ELSE hashint8extended(p_visitor_id, 0) END
$$;

CREATE OR REPLACE FUNCTION event_is_view(p_event_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT p_event_type IN ('page_view', 'pageview') $$;

-- Of a screen what pages are laid out for.
CREATE OR REPLACE FUNCTION screen_class(p_width integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_width < 576 THEN 'mobile' WHEN p_width < 992 THEN 'tablet'
                WHEN p_width < 1440 THEN 'laptop' WHEN p_width >= 1440 THEN 'desktop' END
$$;

-- A sketch of users of a value.  Nearly always there is one, for whom no aggregate, which
-- begins with 128 KB, is worth it.
CREATE OR REPLACE FUNCTION value_users(p_keys bigint[]) RETURNS hll
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN cardinality(p_keys) = 1
                THEN hll_add(hll_empty(11, 5, 128, 1), p_keys[1]::hll_hashval)
                ELSE (SELECT hll_add_agg(key::hll_hashval, 11, 5, 128, 1)
                        FROM unnest(p_keys) AS key) END
$$;

-- The dimensions.  A new one is a row here (docs/how-to.md); a number is never used again, and a
-- number that is left out costs a place in each visit.  Of a visit the values of its first page
-- view count, or else of its first event, but for its pages.  An event is counted by a column,
-- a visit also by an expression.  reporting is built with these rows as well.
INSERT INTO dimensions (dimension, name, kind, expression) VALUES
    (1,  'page',            'event', 'path'),
    (2,  'event_type',      'event', 'event_type'),
    (3,  'hostname',        'event', 'hostname'),
    (4,  'entry_page',      'visit', 'path'),
    (5,  'exit_page',       'visit', 'path'),
    (6,  'source',           'visit', 'source'),
    (7,  'referrer',         'visit', 'referrer'),
    (8,  'channel',          'visit', 'channel'),
    (9,  'utm_source',       'visit', 'utm_source'),
    (10, 'utm_medium',       'visit', 'utm_medium'),
    (11, 'utm_campaign',     'visit', 'utm_campaign'),
    (12, 'utm_content',      'visit', 'utm_content'),
    (13, 'utm_term',         'visit', 'utm_term'),
    (14, 'click',            'visit', 'click'),
    (15, 'browser',          'visit', 'browser'),
    (16, 'browser_version',  'visit', 'browser_version'),
    (17, 'os',               'visit', 'os'),
    (18, 'os_version',       'visit', 'os_version'),
    (19, 'device',           'visit', 'device'),
    (20, 'screen',           'visit', 'screen_class(screen_width)'),
    (21, 'country',          'visit', 'country'),
    (22, 'region',           'visit', 'region'),
    (23, 'city',             'visit', 'city'),
    (24, 'language',         'visit', 'language')
    ON CONFLICT (dimension) DO UPDATE
   SET name = excluded.name, kind = excluded.kind, expression = excluded.expression;

-- Dimensions that statements name.
CREATE OR REPLACE FUNCTION dimension_page() RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 1::smallint $$;
CREATE OR REPLACE FUNCTION dimension_entry_page() RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 4::smallint $$;
CREATE OR REPLACE FUNCTION dimension_exit_page() RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 5::smallint $$;

-- The place of a visit's dimension in visits.value_ids.
CREATE OR REPLACE FUNCTION dimension_place(p_dimension integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT p_dimension - 3 $$;

-- The dimension under which the values of a dimension stand in dictionary: all pages are one.
CREATE OR REPLACE FUNCTION dimension_values(p_dimension integer) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_dimension IN (4, 5) THEN 1 ELSE p_dimension END::smallint
$$;

-- The number of a value of a site, if it has been counted.
CREATE OR REPLACE FUNCTION find_value(p_site_id text, p_dimension smallint, p_value text)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT d.value_id FROM sites s JOIN dictionary d ON d.home_no = s.home_no
     WHERE s.site_id = p_site_id AND d.dimension = dimension_values(p_dimension)
       AND d.hash = substr(sha256(convert_to(p_value, 'UTF8')), 1, 16)
$$;

-- The visitor of an event; NULL is none.
CREATE OR REPLACE FUNCTION event_visitor(p_user_id text, p_visitor_id bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_visitor_id IS NOT NULL THEN p_visitor_id
                ELSE event_user_hash(p_user_id) END
$$;

-- Longer apart, events of a visitor are of two visits.
CREATE OR REPLACE FUNCTION visit_gap() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT interval '30 minutes' $$;
