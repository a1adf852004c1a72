"""What comes out: the table on the terminal, the JSON, and the page docs/bench/README.md
is not made here, for it is written by people."""
import json

COLUMNS = ("what", "ours", "against", "theirs", "result", "from .. to", "reach", "aim", "")


def number(value):
    """Three digits, or all those before the point."""
    if value is None:
        return ""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def with_unit(value, unit):
    if value is None:
        return ""
    return f"{number(value)}{unit if unit in ('×', '%') else ' ' + unit}"


def limit(value, one):
    sign = "≤ " if one["is_less_better"] else ""
    return "" if value is None else sign + f"{value:,g}{one['unit'] if one['unit'] == '×' else ''}"


def cells(one):
    has_ratio = one["theirs"] is not None
    return (one["what"], number(one["ours"]) if has_ratio else "", one["against"],
            number(one["theirs"]) if has_ratio else "",
            with_unit(one["value"], one["unit"]),
            f"{number(one['low'])} .. {number(one['high'])}" if one["rounds"] > 1 else "",
            limit(one["reach"], one), limit(one["aim"], one), one["verdict"])


def table(found, committed=None):
    """The table as text; committed are the results of another run to stand beside."""
    old = {one["key"]: one for one in committed or []}
    header = list(COLUMNS)
    rows = [list(cells(one)) for one in found]
    if committed is not None:
        header.insert(6, "committed")
        for row, one in zip(rows, found):
            before = old.get(one["key"])
            row.insert(6, with_unit(before["value"], before["unit"]) if before else "")
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    left = {0, 2, len(header) - 1}

    def line(row):
        return "  ".join(text.ljust(width) if at in left else text.rjust(width)
                         for at, (text, width) in enumerate(zip(row, widths))).rstrip()
    return "\n".join([line(header), line(["-" * width for width in widths]),
                      *(line(row) for row in rows)])


def fallen_text(pairs):
    if not pairs:
        return "Nothing fell by more than 15 % against the committed run."
    lines = [f"  {one['what']}"
             + (f" against {one['against']}" if one["against"] else "")
             + f": {with_unit(one['value'], one['unit'])}, was "
             + with_unit(before, one["unit"]) for one, before in pairs]
    return "\n".join(["Worse by more than 15 % than in the committed run:", *lines])


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n",
                    encoding="utf-8")


def read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
