"""The classifier of User-Agents beside uap-core: how much they agree, weighted by how often an
agent comes in a real log; and that no browser of a person counts as a bot.

    /usr/bin/python3 tests/unit/test_agents.py BUILD      prints what docs/agents.md has
"""
import collections
import os
import pathlib
import subprocess
import sys

import pytest

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from support import uap_core  # noqa: E402

BROWSER_FILES = ("tests/test_ua.yaml", "test_resources/firefox_user_agent_strings.yaml",
                 "test_resources/opera_mini_user_agent_strings.yaml")
SYSTEM_FILES = ("tests/test_os.yaml", "test_resources/additional_os_tests.yaml")
# uap-core's names of devices that say what kind they are.
KINDS = {"iPhone": "mobile", "iPad": "tablet", "iPod": "mobile", "Generic Smartphone": "mobile",
         "Generic Feature Phone": "mobile", "Mac": "desktop", "HbbTV": "tv", "NetCast.TV": "tv",
         "Inettv": "tv", "Kindle Fire": "tablet", "Kindle Fire HD": "tablet", "Kindle": "tablet",
         "AppleTV": "tv", "Lumia 920": "mobile", "Nokia N97": "mobile", "Samsung GT-I9100": "mobile"}
PEOPLES = {"Chrome", "Safari", "Firefox", "Edge", "Opera", "Samsung Internet", "IE", "Opera Mini",
           "Chromium", "UC Browser", "Chrome Mobile WebView", "Mobile Safari UI/WKWebView",
           "SeaMonkey", "Camino", "Facebook", "Android", "IE Mobile", "Vivaldi", "Brave", "Whale",
           "QQ Browser Mobile", "Puffin", "Amazon Silk", "Yandex Browser", "Lynx"}
# Not a person's, although uap-core calls it Chrome: Google's own preview of pages.
PREVIEW = "Google Web Preview"

Ours = collections.namedtuple("Ours", "browser browser_version os os_version device bot")


def ours(agents):
    """What the classifier says of each."""
    build = pathlib.Path(os.environ["ANALYTICS_BUILD"])
    text = "".join(agent + "\n" for agent in agents).encode("utf-8", "surrogateescape")
    out = subprocess.run([build / "tests/unit/agents_print"], input=text, check=True,
                         stdout=subprocess.PIPE).stdout.decode()
    rows = [Ours(*line.split("\t")) for line in out.split("\n")[:-1]]
    assert len(rows) == len(agents)
    return rows


def of_log():
    """(requests, agent, what we say, what uap-core's expressions say) of the log's agents."""
    log, oracle = uap_core.log_agents(), uap_core.oracle()
    return [(log[agent], agent, mine, oracle(agent)) for agent, mine in zip(log, ours(list(log)))]


def percent(part, whole):
    return 100 * part / whole


def log_agreement(rows):
    """By field, and all four fields: % of the log's requests."""
    total = sum(row[0] for row in rows)
    found = {field: percent(sum(n for n, _, mine, theirs in rows
                                if getattr(mine, field) == getattr(theirs, field)), total)
             for field in uap_core.Named._fields}
    found["all four"] = percent(sum(n for n, _, mine, theirs in rows if mine[:4] == theirs), total)
    return found


def file_agreement(files, frequency, wanted, said):
    """Of uap-core's own test cases: (% of all, % weighted by the frequency of their families)."""
    cases = [case for case in uap_core.cases(*files) if "\n" not in case[0]]
    right, count = collections.Counter(), collections.Counter()
    for case, mine in zip(cases, ours([case[0] for case in cases])):
        name = wanted(case)
        count[name[0]] += 1
        right[name[0]] += said(mine) == name
    weight = sum(frequency[family] for family in count)
    return (percent(sum(right.values()), len(cases)),
            percent(sum(frequency[family] * right[family] / count[family] for family in count),
                    weight))


def browser_agreement(rows):
    frequency = collections.Counter()
    for n, _, _, theirs in rows:
        frequency[theirs.browser] += n
    return file_agreement(BROWSER_FILES, frequency,
                          lambda case: (uap_core.browser_name(case[1]), case[2]),
                          lambda mine: (mine.browser, mine.browser_version))


def system_agreement(rows):
    frequency = collections.Counter()
    for n, _, _, theirs in rows:
        frequency[theirs.os] += n
    return file_agreement(SYSTEM_FILES, frequency,
                          lambda case: uap_core.system(case[0], *case[1:]),
                          lambda mine: (mine.os, mine.os_version))


@pytest.fixture(scope="module")
def rows():
    return of_log()


def test_the_agents_of_the_log_are_what_uap_core_makes_of_them(rows):
    found = log_agreement(rows)
    assert found["all four"] >= 99.7, (found, [row for row in rows if row[2][:4] != row[3]][:20])


def test_the_test_cases_of_uap_core_are_met_by_their_weight(rows):
    _, browsers = browser_agreement(rows)
    _, systems = system_agreement(rows)
    assert browsers >= 99.7 and systems >= 99, (browsers, systems)


def device_cases():
    return [case for case in uap_core.cases("tests/test_device.yaml") if "\n" not in case[0]]


def test_devices_are_of_the_kind_that_uap_core_names():
    cases = [case for case in device_cases() if case[1] in KINDS]
    wrong = [(mine.device, case[1], case[0])
             for case, mine in zip(cases, ours([case[0] for case in cases]))
             if mine.device != KINDS[case[1]]]
    assert len(wrong) <= 0.08 * len(cases), (len(cases), wrong)


def test_no_phone_and_no_browser_of_a_person_is_a_bot(rows):
    """Some 16,000 devices, the browsers of uap-core's cases and those of the log."""
    devices = [case[0] for case in device_cases() if case[1] not in ("Spider", "Other")
               and not case[0].startswith(("WhatsApp", "WordPress")) and "pider" not in case[0]]
    browsers = [case[0] for case in uap_core.cases(*BROWSER_FILES)
                if "\n" not in case[0] and uap_core.browser_name(case[1]) in PEOPLES
                and PREVIEW not in case[0] and "+http" not in case[0]]
    wrong = [(mine.bot, agent) for agent, mine in zip(devices + browsers, ours(devices + browsers))
             if mine.bot != "none"]
    assert not wrong and len(devices) > 15000 and len(browsers) > 500
    of_the_log = [(n, mine.bot, agent) for n, agent, mine, theirs in rows
                  if theirs.browser in PEOPLES and mine.bot != "none"]
    assert sum(row[0] for row in of_the_log) <= 60, of_the_log


def test_what_uap_core_calls_a_spider_is_a_bot(rows):
    spiders = [case[0] for case in device_cases() if case[1] == "Spider"]
    found = [mine.bot != "none" for mine in ours(spiders)]
    assert sum(found) >= 0.65 * len(found)
    bots = [(n, mine.bot) for n, agent, mine, theirs in rows
            if "bot" in theirs.browser.lower() or "spider" in theirs.browser.lower()]
    assert len(bots) > 20 and all(bot != "none" for _, bot in bots)


def report():
    rows = of_log()
    for name, found in log_agreement(rows).items():
        print(f"log, {name}: {found:.2f} %")
    print("browsers of the files: {:.2f} % of the cases, {:.2f} % by weight".format(
        *browser_agreement(rows)))
    print("systems of the files: {:.2f} % of the cases, {:.2f} % by weight".format(
        *system_agreement(rows)))


if __name__ == "__main__":
    os.environ["ANALYTICS_BUILD"] = sys.argv[1]
    report()
