# demo.awk -- believable traffic of a small product's site, as one JSON event per line.
#
#   awk -v site=demo -v first=DAY -v last=DAY -v now=SECONDS -f demo.awk      days since 1970
#
# The same day gives the same events with the same ids every time, so that sending them again
# counts nothing twice.  Nothing lies after `now`.

BEGIN {
    lists()
    for (day = first; day <= last; day++)
        one_day(day)
}

# --- what there is ------------------------------------------------------------------

function list(into, text,    parts, i, total, pair) {
    total = split(text, parts, /\|/)
    into["n"] = total
    into["sum"] = 0
    for (i = 1; i <= total; i++) {
        split(parts[i], pair, /~/)
        into[i] = pair[2]
        into["sum"] += pair[1]
        into["upto", i] = into["sum"]
    }
}

function pick(from,    x, i) {
    x = rand() * from["sum"]
    for (i = 1; i < from["n"]; i++)
        if (x < from["upto", i])
            break
    return from[i]
}

function lists(    windows, mac, phone) {
    windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
    mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15"
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
    # weight~screen width and User-Agent
    list(agents, "26~1920 " windows "|20~390 " phone "|12~1512 " mac \
        "|14~412 Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36" \
        "|8~1440 Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0" \
        "|6~1536 Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0" \
        "|6~1366 " windows " Edg/142.0.0.0" \
        "|4~360 Mozilla/5.0 (Linux; Android 15; SAMSUNG SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36" \
        "|3~820 Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1" \
        "|1~1600 " windows " OPR/125.0.0.0")
    # weight~the beginning of an address there, and the language
    list(places, "24~91.15 de-DE|22~73.20 en-US|8~90.60 fr-FR|8~86.140 en-GB|7~117.200 en-IN" \
        "|5~126.10 ja-JP|4~177.30 pt-BR|4~84.80 nl-NL|4~99.224 en-CA|3~90.230 sv-SE|3~83.10 pl-PL|3~2.40 it-IT")
    # weight~referrer and query
    list(sources, "34~- |26~https://www.google.com/ |6~https://github.com/trending |6~https://news.ycombinator.com/ " \
        "|5~https://duckduckgo.com/ |5~- utm_source=newsletter&utm_medium=email&utm_campaign=november" \
        "|4~https://www.reddit.com/r/selfhosted/ |4~https://chatgpt.com/ |4~https://www.google.com/ gclid=demo" \
        "|3~https://www.bing.com/ |2~https://lobste.rs/ |1~https://mastodon.social/ ")
    list(entries, "52~/|14~/pricing|10~/docs/|9~/blog/counting-visits-without-cookies|8~/blog/why-we-left-node|5~/docs/send-events|2~/changelog")
    list(from_home, "30~/pricing|24~/docs/|14~/blog/|8~/changelog|4~/about|20~")
    list(from_docs, "34~/docs/send-events|20~/docs/ask-questions|10~/pricing|8~/docs/settings|28~")
    list(from_blog, "30~/|16~/pricing|14~/blog/|40~")
    list(from_pricing, "26~/docs/|14~/|10~/about|50~")
    split("4 3 2 2 2 3 6 12 22 30 34 34 32 34 36 36 34 30 26 24 24 20 13 7", hours, " ")
    for (i = 1; i <= 24; i++)
        hours_sum += hours[i]
}

# --- a day --------------------------------------------------------------------------

# A launch every 45 days; nothing here may depend on today.
function since_launch(day) {
    return (day + 27) % 45
}

function visits_of(day,    base, weekday) {
    weekday = (day + 4) % 7 # 0: Sunday
    base = 260 * (weekday == 0 || weekday == 6 ? 0.55 : 1) * (0.8 + (day % 180) / 300)
    if (since_launch(day) < 4)
        base *= 1 + 3.2 / (1 + since_launch(day)) ^ 1.4
    return int(base * (0.88 + 0.24 * rand()))
}

function one_day(day,    count, i) {
    srand(day * 7919 + 17)
    count = visits_of(day)
    launch = since_launch(day) < 4
    for (i = 0; i < count; i++)
        visit(day)
}

