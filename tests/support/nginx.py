"""A real nginx in front of a daemon, with its files in a temporary folder."""
import contextlib
import os
import pathlib
import shutil
import subprocess

import pytest

from support.process import die_with_parent, free_port, tail
from support.settings import SOURCE
from support.wait import wait_until

CONFIG = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream daemon {{ server 127.0.0.1:{upstream}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://daemon; proxy_http_version 1.1;
            proxy_set_header Connection "";
            {lines}
        }}
    }}
}}
"""


def program():
    places = [os.environ.get("PATH", ""), "/usr/sbin", str(SOURCE / "build/tools/usr/sbin")]
    path = shutil.which("nginx", path=os.pathsep.join(places))
    if not path:
        pytest.skip("there is no nginx: scripts/test puts it into build/tools")
    return path


@contextlib.contextmanager
def nginx(folder, upstream, *lines):
    """Its port; lines are those of the location, such as proxy_set_header."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIG.format(
        folder=folder, upstream=upstream, port=port, lines="\n            ".join(lines)))
    process = subprocess.Popen(
        [program(), "-e", folder / "error.log", "-c", folder / "nginx.conf"],
        stdin=subprocess.DEVNULL, preexec_fn=die_with_parent(), start_new_session=True)
    try:
        def is_up():
            assert process.poll() is None, tail(folder / "error.log")
            return (folder / "pid").exists() and (folder / "pid").read_text().strip()
        wait_until(is_up, 20, "nginx to be up")
        yield port
    finally:
        process.terminate()
        process.wait()
