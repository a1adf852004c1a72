"""A load generator: many keep-alive connections on one asyncio loop.

It answers two questions about every event: what was the status, or was there none; and
how long did it take.  It reaches some 10,000 requests/s on one core, more with pipelining.
"""
import asyncio
import collections
import dataclasses
import itertools
import resource
import threading
import time

from support.http import build


@dataclasses.dataclass
class Result:
    statuses: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    latencies: list = dataclasses.field(default_factory=list)  # seconds, of every answer
    errors: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    seconds: float = 0.0
    connects: int = 0

    @property
    def answers(self):
        return sum(self.statuses.values())

    def percentile(self, share):
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    def __str__(self):
        rate = self.answers / self.seconds if self.seconds else 0
        return (f"{self.answers} answers {dict(self.statuses)} in {self.seconds:.2f} s "
                f"({rate:.0f}/s), p50 {self.percentile(.5) * 1e3:.2f} ms, "
                f"p99 {self.percentile(.99) * 1e3:.2f} ms, "
                f"max {self.percentile(1) * 1e3:.2f} ms, errors {dict(self.errors)}")


def allow_connections(count):
    """Lets this process, and the daemons it starts, have so many open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 200
    assert hard == resource.RLIM_INFINITY or hard >= wanted, \
        f"this machine allows {hard} open files, the test needs {wanted}"
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Client(asyncio.Protocol):
    """One connection: sends, waits for the answers, sends again."""

    def __init__(self, load):
        self.load = load
        self.transport = None
        self.buffer = b""
        self.waiting = collections.deque()  # (event, time sent)
        self.closed = asyncio.get_running_loop().create_future()
        self.is_done = False

    def connection_made(self, transport):
        self.transport = transport
        self.load.result.connects += 1
        self.send_more()

    def send_more(self):
        if self.transport.is_closing():
            return
        pause = self.load.pause()
        if pause > 0:
            asyncio.get_running_loop().call_later(pause, self.send_more)
            return
        out = []
        while len(self.waiting) < self.load.pipeline:
            item = self.load.take()
            if item is None:
                break
            out.append(item[1])
            self.waiting.append((item[0], time.monotonic()))
        if out:
            self.transport.write(b"".join(out))
        elif not self.waiting:
            self.is_done = True
            self.transport.close()

    def data_received(self, data):
        self.buffer += data
        closing = False
        while self.waiting:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                break
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            stop = head.find(b"\r\n", at)
            length = int(head[at + 15:stop if stop >= 0 else None])
            if len(self.buffer) < end + 4 + length:
                break
            self.buffer = self.buffer[end + 4 + length:]
            event, sent = self.waiting.popleft()
            status = int(head[9:12])
            self.load.on_answer(event, status, time.monotonic() - sent)
            closing = closing or b"connection: close" in head
        if closing:
            self.transport.close()
        elif not self.waiting or len(self.waiting) <= self.load.pipeline // 2:
            self.send_more()

    def connection_lost(self, error):
        for event, _ in self.waiting:
            self.load.on_answer(event, None, None)
        if self.waiting:
            self.load.result.errors[type(error).__name__ if error else "closed"] += 1
        self.waiting.clear()
        if not self.closed.done():
            self.closed.set_result(None)


class Load:
    """Sends events to POST /event and /batch of a port, until they run out or stop() is called.

    events      dicts; or bytes, which are sent as they are
    judge       gets attempt(event) before and outcome(event, status) after; status is None
                when the connection ended without an answer
    rate        events a second at most
    reconnect   open a connection again when it was lost, as a tracker would
    batch_every so many requests apart one is a POST /batch of batch_size events; 0: none
    """

    def __init__(self, port, events, connections=16, pipeline=1, judge=None,
                 rate=None, reconnect=False, host="127.0.0.1", target="/event",
                 batch_every=0, batch_size=20):
        self.port, self.host, self.target = port, host, target
        self.events = iter(events)
        self.connections = connections
        self.pipeline = pipeline
        self.judge = judge
        self.rate = rate
        self.reconnect = reconnect
        self.batch_every, self.batch_size = batch_every, batch_size
        self.result = Result()
        self._taken = 0  # events
        self._requests = 0
        self._began = 0.0
        self._stopped = False
        self._thread = None
        self._failure = None

    def pause(self):
        """Seconds until the next event may be sent."""
        if not self.rate or self._stopped:
            return 0
        return self._began + self._taken / self.rate - time.monotonic()

    def take(self):
        """(what the answer is about, the bytes of a request); None at the end."""
        if self._stopped:
            return None
        self._requests += 1
        if self.batch_every and self._requests % self.batch_every == 0:
            return self._take_batch()
        return self._take_event()

    def _take_batch(self):
        events = list(itertools.islice(self.events, self.batch_size))
        if not events:
            self._stopped = True
            return None
        self._taken += len(events)
        if self.judge:
            self.judge.attempt_batch(events)
        return events, build("POST", "/batch", events)

    def _take_event(self):
        self._taken += 1
        event = next(self.events, None)
        if event is None:
            self._stopped = True
            return None
        if self.judge:
            self.judge.attempt(event)
        if isinstance(event, bytes):
            return event, event
        return event, build("POST", self.target, event)

    def on_answer(self, event, status, seconds):
        if status is not None:
            self.result.statuses[status] += 1
            self.result.latencies.append(seconds)
        if self.judge:
            for one in event if isinstance(event, list) else [event]:
                self.judge.outcome(one, status)

    async def _keep_connected(self):
        loop = asyncio.get_running_loop()
        while not self._stopped:
            try:
                _, client = await loop.create_connection(
                    lambda: _Client(self), self.host, self.port)
                await client.closed
                if client.is_done:
                    return
            except OSError as error:
                self.result.errors[type(error).__name__] += 1
                if not self.reconnect:
                    return
                await asyncio.sleep(0.02)
            if not self.reconnect:
                return

    async def _run(self):
        self._began = time.monotonic()
        await asyncio.gather(*(self._keep_connected() for _ in range(self.connections)))
        self.result.seconds = time.monotonic() - self._began

    def run(self):
        asyncio.run(self._run())
        return self.result

    # --- beside the test's own thread

    def start(self):
        def body():
            try:
                self.run()
            except BaseException as error:  # handed over by join()
                self._failure = error
        self._thread = threading.Thread(target=body, daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """No new events; what was sent is waited for by join()."""
        self._stopped = True

    def join(self, timeout=60):
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"the load did not end: {self.result}"
        if self._failure:
            raise self._failure
        return self.result


def send(port, events, **options):
    """Sends all events and returns the Result."""
    return Load(port, events, **options).run()
