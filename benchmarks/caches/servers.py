"""nginx and Varnish on loopback, each started in a folder of its own and ended by its process."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

START_SECONDS = 15
STOP_SECONDS = 10
PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache keys_zone=pages:1m max_size=16m inactive=10m use_temp_path=off;
{http}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{origin};
            proxy_http_version 1.1;
            proxy_cache pages;
            add_header X-Cache-Status $upstream_cache_status always;
{location}
        }}
    }}
}}
"""


def found(program: str) -> str | None:
    """Where a server is installed; None where it is not."""
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *PLACES]))


def version(program: str) -> str:
    """What a server says that it is."""
    flag = "-V" if "varnish" in program else "-v"
    said = subprocess.run([found(program) or program, flag], capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).splitlines()[0]


@contextlib.contextmanager
def nginx(origin: int, folder: Path, location: str = "", http: str = "") -> Iterator[int]:
    """Let nginx stand before the origin, as it comes or with more lines of configuration; yields its port."""
    folder.mkdir()
    port = _free_port()
    user = "user root;" if os.getuid() == 0 else ""
    text = NGINX.format(folder=folder, port=port, origin=origin, location=location, http=http, user=user)
    (folder / "nginx.conf").write_text(text)
    with _running([found("nginx") or "", "-p", str(folder), "-c", str(folder / "nginx.conf")], folder, port):
        yield port


@contextlib.contextmanager
def varnish(origin: int, folder: Path, vcl: str = "") -> Iterator[int]:
    """Let Varnish stand before the origin, with its built-in VCL behind more lines of VCL; yields its port."""
    folder.mkdir()
    port = _free_port()
    backend = f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{origin}"; }}\n'
    (folder / "site.vcl").write_text(backend + vcl)
    command = [
        *(found("varnishd") or "", "-F", "-n", str(folder / "work"), "-f", str(folder / "site.vcl")),
        *("-a", f"127.0.0.1:{port}", "-s", "malloc,32m", "-T", "none"),
    ]
    if os.getuid() == 0:
        command[1:1] = ["-j", "none"]
    with _running(command, folder, port):
        yield port


@contextlib.contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(port, process, folder / "output.log")
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
