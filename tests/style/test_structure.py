"""The shape of the house: which folder may include which, and no circles."""
import collections
import pathlib
import re

from support.settings import SOURCE

DAEMONS = ("ingestion", "processor", "reporting")
# Folders of shared/, from the ground up: each includes only what stands before it.
FLOORS = (("base",), ("text",), ("redis", "pg", "event", "daemon", "access", "wire"), ("http",),
          ("settings", "openapi"))
# What the files of one unit share and nobody else includes: it knows its unit, and its unit
# knows it.
PRIVATE = {"parts.h", "internal.h", "conf_internal.h", "raw_internal.h"}
UNITS_OF_A_FOLDER = 20


def includes(path):
    return [pathlib.PurePath(name) for name in
            re.findall(r'^#include "([^"]+)"', (SOURCE / path).read_text(), flags=re.M)]


def floor_of(folder):
    return next(n for n, names in enumerate(FLOORS) if folder in names)


def is_upward(path, included):
    if path.parts[0] == "shared":
        if included.parts[0] != "shared":
            return True
        mine, other = path.parts[1], included.parts[1]
        return mine != other and floor_of(other) >= floor_of(mine)
    return included.parts[0] not in ("shared", path.parts[0])


def test_no_include_goes_up(product_files):
    """shared/ knows no daemon, no daemon another, and a folder only what is below it."""
    assert not [f"{path} includes {included}" for path in product_files
                for included in includes(path) if is_upward(path, included)]


def units(product_files):
    """What each unit, a source with its header, includes of others."""
    found = collections.defaultdict(set)
    for path in product_files:
        mine = path.with_suffix("")
        found[mine] |= {included.with_suffix("") for included in includes(path)
                        if included.name not in PRIVATE and path.name not in PRIVATE}
        found[mine].discard(mine)
    return found


def circles(arrows):
    """The groups of units that reach each other (Tarjan)."""
    order, low, stack, groups = {}, {}, [], []

    def visit(unit):
        order[unit] = low[unit] = len(order)
        stack.append(unit)
        for other in arrows.get(unit, ()):
            if other not in order:
                visit(other)
            if other in stack:
                low[unit] = min(low[unit], low[other])
        if low[unit] == order[unit]:
            at = stack.index(unit)
            groups.append(stack[at:])
            del stack[at:]
    for unit in list(arrows):
        if unit not in order:
            visit(unit)
    return [sorted(map(str, group)) for group in groups if len(group) > 1]


def test_no_units_include_each_other_in_a_circle(product_files):
    assert not circles(units(product_files))


def test_the_search_for_circles_finds_one():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_private_headers_stay_in_their_folder(product_files):
    assert not [f"{path} includes {included}" for path in product_files
                for included in includes(path)
                if included.name in PRIVATE and included.parent != path.parent]


def test_shared_names_no_daemon_in_its_code(product_files):
    """In comments it may say who calls it, in code and texts it may not."""
    named = re.compile(r"\b(" + "|".join(DAEMONS) + r")(_|/|\b)")
    found = []
    for path in product_files:
        if path.parts[0] == "shared":
            code = re.sub(r"/\*.*?\*/", "", (SOURCE / path).read_text(), flags=re.S)
            found += [f"{path}: {match.group(0)}" for match in named.finditer(code)]
    assert not found


def test_no_folder_has_too_many_units(product_files):
    folders = collections.defaultdict(set)
    for path in product_files:
        folders[path.parent].add(path.stem)
    crowded = {str(folder): len(names) for folder, names in folders.items()
               if len(names) > UNITS_OF_A_FOLDER}
    assert not crowded
