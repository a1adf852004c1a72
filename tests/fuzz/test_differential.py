"""The event parser against Python's json, on the corpus and on texts made from it.

What the parser takes, Python must take too and read the same fields from; what the parser
calls "not valid JSON", Python must refuse as well.
"""
import json
import os
import pathlib
import random
import subprocess

CORPUS = pathlib.Path(__file__).parent / "corpus" / "json"
MADE = 20000
ALPHABET = b'{}[]",:\\ \n\t01-+.eEtfnu\x00\x1f\x7f\x80\xc3\xed\xf0\xff/'
FIELDS = ("site_id", "event_type", "path")
NOT_JSON = "body is not valid JSON: "


class Refused(Exception):
    """What Python's json would take although RFC 8259 does not."""


def refuse_constant(name):
    raise Refused(name)


def python_parse(text):
    """The value, or Refused.  Bytes that are not UTF-8 are left for the strings to show."""
    if text.startswith(b"\xef\xbb\xbf"):
        text = text[3:]
    try:
        return json.loads(text.decode("utf-8", "surrogateescape"),
                          parse_constant=refuse_constant, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise Refused(str(error)) from error


def mutate(rng, text):
    text = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(text))
        kind = rng.randrange(4)
        if kind == 0:
            text[at:at] = bytes([rng.choice(ALPHABET)])
        elif kind == 1:
            del text[at:at + rng.randint(1, 3)]
        elif kind == 2 and at < len(text):
            text[at] = rng.choice(ALPHABET)
        else:
            other = rng.randint(0, len(text))
            text[at:at] = text[min(at, other):max(at, other)][:40]
    return bytes(text)


def verdicts(texts):
    """(accepted?, the job or the error body) for each text."""
    lines = "".join(text.hex() + "\n" for text in texts)
    done = subprocess.run([os.environ["ANALYTICS_VERDICTS"]], input=lines.encode(),
                          stdout=subprocess.PIPE, check=True)
    answers = [line.split(b" ", 1) for line in done.stdout.split(b"\n")[:-1]]
    assert len(answers) == len(texts)
    return [(word == b"accepted", json.loads(rest)) for word, rest in answers]


def check_accepted(text, job):
    value = python_parse(text)
    assert isinstance(value, dict), text
    for field in FIELDS:
        assert value[field] == job[field], text
    assert value.get("user_id") == job["user_id"], text
    assert (value.get("event_id") or "").lower() == job.get("event_id", ""), text
    text.decode("utf-8")


def check_not_json(text, sentence):
    if "too deeply nested" in sentence:
        return
    try:
        value = python_parse(text)
    except Refused:
        return
    raise AssertionError(f"{text!r}: {sentence}, but Python reads {value!r}")


def check(texts):
    counts = {"accepted": 0, "not JSON": 0, "refused": 0}
    for text, (is_accepted, answer) in zip(texts, verdicts(texts)):
        if is_accepted:
            check_accepted(text, answer)
            counts["accepted"] += 1
        elif answer["error"].startswith(NOT_JSON):
            check_not_json(text, answer["error"])
            counts["not JSON"] += 1
        else:
            if text not in (b"", b"\xef\xbb\xbf"):
                python_parse(text)  # refused for a rule, so it was JSON
            counts["refused"] += 1
    return counts


def test_corpus_is_read_as_python_reads_it():
    counts = check([path.read_bytes() for path in sorted(CORPUS.iterdir())])
    assert all(counts.values()), counts


def test_texts_made_from_the_corpus_are_read_as_python_reads_them():
    seed = int(os.environ.get("FUZZ_SEED", "1"))
    print(f"FUZZ_SEED={seed}")
    rng = random.Random(seed)
    seeds = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    seeds = [text for text in seeds if len(text) < 2000]
    counts = check([mutate(rng, rng.choice(seeds)) for _ in range(MADE)])
    assert all(count > MADE // 100 for count in counts.values()), counts
