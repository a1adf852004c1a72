"""The benchmark's own arithmetic: ratios, verdicts, what has fallen, the lag, the events."""
import itertools
import re
import uuid
from xml.etree import ElementTree

import pytest

from bench import chart, events, pipeline, report, rows
from bench.samples import Samples
from bench.throughput import rate_of


def filled(**measures):
    """Samples of measure__side=[values]."""
    samples = Samples()
    for name, values in measures.items():
        measure, side = name.split("__")
        for value in values:
            samples.add(measure.replace("_", "."), side, value)
    return samples


def row(**more):
    return rows.Row("key", "what", ("rate", "ours"), ("rate", "peer"), **more)


def test_ratios_are_of_the_same_round():
    samples = filled(rate__ours=[10, 20, 90], rate__peer=[1, 4, 3])
    made = rows.result(row(reach=9), samples)
    assert (made["value"], made["low"], made["high"]) == (10, 5, 30)
    assert (made["ours"], made["theirs"], made["rounds"]) == (20, 3, 3)


def test_ratios_of_unequal_rounds_are_against_the_median():
    samples = filled(rate__ours=[10, 20], rate__peer=[1, 2, 30])
    assert row().values(samples) == [5, 10]


def test_times_are_compared_the_other_way_round():
    samples = filled(rate__ours=[2], rate__peer=[30])
    assert row(is_inverted=True).values(samples) == [15]


def test_a_row_that_was_not_measured_is_left_out():
    assert rows.result(row(), filled(rate__ours=[1])) is None


@pytest.mark.parametrize("value, verdict", [(9.9, "missed"), (10, "reached"), (14, "aim")])
def test_verdict_where_more_is_better(value, verdict):
    assert row(reach=10, aim=14).verdict(value, []) == verdict


@pytest.mark.parametrize("value, verdict", [(2.1, "missed"), (2, "reached"), (0.5, "aim")])
def test_verdict_where_less_is_better(value, verdict):
    assert row(reach=2, aim=0.5, is_less_better=True).verdict(value, []) == verdict


def test_a_fault_makes_the_verdict_whatever_the_value():
    samples = filled(rate__ours=[100], rate__peer=[1])
    samples.fault("rate", "3 refused")
    assert rows.result(row(reach=10), samples)["verdict"] == "broken: 3 refused"


def test_the_worst_round_counts_where_it_should():
    samples = filled(rate__ours=[1, 7, 2])
    worst = rows.Row("key", "what", ("rate", "ours"), is_less_better=True, is_worst=True)
    assert rows.result(worst, samples)["value"] == 7


@pytest.mark.parametrize("now, expected", [(20.0, 0), (17.1, 0), (16.9, 1)])
def test_more_than_15_percent_less_has_fallen(now, expected):
    found = [{"key": "ingestion.peer", "value": now}]
    assert len(rows.fallen(found, [{"key": "ingestion.peer", "value": 20.0}])) == expected


def test_more_memory_than_15_percent_has_fallen_and_less_has_not():
    committed = [{"key": "redis.bytes", "value": 200.0}]
    assert rows.fallen([{"key": "redis.bytes", "value": 231.0}], committed)
    assert not rows.fallen([{"key": "redis.bytes", "value": 100.0}], committed)


def test_rows_that_depend_on_the_length_of_the_run_are_not_compared():
    assert not rows.fallen([{"key": "stats.peer", "value": 1.0}],
                           [{"key": "stats.peer", "value": 900.0}])


def test_keys_are_unique():
    keys = [one.key for one in rows.ROWS]
    assert len(keys) == len(set(keys))


def test_table_and_chart_show_every_row():
    samples = filled(post_rate__ours=[60000, 61000], post_rate__peer=[4000, 4100],
                     post_rate__bare=[99000, 98000])
    found = rows.results(samples)
    text = report.table(found, committed=[{"key": found[0]["key"], "value": 12.5,
                                           "unit": "×"}])
    assert len(text.splitlines()) == 2 + len(found) == 4
    assert "14.9×" in text and "12.5×" in text and "libmicrohttpd alone" in text
    drawn = chart.draw({"plan": "tiny", "date": "2025-11-14", "results": found,
                        "samples": samples.as_json(),
                        "machine": {"cores_used": 2, "processor": "<&>", "system": "x"}})
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    assert "60,500" in drawn and "14.9×" in drawn


def test_lag_counts_from_the_first_row_that_is_not_rolled_up():
    watch = pipeline.Watch.__new__(pipeline.Watch)
    watch.seen = [(0.0, 0, 0), (1.0, 50, 0), (2.0, 90, 0), (3.0, 95, 50), (4.0, 95, 95)]
    assert watch.lags() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_events_differ_and_repeat_from_run_to_run():
    first = list(events.stream(2000))
    assert first == list(events.stream(2000))
    assert len(set(first)) == 2000
    assert {site for site, *_ in first} == {f"site-{n}" for n in range(events.SITES)}
    again = itertools.islice(events.stream(3000, start=2000), 3000)
    assert not set(first) & set(again)


def test_event_ids_are_different_uuids_of_version_7_in_order():
    ids = [events.event_id(number) for number in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert all(uuid.UUID(one).version == 7 for one in ids[::1000])
    assert ids[::4096] == sorted(ids[::4096])


def test_requests_for_wrk_have_the_right_length(tmp_path):
    events.write_pool(tmp_path / "pool.lua")
    lines = (tmp_path / "pool.lua").read_text().splitlines()[1:-1]
    assert len(lines) == events.POOL
    for line in lines[::1000]:
        length, body = re.search(r"Content-Length: (\d+)(?:\\r\\n){2}(.*)\",$", line).groups()
        whole = body.replace('\\"', '"') + '012345","timestamp":"2025-11-14T00:00:00.000Z"}'
        assert len(whole) == int(length)


def test_rate_is_read_from_a_line_with_quotes_in_it():
    output = '"test","rps"\n"LPUSH x {"a":"1","b":"2"}","12345.50","1","2","3","4","5","6"\n'
    assert rate_of(output) == 12345.5
