"""A new row of a table is in the OpenAPI document, and nothing else has to be touched.

The headers with the tables get a row more each, and the files that make the document are
compiled with them; everything else is that of the build.
"""
import json
import shlex
import subprocess

import pytest

from support.openapi import Document
from support.settings import SOURCE, build_dir

ROWS = {  # what is put in front of what
    "shared/event/fields.h": ('    X(SCROLL,  ', (
        '    X(MOOD, "mood", TEXT, mood, EVENT_CLIENT, 1, 77) \\\n')),
    "reporting/report/metric_table.h": ('    X(TIME_ON_PAGE, ', (
        '    X(PATIENCE, "patience", BOUNCES, VISITS, 1000, 1) \\\n')),
    "reporting/report/period.h": ('    X(ALL, ', '    X(3D, "3d") \\\n'),
    "reporting/report/reports.h": ('    REPORT(SITES, ', (
        '    REPORT(MOODS, "moods", "/stats/moods", .help = "How they feel", '
        '.is_paged = true, '
        '.params = ASK_PARAM_SITE_ID | ASK_PARAM_LIMIT | ASK_PARAM_PAGE | ASK_PARAM_FORMAT, '
        'COLUMNS({"site_id", .type = REPORT_ASKED, .asked = ASK_SITE_ID}, '
        '{"results", .type = REPORT_LIST}, {"mood", .type = REPORT_TEXT}, '
        '{"count", .type = REPORT_INT, .is_optional = true})) \\\n')),
}
MORE_ROWS = {
    "reporting/report/metric_table.c": ("BIT(VISITORS) | BIT(VISITS) | BIT(BOUNCE_RATE)",
                                        "BIT(PATIENCE) | "),
    "sql/functions/dimensions.sql": ("    (20, 'screen',", "    (99, 'mood', 'visit', 'mood'),\n"),
    "reporting/report/params.c": ('    {"page", read_page,', (
        '    {"mood", read_page, .bit = ASK_PARAM_PAGE, .type = PARAM_NUMBER, .most = 7, '
        '.usual = 3, .help = "How one feels"},\n')),
}
PRINTER = """
#include <stdio.h>
#include "reporting/openapi/operations.h"
#include "reporting/openapi/schemas.h"
#include "reporting/report/report.h"
#include "shared/base/buf.h"
#include "shared/http/http.h"
#include "shared/openapi/doc.h"
#include "shared/openapi/operation.h"
#define REPORT_ROUTE(id, name, path, ...) {"GET", path, NULL, HTTP_GUARDED},
#define NO_ROUTE(id, name, ...)
static const struct http_route routes[] = {REPORTS(REPORT_ROUTE, NO_ROUTE) {0}};
int main(void)
{
    struct buf out;
    struct openapi_doc doc = {.out = &out};
    buf_init(&out, 1048576);
    openapi_add(&doc, "{'paths':{");
    if (!operations_add(&doc, routes))
        return 1;
    openapi_add(&doc, "},'components':{'headers':{");
    openapi_add_headers(&doc);
    openapi_add(&doc, "},'responses':{");
    openapi_add_responses(&doc);
    openapi_add(&doc, "},'schemas':{");
    openapi_add_error_schema(&doc);
    schemas_add(&doc);
    openapi_add(&doc, "}}}");
    printf("%.*s", (int)out.len, out.data);
    return doc.code;
}
"""
REPORTING = ["reporting/openapi/operations.c", "reporting/openapi/parameters.c",
             "reporting/openapi/schemas.c", "reporting/report/metric_table.c",
             "reporting/report/params.c", "reporting/report/report.c",
             "reporting/report/source.c", "reporting/report/filter.c", "reporting/report/day.c",
             "reporting/report/period.c", "reporting/report/ask.c"]
