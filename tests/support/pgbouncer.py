"""PgBouncer in front of a Postgres, with nothing set that it does not need to start."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from support.postgres_server import PASSWORD, USER
from support.process import die_with_parent, free_port, tail, unprivileged_user
from support.settings import SOURCE
from support.wait import wait_until


def program():
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:"
                         f"{SOURCE / 'build/tools/usr/sbin'}")
    assert found, "pgbouncer is missing: scripts/test puts it into build/tools"
    return found


class PgBouncer:
    """mode is session or transaction; further options as of its section [pgbouncer]."""

    def __init__(self, server, mode, **options):
        self.server = server
        self.port = free_port()
        self.who = unprivileged_user()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="analytics-pgbouncer-"))
        self.log_path = self.directory / "log"
        binary = self.directory / "pgbouncer"  # its user may not enter the clone
        shutil.copy(program(), binary)
        users = self.directory / "users.txt"
        users.write_text(f'"{USER}" "{PASSWORD}"\n')
        conf = self.directory / "pgbouncer.ini"
        lines = {"listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "",
                 "auth_type": "scram-sha-256", "auth_file": users, "pool_mode": mode,
                 **options}
        conf.write_text(f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\n"
                        + "".join(f"{key} = {value}\n" for key, value in lines.items()))
        for path in (self.directory, binary, users, conf):
            if self.who:
                shutil.chown(path, self.who["user"], self.who["group"])
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [binary, conf], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                preexec_fn=die_with_parent(signal.SIGKILL), start_new_session=True,
                **self.who)
        wait_until(self._answers, 20, lambda: "pgbouncer\n" + tail(self.log_path),
                   retry=(psycopg2.OperationalError,))

    def _answers(self):
        psycopg2.connect(self.url("postgres"), connect_timeout=5).close()
        return True

    def url(self, database):
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def log(self):
        return self.log_path.read_text()

    def stop(self):
        self.process.kill()
        self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)
