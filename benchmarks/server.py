"""The web server that is swept: nginx as a process of its own, or ours where there is no nginx."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sites import Site

COUNTER_PATH = "/.bench/requests"
"""Says how many requests were answered; no page links to it."""

START_SECONDS = 10.0
TRIES = 3

_CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    server_tokens off;
    keepalive_timeout 75;
    keepalive_requests 100000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/octet-stream;
    types {{
        text/html html;
        text/css css;
        text/plain txt;
        application/javascript js;
        application/json json;
        application/xml xml;
        image/svg+xml svg;
        image/png png;
        image/x-icon ico;
        font/woff2 woff2;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {root};
        index index.html;
        location = {counter} {{ stub_status; }}
        location / {{
            add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;
            add_header Content-Security-Policy "default-src 'self'; script-src 'self' 'nonce-$request_id'" always;
            add_header X-Content-Type-Options nosniff always;
            add_header Referrer-Policy strict-origin-when-cross-origin always;
            add_header X-Request-Id $request_id always;
            add_header Cache-Control "max-age=600, public";
        }}
        location ~ ^/(library|std|part-000[0-4])/ {{
            add_header Strict-Transport-Security "max-age=300" always;
            add_header X-Frame-Options SAMEORIGIN always;
            add_header X-XSS-Protection "1; mode=block" always;
            add_header X-Request-Id $request_id always;
            add_header Set-Cookie "visit=$request_id; Path=/; HttpOnly";
        }}
        location ~ \\.(css|js|png|svg|ico|woff2|txt)$ {{
            add_header X-Content-Type-Options nosniff always;
            add_header Access-Control-Allow-Origin "*";
            add_header Cache-Control "max-age=31536000, immutable";
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A running web server."""

    kind: str
    port: int

    @property
    def url(self) -> str:
        """Where the site begins."""
        return f"http://127.0.0.1:{self.port}/"

    def requests(self) -> int:
        """How many requests were answered so far, this one included."""
        # The address is our own.
        with urllib.request.urlopen(f"{self.url.rstrip('/')}{COUNTER_PATH}", timeout=5) as answer:  # noqa: S310
            text = answer.read().decode("ascii")
        # nginx prints: accepts, handled, requests.
        return int(re.findall(r"\d+", text.split("requests", 1)[1])[2])


def nginx_path() -> str | None:
    """The nginx of this machine, also where its folder is only on root's path."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def running(site: Site) -> Iterator[Server]:
    """The site served on a free port of the loopback interface, until the block ends."""
    nginx = nginx_path()
    with tempfile.TemporaryDirectory(prefix="headersweep-bench-server-") as folder:
        Path(folder).chmod(0o755)  # nginx' workers may run as somebody else
        process, port = _started(nginx, site, Path(folder))
        try:
            yield Server("nginx" if nginx else "our own static server (nginx was not found)", port)
        finally:
            _stop(process)


def _started(nginx: str | None, site: Site, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    for _ in range(TRIES):
        port = _free_port()
        process = _start(nginx, site, folder, port)
        if _answers(process, port):
            return process, port
        _stop(process)
    raise RuntimeError(f"the web server did not start; its log: {_log(folder)}")


def _start(nginx: str | None, site: Site, folder: Path, port: int) -> subprocess.Popen[bytes]:
    if nginx is None:
        command = [sys.executable, "-m", "benchmarks.static_server", str(site.root), str(port)]
        return subprocess.Popen(command, cwd=Path(__file__).parent.parent)
    text = _CONFIGURATION.format(folder=folder, port=port, root=site.root, counter=COUNTER_PATH)
    configuration = folder / "nginx.conf"
    configuration.write_text(text, encoding="utf-8")
    with (folder / "stderr.log").open("ab") as log:
        return subprocess.Popen([nginx, "-p", str(folder), "-c", str(configuration)], stderr=log)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _log(folder: Path) -> str:
    logs = [path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.log")]
    return " ".join(logs)[-500:] or "(empty)"
