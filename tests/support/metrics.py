"""GET /metrics as tests read it."""
import math
import os
import re
import shutil
import subprocess

from support.settings import SOURCE

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


class Family:
    def __init__(self, name, help_text):
        self.name, self.help, self.kind = name, help_text, None


class Metrics:
    """One scrape: families by name, and the value of every sample."""

    def __init__(self, text):
        self.text = text
        self.families = {}
        self.samples = {}  # (name, frozenset of labels) -> float
        family = None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                _, _, name, help_text = line.split(" ", 3)
                assert name not in self.families, f"{name} comes twice"
                family = self.families[name] = Family(name, help_text)
            elif line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                assert name == family.name and family.kind is None, line
                family.kind = kind
            else:
                self._take_sample(family, line)

    def _take_sample(self, family, line):
        match = SAMPLE.match(line)
        assert match, line
        name, labels, value = match.groups()
        own = name == family.name or (
            family.kind == "histogram"
            and name.removeprefix(family.name) in ("_bucket", "_sum", "_count"))
        assert own, f"{line} stands under {family.name}"
        key = (name, frozenset(LABEL.findall(labels or "")))
        assert key not in self.samples, f"{line} comes twice"
        self.samples[key] = float(value)

    def value(self, name, **labels):
        """The sample with exactly these labels."""
        return self.samples[(name, frozenset(labels.items()))]

    def total(self, name, **labels):
        """The sum of the samples that have these labels among others."""
        wanted = set(labels.items())
        found = [value for (key, has), value in self.samples.items()
                 if key == name and wanted <= has]
        assert found, f"there is no {name} {labels}"
        return sum(found)

    def label_values(self, name):
        """The labels of a family: {"status": ["200", ...]}, le left out."""
        found = {}
        for key, labels in self.samples:
            if key in (name, name + "_bucket"):
                for label, value in labels:
                    if label != "le":
                        found.setdefault(label, set()).add(value)
        return found

    def counters(self):
        """What may only grow."""
        return {key: value for key, value in self.samples.items()
                if self._kind_of(key[0]) in ("counter", "histogram")}

    def _kind_of(self, name):
        family = self.families.get(name) or self.families.get(
            re.sub(r"_(bucket|sum|count)$", "", name))
        return family.kind

    def check_histograms(self):
        """Buckets never fall, and the last is the count."""
        for name in [f.name for f in self.families.values() if f.kind == "histogram"]:
            series = {}
            for (key, labels), value in self.samples.items():
                if key == name + "_bucket":
                    rest = frozenset(item for item in labels if item[0] != "le")
                    bound = float(dict(labels)["le"])
                    series.setdefault(rest, []).append((bound, value))
            assert series, name
            for labels, found in series.items():
                values = [value for _, value in sorted(found)]
                assert values == sorted(values), (name, found)
                assert sorted(found)[-1][0] == math.inf
                assert values[-1] == self.samples[(name + "_count", labels)]


def scrape(daemon):
    answer = daemon.get("/metrics")
    assert answer.status == 200, answer
    assert answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    return Metrics(answer.body.decode())


def check_with_promtool(text):
    """`promtool check metrics` has nothing to say, its advice included."""
    # scripts/test unpacks it: installing its package would start a system service.
    promtool = shutil.which("promtool", path=f"{os.environ.get('PATH', '')}:"
                            f"{SOURCE / 'build/tools/usr/bin'}")
    assert promtool, "promtool is missing: scripts/test puts it into build/tools"
    done = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0 and not done.stdout + done.stderr, \
        done.stdout + done.stderr
