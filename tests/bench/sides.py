"""The sides that take events over HTTP, each started and stopped alike."""
import pathlib
import shutil
import subprocess
import urllib.request

from bench.servers import HERE, empty_redis
from support.daemon import Daemon
from support.process import die_with_parent, free_port, tail
from support.redis_server import QUEUE
from support.settings import SOURCE, build_dir
from support.wait import wait_until

PEER_QUEUE = "bull:events:wait"
PEER_CONCURRENCY = 20  # its better setting: the library's default is 1
LOOPS = 1  # as scripts/up sets it; on two cores that wrk and Redis share, the better one
BARE_THREADS = 1  # its better setting likewise


def our_settings(name):
    """What scripts/up sets; a path is in the folder of the daemon."""
    return {"INGEST_THREADS": LOOPS, "SPOOL_DIR": "spool"} if name == "ingestion" else {}


class Program:
    """A child process that is no daemon of ours."""

    def __init__(self, name, command, directory, env=None):
        self.name = name
        self.log_path = pathlib.Path(directory) / f"{name}.log"
        self.command = [str(word) for word in command]
        self.env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8",
                    **{key: str(value) for key, value in (env or {}).items()}}
        self.directory = directory
        self.process = None

    def start(self, is_ready):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.directory, env=self.env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=die_with_parent(), start_new_session=True)

        def answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended:\n{tail(self.log_path)}")
            return is_ready()
        wait_until(answers, 30, f"{self.name} to be ready", retry=(OSError,))
        return self

    def said(self, word):
        return word in self.log_path.read_text(errors="replace")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


# --- the original's stack ------------------------------------------------------


def install_peer(scratch):
    """The peer's programs with their packages, in the build folder; returns the folder."""
    folder = SOURCE / "build" / "bench" / "peer"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "peer" / "package-lock.json").read_bytes()
    done = folder / "node_modules" / ".installed"
    is_current = done.is_file() and done.read_bytes() == lock
    for path in (HERE / "peer").iterdir():
        if path.suffix in (".js", ".json"):
            shutil.copy(path, folder)
    if not is_current:
        log = scratch / "npm.log"
        with open(log, "wb") as out:
            code = subprocess.run(
                ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode
        if code != 0:
            raise RuntimeError(f"npm install failed:\n{tail(log)}")
        done.write_bytes(lock)
    return folder


def _http_answers(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
        return answer.status == 200


def start_node(stack, folder, scratch, program, **env):
    """Starts one program of the peer; returns it with its .port."""
    port = free_port()
    path = scratch / f"{program}.js-{port}"
    path.mkdir()
    node = Program(program, ["node", folder / f"{program}.js"], path,
                   {"NODE_ENV": "production", "PORT": port, **env})
    node.port = port
    stack.callback(node.stop)
    if program == "processor":
        return node.start(lambda: node.said("ready"))
    return node.start(lambda: _http_answers(port))


# --- ours ----------------------------------------------------------------------


def start_daemon(stack, scratch, name, **env):
    daemon = Daemon(name, scratch / f"{name}-{free_port()}",
                    {"LOG_LEVEL": "warn", **our_settings(name), **env}, nofile=20_000)
    stack.callback(daemon.stop)
    return daemon.start()


# --- what takes POST /event ----------------------------------------------------


class Side:
    """name, port, and what there is to empty before a run."""

    def __init__(self, name, port, redis=None, queue=None, daemon=None):
        self.name = name
        self.port = port
        self.redis = redis
        self.queue = queue
        self.daemon = daemon

    def prepare(self):
        if self.redis:
            empty_redis(self.redis)

    def queued(self):
        with self.redis.client() as client:
            return client.llen(self.queue)

    def memory_bytes(self):
        with self.redis.client() as client:
            return client.info("memory")["used_memory"]


def start_ours(stack, scratch, redis, name="ours", **env):
    daemon = start_daemon(stack, scratch, "ingestion", REDIS_URL=redis.url, **env)
    return Side(name, daemon.port, redis, QUEUE, daemon)


def start_peer(stack, folder, scratch, redis):
    node = start_node(stack, folder, scratch, "ingestion", REDIS_PORT=redis.port)
    return Side("peer", node.port, redis, PEER_QUEUE)


def start_bare(stack, scratch):
    port = free_port()
    program = Program("bare_mhd", [build_dir() / "tests" / "bench" / "bare_mhd", port,
                                   BARE_THREADS], scratch)
    stack.callback(program.stop)
    program.start(lambda: program.said("ready"))
    return Side("bare", port)
