"""Values of dimensions: views by names, and (other) for what comes after too many new ones."""
INSERT = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
          "VALUES (%s, 'v', %s, %s, %s)")


def insert_many(database, rows):
    for row in rows:
        database.rows(INSERT, row)


def roll_up(database):
    while not database.value("SELECT b.is_done FROM rollup_settled(5000) AS s, "
                             "rollup_chunk(s, 1000000) AS b"):
        pass


def tops(database, site):
    return database.rows("SELECT path, views FROM stats(%s, NULL) WHERE path IS NOT NULL", (site,))


def test_views_show_the_counts_by_names(database):
    database.rows("INSERT INTO sites (site_id, time_zone) VALUES ('s', 'Asia/Kathmandu')")
    insert_many(database, [("s", path, user, f"2026-11-14T{hour}:00:00Z") for path, user, hour in
                           [("/a", "u", "10"), ("/a", "v", "17"), ("/b", "u", "19")]])
    roll_up(database)
    assert database.rows("SELECT site_id, time_zone, day::text, visitors, events, pageviews "
                         "FROM site_days ORDER BY day") == [
        ("s", "Asia/Kathmandu", "2026-11-14", 2, 2, 0),
        ("s", "Asia/Kathmandu", "2026-11-15", 1, 1, 0)]
    assert database.rows("SELECT day::text, value, is_other, visitors, events FROM site_values "
                         "WHERE site_id = 's' AND property = 'page' ORDER BY day, value") == [
        ("2026-11-14", "/a", False, 2, 2), ("2026-11-15", "/b", False, 1, 1)]
    database.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp, browser) "
                  "SELECT 's', 'page_view', path, 'w', timestamptz '2026-11-14T20:00Z' + at, "
                  "'Firefox' FROM (VALUES ('/in', interval '0'), ('/out', '90 s')) v (path, at)")
    roll_up(database)
    assert database.rows("SELECT pageviews, is_bounce, duration_ms, entry_page, exit_page, browser, "
                         "source FROM site_visits WHERE site_id = 's' AND pageviews > 0") == [
        (2, False, 90000, "/in", "/out", "Firefox", None)]
    assert database.value("SELECT count(*) FROM site_visits") == 4


def test_further_new_values_of_a_day_count_as_other(database):
    """Values that were counted before keep their place; sums agree."""
    database.rows("UPDATE rollup_state SET values_max = 5")

    def count(paths):
        insert_many(database, [("s", path, "u", "2026-11-14T10:00:00Z") for path in paths])
        roll_up(database)
        assert database.value("SELECT sum(events) FROM counts WHERE dimension = 1 AND "
                              "grain = 1") == database.value("SELECT count(*) FROM events")
        return dict(database.rows(
            "SELECT value, events FROM report_breakdown('s', 'page', '2026-11-14', "
            "'2026-11-14', NULL, NULL, 'events', NULL, NULL, NULL, NULL, 100, 0) "
            "ORDER BY place"))
    assert count([f"/{n}" for n in range(5)]) == {f"/{n}": 1 for n in range(5)}
    found = count([f"/{n}" for n in range(3, 12)] * 2)
    assert found == {"/3": 3, "/4": 3, "/0": 1, "/1": 1, "/2": 1, "(other)": 14}
    assert list(found)[-1] == "(other)"
    assert database.row("SELECT left_out, capped FROM rollup_pending()") == (0, 7)
    assert database.value("SELECT find_value('s', 1::smallint, '(other)')") is None
    for wanted in ([f"/new{n}" for n in range(4)] + ["/11"], ["(other)"]):
        database.rows("UPDATE values_made SET day = day - 1")  # the next day
        found = count(["/4"] + wanted)
    assert (found["/4"], found["/11"], found["/new3"]) == (5, 1, 1)
    assert database.rows("SELECT events, is_other FROM site_values WHERE value = '(other)' AND "
                         "property = 'page' ORDER BY 1") == [(1, False), (14, True)]
    assert tops(database, "s")[:2] == [("/4", 5), ("/3", 3)]
    assert database.row("SELECT total_views, unique_users FROM stats('s', NULL)") == (31, 1)
