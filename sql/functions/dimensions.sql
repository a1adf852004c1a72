-- dimensions.sql: what of an event is counted, and by what.

-- The 64 bits by which users are counted and visitors told apart.
CREATE OR REPLACE FUNCTION event_user_hash(p_user_id text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT hll_hash_text(p_user_id)::text::bigint $$;

-- The user of an event: a visitor without a user_id is one, too.  NULL is nobody.
CREATE OR REPLACE FUNCTION event_user_key(p_user_id text, p_visitor_id bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_user_id IS NOT NULL THEN hll_hash_text(p_user_id)::text::bigint
                ELSE hll_hash_bigint(p_visitor_id)::text::bigint END
$$;

CREATE OR REPLACE FUNCTION event_is_view(p_event_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT p_event_type IN ('page_view', 'pageview') $$;

-- The dimensions.  A new one is a row here; a number is never used again.  Of a visit the
-- values of its first page view count, or else of its first event, but for its pages.
INSERT INTO dimensions (dimension, name, kind, expression) VALUES
    (1,  'page',            'event', 'path'),
    (2,  'event_type',      'event', 'event_type'),
    (3,  'hostname',        'event', 'hostname')
    ON CONFLICT (dimension) DO UPDATE
   SET name = excluded.name, kind = excluded.kind, expression = excluded.expression;

-- The dimension with which a kind of statement begins.
CREATE OR REPLACE FUNCTION dimension_page() RETURNS smallint
LANGUAGE sql IMMUTABLE AS $$ SELECT 1::smallint $$;

-- The number of a value of a site, if it has been counted.
CREATE OR REPLACE FUNCTION find_value(p_site_id text, p_dimension smallint, p_value text)
RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT d.value_id FROM sites s JOIN dictionary d ON d.home_no = s.home_no
     WHERE s.site_id = p_site_id AND d.dimension = p_dimension
       AND d.hash = substr(sha256(convert_to(p_value, 'UTF8')), 1, 16)
$$;
