-- The original's table.  Its documented index on DATE(timestamp) is refused by Postgres
-- (functions in index expressions must be immutable): this is the form that works.
CREATE TABLE events (
    id BIGSERIAL PRIMARY KEY,
    site_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    path TEXT NOT NULL,
    user_id TEXT,
    timestamp TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now()
);
CREATE INDEX idx_events_site_date ON events (site_id, ((timestamp AT TIME ZONE 'UTC')::date));
CREATE INDEX idx_events_path ON events (site_id, path);
