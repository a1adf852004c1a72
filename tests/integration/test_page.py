"""The dashboard as it is served: the page, its files, and what browsers may keep of them."""
import gzip
import re

import pytest


@pytest.fixture
def reporting(daemons, database):
    return daemons.start("reporting", DATABASE_URL=database.url,
                         INGESTION_URL='https://in.example/"><script>')


def files(html):
    return re.findall(r'(?:href|src)="((?:\.\./|\./)page/[^"]+)"', html)


def test_the_page_and_its_files(reporting):
    total = 0
    for path, root in (("/", "./"), ("/site/demo", "../"), ("/site/a%2Fb", "../")):
        page = reporting.get(path)
        assert page.status == 200 and page.header("Content-Type") == "text/html; charset=utf-8"
        policy = page.header("Content-Security-Policy")
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert page.header("Cache-Control") == "no-cache"
        html = page.body.decode()
        assert f'<meta name="root" content="{root}">' in html and "{" not in html
        assert "https://in.example/&#34;&#62;&#60;script&#62;" in html
        assert len(files(html)) == 2 and all(name.startswith(root) for name in files(html))
    total = len(gzip.compress(page.body))
    for name in files(html):
        name = name.removeprefix("..")
        plain = reporting.get(name)
        packed = reporting.get(name, headers={"Accept-Encoding": "br, gzip;q=0.8"})
        assert plain.status == packed.status == 200
        assert plain.header("Content-Encoding") is None
        assert packed.header("Content-Encoding") == "gzip"
        assert packed.header("Vary") == "Accept-Encoding"
        assert gzip.decompress(packed.body) == plain.body
        assert "immutable" in plain.header("Cache-Control")
        total += len(packed.body)
    assert total <= 40 * 1024


def test_what_is_known_is_not_sent_again(reporting):
    tag = reporting.get("/").header("ETag")
    for known in (tag, f'"other", W/{tag}', "*"):
        again = reporting.get("/", headers={"If-None-Match": known})
        assert again.status == 304 and again.body == b"" and again.header("ETag") == tag
    assert reporting.get("/", headers={"If-None-Match": '"other"'}).status == 200


def test_gzip_that_is_refused_is_not_sent(reporting):
    name = files(reporting.get("/").body.decode())[0].removeprefix(".")
    for refusal in ("gzip;q=0", "gzip; q=0.000", "gzipped", "identity"):
        answer = reporting.get(name, headers={"Accept-Encoding": refusal})
        assert answer.header("Content-Encoding") is None, refusal


def test_paths_beside_them_are_not_found(reporting):
    for path in ("/page/", "/page/x.js", "/page/../page/x", "/site/", "/site/a/b", "/pages"):
        assert reporting.get(path).error == "not found"
