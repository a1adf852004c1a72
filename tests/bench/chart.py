"""The result as one SVG, drawn by hand: events per second of each side, and how far each
row is from what it should reach and what it aims at."""
import math
import statistics
from xml.sax.saxutils import escape

from bench.report import limit, number, with_unit

WIDTH = 1010
LEFT = 330    # where bars begin
RIGHT = 760   # where they end; figures stand behind
BAR, STEP, GAP = 16, 24, 34

OURS, ALWAYS, PEER, BARE = "#1f6f8b", "#63a8bd", "#c8553d", "#9aa0a6"
GOOD, FAIR, POOR = "#2e7d4f", "#1f6f8b", "#c8553d"
INK, FAINT = "#202124", "#5f6368"

# title; then (label, measure, side, colour)
MEASURES = (
    ("POST /event, 64 connections: events a second", "post.rate", (
        ("ours", "ours", OURS), ("ours, appendfsync always", "always", ALWAYS),
        ("the original's stack", "peer", PEER), ("libmicrohttpd alone", "bare", BARE))),
    ("Whole pipeline at full speed: rows stored a second", "pipeline.rate", (
        ("ours", "ours", OURS), ("ours, appendfsync always", "always", ALWAYS),
        ("the original's stack", "peer", PEER))),
    ("Draining a full queue: rows a second", "drain.rate", (
        ("ours, rollups included", "ours", OURS),
        ("ours, appendfsync always", "always", ALWAYS),
        ("the original's stack, no rollups", "peer", PEER), ("bare COPY", "copy", BARE))),
    ("p99 of POST /event: milliseconds, less is better", "post.p99_ms", (
        ("ours", "ours", OURS), ("ours, appendfsync always", "always", ALWAYS),
        ("ours, at the original's own rate", "paced", OURS),
        ("the original's stack", "peer", PEER))),
    ("The same with everything running", "pipeline.p99_ms", (
        ("ours", "ours", OURS), ("ours, appendfsync always", "always", ALWAYS),
        ("ours, at the original's own rate", "paced", OURS),
        ("the original's stack", "peer", PEER))),
)


class Canvas:
    def __init__(self):
        self.parts = []
        self.y = 0

    def text(self, x, y, text, size=13, colour=INK, anchor="start", weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
                          f'text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>')

    def box(self, x, y, width, height, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" '
                          f'height="{height}" fill="{colour}"/>')

    def line(self, x1, y1, x2, y2, colour=INK, width=1.0, dash=None):
        more = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{colour}" stroke-width="{width}"{more}/>')

    def svg(self, height):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                f'viewBox="0 0 {WIDTH} {height}" font-family="DejaVu Sans, Verdana, Arial, '
                f'sans-serif">\n<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


# --- how fast ------------------------------------------------------------------


def _measures(canvas, samples):
    for title, measure, sides in MEASURES:
        shown = [(label, samples.get(measure, {}).get(side), colour)
                 for label, side, colour in sides]
        shown = [one for one in shown if one[1]]
        if shown:
            _panel(canvas, title, shown)


def _panel(canvas, title, bars):
    most = max(max(values) for _, values, _ in bars)
    canvas.text(20, canvas.y, title, size=14, weight="bold")
    canvas.y += 14
    for label, values, colour in bars:
        middle = statistics.median(values)
        length, top = (RIGHT - LEFT) * middle / most, canvas.y
        canvas.text(LEFT - 10, top + BAR - 3, label, anchor="end")
        canvas.box(LEFT, top, length, BAR, colour)
        _whisker(canvas, top, values, most)
        canvas.text(RIGHT + 12, top + BAR - 3, number(middle), weight="bold")
        canvas.y += STEP
    canvas.y += GAP


def _whisker(canvas, top, values, most):
    if len(values) < 2:
        return
    low, high = (LEFT + (RIGHT - LEFT) * edge / most for edge in (min(values), max(values)))
    canvas.line(low, top + BAR / 2, high, top + BAR / 2, width=1.5)
    for edge in (low, high):
        canvas.line(edge, top + 4, edge, top + BAR - 4, width=1.5)


# --- how near to the targets ---------------------------------------------------

LEAST, MOST = 0.25, 16.0  # of what is to be reached; a logarithmic axis


def _at(share):
    share = min(max(share, LEAST), MOST)
    return LEFT + (RIGHT - LEFT) * math.log(share / LEAST) / math.log(MOST / LEAST)


def _share(value, one):
    """How often what is to be reached was reached."""
    if one["is_less_better"]:
        return one["reach"] / value if value else MOST
    return value / one["reach"]


def _targets(canvas, found):
    canvas.text(20, canvas.y, "Against what is to be reached (line) and aimed at (mark)",
                size=14, weight="bold")
    _legend(canvas)
    canvas.y += 18
    for share, label in ((0.5, "½"), (1, "reach"), (2, "2 ×"), (4, "4 ×"), (8, "8 ×")):
        canvas.text(_at(share), canvas.y, label, size=11, colour=FAINT, anchor="middle")
    canvas.y += 8
    top = canvas.y
    for one in found:
        _target(canvas, one)
    canvas.line(_at(1), top - 4, _at(1), canvas.y - 4, width=1.5)
    for share in (0.5, 2, 4, 8):
        canvas.line(_at(share), top - 4, _at(share), canvas.y - 4, colour="#d0d3d6",
                    dash="2,3")


def _legend(canvas):
    x = RIGHT - 180
    for colour, label in ((GOOD, "aim"), (FAIR, "reached"), (POOR, "missed")):
        canvas.box(x, canvas.y - 10, 10, 10, colour)
        canvas.text(x + 15, canvas.y, label, size=11, colour=FAINT)
        x += 66


def _target(canvas, one):
    top, end = canvas.y, _at(_share(one["value"], one))
    colour = {"aim": GOOD, "reached": FAIR}.get(one["verdict"], POOR)
    label = one["what"] + (f": {one['against']}" if one["against"] else "")
    canvas.text(LEFT - 10, top + BAR - 4, _short(label), size=11, anchor="end")
    canvas.box(LEFT, top + 2, end - LEFT, BAR - 4, colour)
    if one["aim"] is not None:
        aim = _at(_share(one["aim"], one))
        canvas.line(aim, top - 1, aim, top + BAR + 1, width=2.5, colour="#e0a100")
    goals = f"reach {limit(one['reach'], one)}"
    if one["aim"] is not None:
        goals += f", aim {limit(one['aim'], one)}"
    canvas.text(RIGHT + 12, top + BAR - 4, with_unit(one["value"], one["unit"]), size=12,
                weight="bold", colour=colour)
    canvas.text(RIGHT + 96, top + BAR - 4, goals, size=10, colour=FAINT)
    canvas.y += STEP - 3


def _short(text, most=50):
    return text if len(text) <= most else text[:most - 1] + "…"


def draw(document):
    """The SVG's text, for a document as __main__.py makes it."""
    canvas = Canvas()
    machine = document["machine"]
    canvas.text(20, 34, "analytics-backend: measured side by side", size=18, weight="bold")
    canvas.text(20, 56, f"{document['plan']} run of {document['date']}, "
                f"{machine['cores_used']} cores shared by everything, {machine['processor']}, "
                f"{machine['system']}; medians, spread as whiskers",
                size=11, colour=FAINT)
    canvas.y = 96
    _measures(canvas, document["samples"])
    found = [one for one in document["results"] if one["reach"] is not None]
    if found:
        _targets(canvas, found)
    return canvas.svg(int(canvas.y + 20))
