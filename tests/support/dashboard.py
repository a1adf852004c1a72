"""The dashboard in a browser: what is read off it, and what is done to it."""
import base64
import contextlib
import json

from support.chromium import Failed
from support.wait import wait_until

# Long waits of the page are shortened to a hundredth, and kept in `waits`, so that a test of
# what it does half a minute later takes no half minute.
FAST = """{
  const original = window.setTimeout;
  window.waits = [];
  window.setTimeout = (fn, ms = 0, ...more) => {
    if (ms >= 1000) window.waits.push(ms);
    return original(fn, ms >= 1000 ? ms / 100 : ms, ...more);
  };
}"""

SETTLED = ("!!document.querySelector('main') && !document.querySelector('[aria-busy]')"
           " && !document.querySelector('i.wait')")


class Dashboard:
    """One tab with the dashboard of `port`."""

    def __init__(self, browser, port, is_fast=False):
        self.browser, self.page = browser, browser.open()
        self.origin = f"http://localhost:{port}"
        self.page.resize(1440)
        if is_fast:
            self.page.before_each_document(FAST)

    def open(self, path, settled=True):
        self.page.call("Page.navigate", url=self.origin + path)
        self.page.wait("document.readyState == 'complete' && !!document.querySelector('main')")
        return self.settle() if settled else self

    def settle(self):
        self.page.wait(SETTLED)
        return self

    def run(self, script):
        return self.page.run(script)

    def text(self, selector="body"):
        return self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})]"
                        ".map((one) => one.textContent)")

    def wait_text(self, text, selector="body"):
        self.page.wait(f"(document.querySelector({json.dumps(selector)})?.innerText ?? '')"
                       f".includes({json.dumps(text)})")

    @property
    def query(self):
        """The state, as it stands in the address."""
        return dict(self.run("[...new URLSearchParams(location.search)]"))

    # --- what it shows

    def figures(self):
        return dict(self.run("[...document.querySelectorAll('.figure')].map((one) => "
                             "[one.dataset.metric, one.querySelector('.value').textContent])"))

    def rows(self, panel):
        """[value, number] of each row of a panel."""
        return self.run(f"[...document.querySelectorAll('[aria-label=\"{panel}\"] .row')].map("
                        "(row) => [row.querySelector('.value').textContent,"
                        " row.querySelector('.number').textContent])")

    def table(self):
        """The rows of the chart's table."""
        return self.run("[...document.querySelectorAll('.chart tbody tr')].map("
                        "(row) => [...row.cells].map((cell) => cell.textContent))")

    def chips(self):
        return self.texts(".chip button:first-child")

    # --- what is done to it

    def click(self, selector):
        self.run(f"document.querySelector({json.dumps(selector)})"
                 ".scrollIntoView({block: 'center', behavior: 'instant'})")
        self.page.click(selector)
        return self

    def click_row(self, panel, value):
        self.run("(() => { for (const one of document.querySelectorAll('[data-test]')) "
                 "delete one.dataset.test;"
                 f"[...document.querySelectorAll('[aria-label=\"{panel}\"] button.value')]"
                 f".find((one) => one.textContent === {json.dumps(value)}).dataset.test = 1 }})()")
        return self.click("[data-test]").settle()

    def choose(self, selector, value):
        """As when an option of a select is chosen."""
        self.run(f"(() => {{ const field = document.querySelector({json.dumps(selector)});"
                 f"field.value = {json.dumps(value)};"
                 "field.dispatchEvent(new Event('change', {bubbles: true})) })()")
        return self

    # --- what others find out about it

    def axe(self, *rules):
        """Findings of axe-core, of these rules or of all, as texts; none is as it should be."""
        self.run(self.browser.axe + ";0")
        options = json.dumps({"runOnly": rules} if rules else {})
        return self.run(f"axe.run({options}).then((found) => found.violations.map((one) => "
                        "`${one.id}: ${one.help}: ${one.nodes.slice(0, 3)"
                        ".map((node) => node.html.slice(0, 160)).join(' | ')}`))")

    def tree(self):
        """(role, name) of each node of the accessibility tree."""
        nodes = self.page.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in nodes if not node.get("ignored") and "role" in node]

    def strangers(self):
        """Requests to other hosts."""
        return [url for url in self.page.asked()
                if not url.startswith((self.origin + "/", "data:", "blob:" + self.origin))]


@contextlib.contextmanager
def held(page, pattern):
    """Requests whose address matches are held until answer() is called."""
    page.call("Fetch.enable", patterns=[{"urlPattern": pattern}])
    try:
        yield Held(page)
    finally:
        page.call("Fetch.disable")


class Held:
    def __init__(self, page):
        self.page, self.done = page, 0

    def waiting(self):
        return self.page.events("Fetch.requestPaused")[self.done:]

    def wait(self, count=1):
        wait_until(lambda: len(self.waiting()) >= count, message="requests to be held")

    def answer(self, status=None, body=b"{}", headers=()):
        """Lets those that wait go on, or answers them in the server's place."""
        waiting = self.waiting()
        self.done += len(waiting)
        for one in waiting:
            with contextlib.suppress(Failed):  # the page may have given it up
                if status is None:
                    self.page.call("Fetch.continueRequest", requestId=one["requestId"])
                else:
                    self.page.call("Fetch.fulfillRequest", requestId=one["requestId"],
                                   responseCode=status, body=base64.b64encode(body).decode(),
                                   responseHeaders=[{"name": name, "value": value}
                                                    for name, value in headers])
        return len(waiting)
