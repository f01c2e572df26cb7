"""Chromium over the DevTools protocol, through two pipes: no port, no further library."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = 20.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-popup-blocking",
    "--remote-debugging-pipe",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable",
)

_PREFERENCES = {"profile": {"cookie_controls_mode": 0}}
"""Distributors block cookies of other sites; what SameSite does is to be seen."""


class BrowserError(RuntimeError):
    """The browser did not do what it was told."""


class Chromium:
    """One headless Chromium with one page."""

    name = "chromium"

    def __init__(self, process: subprocess.Popen[bytes], reading: int, writing: int, version: str) -> None:
        self.version = version
        self._process, self._reading, self._writing = process, reading, writing
        self._buffer = b""
        self._number = 0
        self._session = ""
        self._events: list[str] = []
        self.renew()

    def renew(self) -> None:
        """Go on in a new page, with the old ones closed."""
        self._session = ""
        pages = self._call("Target.getTargets")["targetInfos"]
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        for page in pages:
            if page["type"] == "page":
                self._call("Target.closeTarget", targetId=page["targetId"])
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")

    def navigate(self, url: str) -> None:
        """Open a page and wait until it has loaded, with everything in it."""
        self._events.clear()
        error = self._call("Page.navigate", url=url).get("errorText")
        if error:
            return
        deadline = time.monotonic() + SECONDS
        while "Page.loadEventFired" not in self._events:
            self._note(self._message(deadline))

    def run(self, body: str) -> Any:
        """What an async function of the page returns, as JSON."""
        answer = self._call(
            "Runtime.evaluate",
            expression=f"(async () => {{{body}}})()",
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
            allowUnsafeEvalBlockedByCSP=False,
        )
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + SECONDS
        while (answer := self._message(deadline)).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return answer["result"]

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("sessionId") == self._session and "method" in message:
            self._events.append(message["method"])

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._reading], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise BrowserError("the browser does not answer")
            piece = os.read(self._reading, 1 << 20)
            if not piece:
                raise BrowserError("the browser has ended")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextlib.contextmanager
def running(folder: Path, port: int, key_hash: str) -> Iterator[Chromium]:
    """A Chromium with a fresh profile, for which every host name is our server."""
    path = shutil.which("chromium") or "chromium"
    said = subprocess.run((path, "--version"), check=True, capture_output=True, text=True).stdout
    version = re.findall(r"[\d.]+", said)[0]
    from_us, to_browser = os.pipe()
    to_us, from_browser = os.pipe()
    preferences = folder / "profile" / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps(_PREFERENCES), encoding="ascii")
    rules = f"--host-resolver-rules=MAP * 127.0.0.1:{port}"
    trust = f"--ignore-certificate-errors-spki-list={key_hash}"
    command = (path, *_FLAGS, rules, trust, f"--user-data-dir={folder / 'profile'}", "about:blank")
    shell = ("bash", "-c", f'exec "$@" 3<&{from_us} 4>&{from_browser}', "bash", *command)
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            shell, pass_fds=(from_us, from_browser), stderr=log, stdout=log, start_new_session=True
        )
    os.close(from_us)
    os.close(from_browser)
    try:
        yield Chromium(process, to_us, to_browser, version)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(to_us)
        os.close(to_browser)
