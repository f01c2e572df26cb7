"""Firefox over its Marionette protocol: lengths and JSON on a loopback port, no further library."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.browser.chromium import SECONDS, BrowserError

START_SECONDS = 60.0
_PREFERENCES: dict[str, str | int | bool] = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.allow_hijacking_localhost": True,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "app.update.disabledForTesting": True,
    "extensions.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "services.settings.server": "data:,",
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.aboutwelcome.enabled": False,
    "dom.disable_open_during_load": False,
    "network.cookie.cookieBehavior": 0,  # what SameSite does, without the partitions of tracking protection
    "dom.security.https_first": False,
    "dom.security.https_first_schemeless": False,
}


class Firefox:
    """One headless Firefox with one page."""

    name = "firefox"

    def __init__(self, connection: socket.socket, version: str) -> None:
        self.version = version
        self._connection = connection
        self._number = 0
        self._read()
        self._call("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"pageLoadStrategy": "normal"}}})
        timeouts = {"script": int(SECONDS * 1000), "pageLoad": int(SECONDS * 1000)}
        self._call("WebDriver:SetTimeouts", timeouts)

    def renew(self) -> None:
        """Go on in a new page, with the old ones closed."""
        old = self._call("WebDriver:GetWindowHandles", {})
        made = self._call("WebDriver:NewWindow", {"type": "tab"})["handle"]
        for handle in old:
            self._call("WebDriver:SwitchToWindow", {"handle": handle})
            self._call("WebDriver:CloseWindow", {})
        self._call("WebDriver:SwitchToWindow", {"handle": made})

    def navigate(self, url: str) -> None:
        """Open a page and wait until it has loaded, with everything in it; an error page is one, too."""
        with contextlib.suppress(BrowserError):
            self._call("WebDriver:Navigate", {"url": url})

    def run(self, body: str) -> Any:
        """What an async function of the page returns, as JSON."""
        script = (
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{{body}}})().then(value => done([value]), error => done(String(error)));"
        )
        found = self._call("WebDriver:ExecuteAsyncScript", {"script": script, "args": [], "sandbox": None})
        if not isinstance(found["value"], list):
            raise BrowserError(str(found["value"])[:600])
        return found["value"][0]

    def _call(self, method: str, parameters: dict[str, Any]) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, method, parameters]).encode()
        self._connection.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        if error:
            raise BrowserError(f"{method}: {error.get('error')}: {str(error.get('message'))[:500]}")
        return result

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._some(1)
        wanted, data = int(length[:-1]), b""
        while len(data) < wanted:
            data += self._some(wanted - len(data))
        return json.loads(data)

    def _some(self, most: int) -> bytes:
        piece = self._connection.recv(most)
        if not piece:
            raise BrowserError("the browser has ended")
        return piece


def _profile(folder: Path, port: int, marionette: int) -> Path:
    profile = folder / "profile"
    profile.mkdir()
    ports = {"network.proxy.http_port": port, "network.proxy.ssl_port": port, "marionette.port": marionette}
    lines = (
        f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in (_PREFERENCES | ports).items()
    )
    (profile / "user.js").write_text("\n".join(lines), encoding="ascii")
    database = ("certutil", "-d", f"sql:{profile}")
    empty = folder / "empty"
    empty.write_text("", encoding="ascii")
    subprocess.run((*database, "-N", "--empty-password"), check=True, capture_output=True)
    subprocess.run(
        (*database, "-A", "-n", "cases", "-t", "C,,", "-i", str(folder / "ca.pem")),
        check=True,
        capture_output=True,
    )
    return profile


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS)
        except OSError:
            time.sleep(0.1)
    raise BrowserError("Firefox did not start")


@contextlib.contextmanager
def running(folder: Path, port: int) -> Iterator[Firefox]:
    """A Firefox with a fresh profile that trusts our authority, and for which our server is the proxy."""
    path = shutil.which("firefox-esr") or shutil.which("firefox") or "firefox"
    said = subprocess.run((path, "--version"), check=True, capture_output=True, text=True).stdout
    marionette = _free_port()
    profile = _profile(folder, port, marionette)
    environment = {**os.environ, "HOME": str(folder), "MOZ_HEADLESS": "1"}
    command = (path, "--headless", "--marionette", "--no-remote", "--profile", str(profile))
    with (folder / "firefox.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        with _connected(marionette, process) as connection:
            yield Firefox(connection, re.findall(r"\d[\d.]*", said)[0])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