function time_of_day(    x, h) {
    x = rand() * hours_sum
    for (h = 1; h < 24 && x >= hours[h]; h++)
        x -= hours[h]
    return (h - 1) * 3600 + int(rand() * 3600)
}

function visit(day,    at, path, pages, agent, place, source) {
    at = day * 86400 + time_of_day()
    agent = pick(agents)
    screen = substr(agent, 1, index(agent, " ") - 1)
    user_agent = substr(agent, index(agent, " ") + 1)
    split(pick(places), place, " ")
    address = place[1] "." int(rand() * 256) "." int(1 + rand() * 254)
    language = place[2]
    split(launch && rand() < 0.55 ? "https://news.ycombinator.com/ " : pick(sources), source, " ")
    referrer = source[1] == "-" ? "" : source[1]
    query = source[2] ? "?" source[2] : ""
    path = pick(entries)
    for (pages = 0; path != "" && pages < 12; pages++) {
        stay = int(6 + 90 * -log(1 - rand() * 0.98))
        event(at, "page_view", path query, "")
        actions(at, path)
        engagement(at + stay, path)
        at += stay
        path = next_path(path)
        referrer = query = ""
        if (pages == 0 && rand() < 0.38)
            break
    }
}

function next_path(path) {
    if (path == "/pricing") return pick(from_pricing)
    if (path ~ "^/docs") return pick(from_docs)
    if (path ~ "^/blog") return pick(from_blog)
    return pick(from_home)
}

function actions(at, path,    plan) {
    plan = rand()
    if (path == "/pricing" && rand() < 0.14)
        event(at + 12, "signup", path, "{\"plan\":\"" (plan < 0.6 ? "free" : plan < 0.9 ? "pro" : "team") "\"}")
    else if (path ~ "^/docs" && rand() < 0.08)
        event(at + 20, "download", path, "{\"file\":\"" (plan < 0.7 ? "example.sh" : "dashboard.json") "\"}")
    else if (path ~ "^/blog" && rand() < 0.1)
        event(at + 25, "outbound_click", path, "{\"host\":\"github.com\"}")
}

# --- an event -----------------------------------------------------------------------

function hex(digits,    text) {
    while (length(text) < digits)
        text = text sprintf("%04x", int(rand() * 65536))
    return substr(text, 1, digits)
}

# A time in UTC by the civil calendar, as not every awk has one.
function iso(at,    days, era, doe, yoe, doy, mp, d, m, y, s) {
    days = int(at / 86400) + 719468
    era = int(days / 146097)
    doe = days - era * 146097
    yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
    doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100))
    mp = int((5 * doy + 2) / 153)
    d = doy - int((153 * mp + 2) / 5) + 1
    m = mp < 10 ? mp + 3 : mp - 9
    y = yoe + era * 400 + (m <= 2)
    s = at % 86400
    return sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", y, m, d, int(s / 3600), int(s / 60) % 60, s % 60)
}

function head(at, type, path,    id) {
    id = hex(8) "-" hex(4) "-4" hex(3) "-a" hex(3) "-" hex(12)
    return "{\"site_id\":\"" site "\",\"event_type\":\"" type "\",\"timestamp\":\"" iso(at) \
        "\",\"event_id\":\"" id "\",\"url\":\"https://example.com" path "\",\"user_agent\":\"" user_agent \
        "\",\"ip\":\"" address "\""
}

function event(at, type, path, props,    line) {
    line = head(at, type, path) ",\"screen_width\":" screen ",\"language\":\"" language "\""
    if (referrer)
        line = line ",\"referrer\":\"" referrer "\""
    if (props)
        line = line ",\"props\":" props
    if (at <= now)
        print line "}"
}

function engagement(at, path,    line) {
    line = head(at, "engagement", path) ",\"duration_ms\":" int(stay * 1000 * (0.5 + rand() / 2)) \
        ",\"scroll\":" int(20 + rand() * 80) "}"
    if (at <= now)
        print line
}