EVENT = ["ingestion/openapi/main.c", "shared/openapi/event_schema.c", "shared/event/event.c",
         "shared/event/parse.c", "shared/event/page.c", "shared/event/more.c"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The sources again, with a row more in each table."""
    made = tmp_path_factory.mktemp("tables")
    for name, files in (("reporting", REPORTING), ("event", EVENT)):
        for path in files:
            copy(made, path)
    for rows in (ROWS, MORE_ROWS):
        for path, (before, row) in rows.items():
            file = made / path if (made / path).exists() else copy(made, path)
            text = file.read_text()
            assert text.count(before) == 1, (path, before)
            file.write_text(text.replace(before, row + before))
    (made / "printer.c").write_text(PRINTER)
    subprocess.run(["cmake", "-D", "KIND=properties", "-D", f"OUT={made}/properties.c",
                    "-D", f"FILES={made}/sql/functions/dimensions.sql",
                    "-P", SOURCE / "cmake/embed.cmake"], check=True)
    return made


def copy(folder, path):
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes((SOURCE / path).read_bytes())
    return target


def command_of(path):
    """How the build compiles a file."""
    for one in json.loads((build_dir() / "compile_commands.json").read_text()):
        if one["file"] == str(SOURCE / path):
            words = shlex.split(one["command"])
            return words[:words.index("-o")]
    raise AssertionError(f"{path} is not built")


def build(folder, files, program, objects=()):
    words = command_of("reporting/report/params.c")
    flags = [word for word in words if word.startswith(("-D", "-isystem", "/usr/include", "-std"))]
    libraries = ["cjson", "hiredis", "microhttpd", "pq", "uv", "z", "gnutls", "maxminddb", "pthread",
                 "m"]
    done = subprocess.run(
        [words[0], "-w", "-O0", f"-I{folder}",
         f"-I{SOURCE}", *flags, *(folder / name for name in files), *objects,
         build_dir() / "shared/libshared.a", *(f"-l{name}" for name in libraries),
         "-o", folder / program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / program


def test_a_new_report_metric_property_parameter_and_period_are_in_it(folder):
    program = build(folder, ["printer.c", "properties.c", *REPORTING], "printer")
    document = Document(subprocess.run([program], capture_output=True, check=True).stdout)
    moods = document.operations["moods"]
    assert moods.path == "/stats/moods" and moods.value["summary"] == "How they feel"
    assert [one["name"] for one in moods.parameters] == ["site_id", "limit", "mood", "page",
                                                         "format"]
    assert moods.parameters[2]["schema"] == {"type": "integer", "minimum": 1, "maximum": 7,
                                             "default": 3}
    assert {200, 304, 400, 401, 403, 429, 503} == moods.statuses
    assert set(moods.value["responses"]["200"]["content"]) == {"application/json", "text/csv"}
    for good in ({"site_id": "a", "results": [], "more": False},
                 {"site_id": "a", "results": [{"mood": "x", "count": 1}], "more": True}):
        document.validate(document.schema("Moods"), good)
    for bad in ({"site_id": "a", "results": []}, {"results": [], "more": True},
                {"site_id": "a", "results": [{"mood": 1, "count": 1}], "more": True}):
        assert not document.is_valid(document.schema("Moods"), bad)

    breakdown = document.operations["breakdown"]
    asked = {one["name"]: one for one in breakdown.parameters}
    assert "patience" in asked["metrics"]["schema"]["items"]["enum"]
    assert "mood" in asked["property"]["schema"]["anyOf"][0]["enum"]
    assert "|mood|" in asked["filters"]["schema"]["pattern"]
    assert " mood " in asked["metrics"]["description"]
    assert "3d" in asked["period"]["schema"]["enum"]
    row = document.resolve(document.schema("Breakdown"))["properties"]["results"]["items"]
    assert row["properties"]["patience"] == {"type": ["number", "null"]}
    assert row["properties"]["mood"] == {"type": "string"}


def test_a_new_field_of_events_is_in_it(folder):
    objects = (build_dir() / "ingestion/CMakeFiles/ingestion_core.dir").rglob("*.o")
    program = build(folder, EVENT, "describe", objects)

    def printed(part):
        done = subprocess.run([program, part], capture_output=True, check=True, text=True)
        return json.loads("{" + done.stdout + "}")
    for name in ("Event", "PageEvent"):
        assert printed("schemas")[name]["allOf"][0]["properties"]["mood"] == {
            "type": ["string", "null"], "minLength": 1, "maxLength": 77}
    pixel = printed("paths")["/pixel.gif"]["get"]["parameters"]
    assert {"name": "mood", "in": "query",
            "schema": {"type": "string", "minLength": 1, "maxLength": 77}} in pixel
