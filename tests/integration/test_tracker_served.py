"""GET /t.js: the script as it is given to pages, and its path."""
import gzip

from support.daemon import run
from support.tracked_site import tracker


def test_the_script_is_small():
    assert len(gzip.compress(tracker(), 9, mtime=0)) <= 2048


def test_the_server_gives_it_to_every_page(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, CORS_ORIGINS="https://a.example")
    plain = daemon.get("/t.js", [("Origin", "https://b.example")])
    assert (plain.status, plain.body) == (200, tracker())
    assert plain.header("Content-Type") == "text/javascript; charset=utf-8"
    assert plain.header("Access-Control-Allow-Origin") == "*"
    assert plain.header("Access-Control-Allow-Credentials") is None
    assert plain.header("Cross-Origin-Resource-Policy") == "cross-origin"
    assert plain.header("Cache-Control") == "public, max-age=3600"
    packed = daemon.get("/t.js", [("Accept-Encoding", "gzip")])
    assert packed.header("Content-Encoding") == "gzip" and len(packed.body) <= 2048
    assert gzip.decompress(packed.body) == plain.body
    known = daemon.get("/t.js", [("If-None-Match", plain.header("ETag"))])
    assert (known.status, known.body) == (304, b"")
    assert daemon.post_event({}).status == 400 and daemon.request("POST", "/t.js").status == 405


def test_it_sends_to_the_paths_that_are_set(daemons, redis):
    usual = daemons.start("ingestion", REDIS_URL=redis.url).get("/t.js")
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, TRACKER_PATH="/js/a/shop.js",
                           COLLECT_PATH="/js/in/c", PIXEL_PATH="/i.gif")
    plain = daemon.get("/js/a/shop.js")
    assert plain.body == usual.body.replace(b'"collect"', b'"../in/c"').replace(
        b'"pixel.gif?"', b'"../../i.gif?"') != usual.body
    assert plain.header("ETag") not in ("", None, usual.header("ETag"))
    packed = daemon.get("/js/a/shop.js", [("Accept-Encoding", "gzip")])
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) <= 2048
    assert daemon.get("/js/a/shop.js", [("If-None-Match", plain.header("ETag"))]).status == 304


def test_it_can_have_another_name(daemons, redis, tmp_path):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, TRACKER_PATH="/js/shop.js")
    assert daemon.get("/js/shop.js").status == 200 and daemon.get("/t.js").status == 404
    for path in ("/", "t.js", "/t.js/", "/a//b", "/a b", "/%41", "/*", "/event", "/Metrics"):
        refused = run("ingestion", cwd=tmp_path, env={"TRACKER_PATH": path, "PORT": "0"})
        assert refused.returncode == 2 and "TRACKER_PATH" in refused.stderr, refused
