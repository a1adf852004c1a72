"""Debian's Chromium, driven over the DevTools protocol by a pair of pipes: no driver, no
package and no port besides the browser's own.

    with chromium() as browser:
        page = browser.open("http://shop.example:8080/")
        page.run("history.length")

Every name resolves to this machine, so pages can have real host names.
"""
import base64
import contextlib
import fcntl
import functools
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

from support import pretended
from support.process import die_with_parent
from support.settings import patience
from support.wait import wait_until

# What a person's browser says: the headless one says that it is one.
AGENT = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.0.0 Safari/537.36")


def program():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("there is no Chromium on this machine")
    return path


class Failed(AssertionError):
    """The browser, or the script of a page, has refused."""


class Pipe:
    """Messages to and from the browser; those from it are read by a thread."""

    def __init__(self, to_browser, from_browser):
        self.out, self.source = os.fdopen(to_browser, "wb"), os.fdopen(from_browser, "rb")
        self.ids = itertools.count(1)
        self.answers, self.events = {}, []
        self.changed = threading.Condition()
        self.is_open = True
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        buffer = b""
        while True:
            data = self.source.read1(1 << 16)
            *messages, buffer = (buffer + data).split(b"\0")
            with self.changed:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self.events.append(message)
                self.is_open = bool(data)
                self.changed.notify_all()
            if not data:
                return

    def call(self, method, session=None, seconds=30, **params):
        number = next(self.ids)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        with self.changed:
            came = self.changed.wait_for(lambda: number in self.answers or not self.is_open,
                                         patience(seconds))
            assert came and number in self.answers, f"no answer to {method} {params}"
            answer = self.answers.pop(number)
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']}")
        return answer["result"]


class Page:
    """One tab."""

    def __init__(self, pipe, target):
        self.pipe, self.target = pipe, target
        self.session = pipe.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        if pretended.seconds():
            self.call("Page.addScriptToEvaluateOnNewDocument", source=(
                "{ const real = Date.now; Date.now = () => real() + "
                f"{pretended.seconds() * 1000}; }}"))

    def call(self, method, **params):
        return self.pipe.call(method, self.session, **params)

    def events(self, method):
        return [one["params"] for one in list(self.pipe.events)
                if one.get("sessionId") == self.session and one["method"] == method]

    def run(self, script):
        """The value of an expression; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True,
                           returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            raise Failed(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, script, seconds=20):
        """Until an expression is true; the document may change meanwhile."""
        return wait_until(lambda: self.run(script), seconds, script, retry=(Failed,))

    def see(self, ms):
        """Lets somebody look at the page for so long from now on: what the page has been there
        for says little of how long its scripts have."""
        began = self.run("performance.now()")
        self.wait(f"performance.now() > {began} + {ms}")

    def go(self, url):
        """Opens a page and waits until it is loaded."""
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.wait(f"location.href == {json.dumps(url)} && document.readyState == 'complete'")
        return self

    def click(self, selector, button="left"):
        """As a hand does it: the mouse is pressed and released over the element."""
        spot = self.run(f"(() => {{ const box = document.querySelector({json.dumps(selector)})"
                        ".getBoundingClientRect();"
                        "return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1],
                      button=button, clickCount=1)

    def show(self):
        self.call("Page.bringToFront")

    KEYS = {"Escape": 27, "Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38,
            "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35}

    def press(self, *keys):
        """Each key as a person presses it: a letter, or one of KEYS."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            code = self.KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown",
                      key=key, text=text, windowsVirtualKeyCode=code)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key,
                      windowsVirtualKeyCode=code)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def resize(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def prefer(self, **features):
        """prefer(color_scheme="dark", reduced_motion="reduce")"""
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-" + name.replace("_", "-"), "value": value}
            for name, value in features.items()])

    def before_each_document(self, script):
        self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    def offline(self, is_offline=True):
        self.call("Network.emulateNetworkConditions", offline=is_offline, latency=0,
                  downloadThroughput=-1, uploadThroughput=-1)

    def asked(self):
        """The addresses of all requests."""
        return [one["request"]["url"] for one in self.events("Network.requestWillBeSent")]

    def picture(self, path, whole=False):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(data["data"]))

    def problems(self):
        """What the browser would write to the console in red."""
        return ([one["exceptionDetails"].get("exception", one["exceptionDetails"])
                 for one in self.events("Runtime.exceptionThrown")]
                + [one["entry"]["text"] for one in self.events("Log.entryAdded")
                   if one["entry"]["level"] == "error"])

    def close(self):
        self.pipe.call("Target.closeTarget", targetId=self.target)


# Chromium's own Lighthouse has the whole of axe-core in it, as a text.
LIGHTHOUSE = "devtools://devtools/bundled/third_party/lighthouse/lighthouse-dt-bundle.js"
AXE = r"""(() => {
  const text = document.body.textContent;
  const at = text.indexOf('/*! axe v');
  const end = '("object"==typeof window?window:this);';
  return (0, eval)(text.slice(text.lastIndexOf('`', at), text.indexOf(end, at)) + end + '`');
})()"""


class Browser:
    def __init__(self, pipe):
        self.pipe = pipe

    @functools.cached_property
    def axe(self):
        """The source of axe-core, the checks of accessibility, which Debian has no package of."""
        page = self.open()
        page.call("Page.navigate", url=LIGHTHOUSE)
        page.wait("document.readyState == 'complete' && "
                  "document.body.textContent.includes('axe.run')")
        source = page.run(AXE)
        page.close()
        return source

    def open(self, url=None, background=False):
        """A new tab, in front unless it is to stay in the background."""
        target = self.pipe.call("Target.createTarget", url="about:blank",
                                background=background)["targetId"]
        page = Page(self.pipe, target)
        if not background:
            page.show()
        return page.go(url) if url else page


def _pipe(child_reads):
    """(ours, the child's), the latter above the numbers that it is to get there."""
    reads, writes = os.pipe()
    ours, theirs = (writes, reads) if child_reads else (reads, writes)
    high = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(theirs)
    return ours, high


@contextlib.contextmanager
def chromium(*flags):
    to_browser, reads = _pipe(True)
    from_browser, writes = _pipe(False)

    def prepare():
        die_with_parent()()
        os.dup2(reads, 3)
        os.dup2(writes, 4)

    with tempfile.TemporaryDirectory(prefix="analytics-browser-",
                                     ignore_cleanup_errors=True) as folder:
        command = [program(), "--headless=new", "--disable-gpu", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update",
                   "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile",
                   "--host-resolver-rules=MAP * 127.0.0.1", f"--user-agent={AGENT}",
                   "--remote-debugging-pipe", *flags]
        command += ["--no-sandbox"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=pretended.real({**os.environ, "HOME": folder}),
            preexec_fn=prepare, pass_fds=(3, 4), start_new_session=True)
        os.close(reads)
        os.close(writes)
        pipe = Pipe(to_browser, from_browser)
        try:
            yield Browser(pipe)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()
            pipe.out.close()
