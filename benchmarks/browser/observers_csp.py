"""What a page with a content security policy may do: everything that a policy can forbid, in one page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

from benchmarks.browser import hosts
from benchmarks.browser.observing import Did, Lab
from benchmarks.browser.records import Case
from benchmarks.browser.server import PICTURE, PIXEL, SCRIPT, Answer

NONCE = "good"
SHORT_SECONDS = 0.4
"""For what the page has asked for already, if it may."""
HASHED, HANDLER = "window.p_hash = 1", "window.p_handler_hash = 1"
SCRIPTS = {
    "external_self": (hosts.FIRST, ""),
    "external_sub": (hosts.SUB, ""),
    "external_foreign": (hosts.SECOND, ""),
    "external_nonce": (hosts.SECOND, NONCE),
}
"""External scripts of the page: host and nonce."""


def digest(text: str) -> str:
    """The hash of an inline script, as a policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def script_path(name: str) -> str:
    """Where a script of the page lies."""
    return f"/part/{name.replace('_', '-')}.js"


def _externals() -> str:
    return "".join(
        f"<script src='https://{host}{script_path(name)}' nonce='{nonce}'></script>"
        for name, (host, nonce) in SCRIPTS.items()
    )


_BODY = f"""<!doctype html><title>case</title><base href="https://{hosts.SECOND}/base/"><body>
<style>#one {{color: rgb(1, 2, 3)}}</style>
<link rel=stylesheet href="https://{hosts.SECOND}/part/style.css">
<p id=one></p><p id=two style="color: rgb(1, 2, 3)"></p><p id=three></p>
<script>window.p_inline = 1</script>
<script nonce="{NONCE}">window.p_nonce = 1</script>
<script>{HASHED}</script>
<script nonce="{NONCE}">{{ const made = document.createElement('script');
made.src = 'https://{hosts.SECOND}{script_path("dynamic")}'; document.head.append(made); }}</script>
{_externals()}
<script src="data:text/javascript,window.p_external_data = 1"></script>
<button id=press onclick="window.p_handler = 1"></button>
<button id=press-hash onclick="{HANDLER}"></button>
<img id=image src="https://{hosts.SECOND}/pixel"><img id=image-data src="data:image/svg+xml,{PIXEL.replace('"', "'").replace("'", "%27")}">
<iframe src="https://{hosts.SECOND}/part/frame"></iframe>
<object data="https://{hosts.SECOND}/part/object"></object>
<iframe src="http://{hosts.SECOND}/part/upgraded"></iframe>
<iframe name=target></iframe><form id=form action="https://{hosts.SECOND}/part/form" target=target></form>
"""
_ASK = f"""
    for (const id of ['press', 'press-hash']) document.getElementById(id).click();
    try {{ window.setTimeout('window.p_eval = 1', 0); }} catch (error) {{ }}
    const colour = id => getComputedStyle(document.getElementById(id)).color === 'rgb(1, 2, 3)';
    const shown = id => document.getElementById(id).naturalWidth > 0;
    const reached = await fetch('https://{hosts.SECOND}/echo').then(() => true, () => false);
    const worker = await new Promise(done => {{
        try {{
            const made = new Worker('https://{hosts.FIRST}/part/worker.js');
            made.onmessage = () => done(true);
            made.onerror = () => done(false);
            setTimeout(() => done(false), 1500);
        }} catch (error) {{ done(false); }}
    }});
    try {{ document.getElementById('form').submit(); }} catch (error) {{ }}
    let html = true;
    try {{ document.createElement('p').innerHTML = '<b>x</b>'; }} catch (error) {{ html = false; }}
    await new Promise(done => setTimeout(done, 60));
    const ran = {{}};
    for (const name of NAMES) ran[name] = window['p_' + name] === 1;
    return {{
        ...ran, worker, html, connect: reached,
        style_inline: colour('one'), style_attribute: colour('two'), style_foreign: colour('three'),
        image: shown('image'), image_data: shown('image-data'), base: document.baseURI.includes('/base/'),
    }};
"""
RAN = (
    "inline", "nonce", "hash", "handler", "handler_hash", "eval", "dynamic", *SCRIPTS, "external_data",
)  # fmt: skip
REQUESTED = {"frame": "/part/frame", "object": "/part/object", "form": "/part/form"}


def content(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Everything that a page with these policies does."""
    _serve(lab)
    ask = _ASK.replace("NAMES", str(list(RAN)))
    for case in cases:
        lab.site.log.clear()
        lab.browser.navigate(f"https://{hosts.FIRST}{lab.add(case, _BODY)}")
        found = lab.browser.run(ask)
        found |= {key: bool(lab.heard(path, SHORT_SECONDS)) for key, path in REQUESTED.items()}
        yield found | {"upgraded": any(one.scheme == "https" for one in lab.site.requests("/part/upgraded"))}


def _serve(lab: Lab) -> None:
    for name in (*SCRIPTS, "dynamic"):
        lab.site.add(script_path(name), Answer((), f"window.p_{name} = 1", SCRIPT))
    lab.site.add("/part/worker.js", Answer((), "postMessage(1)", SCRIPT))
    lab.site.add("/part/style.css", Answer((), "#three {color: rgb(1, 2, 3)}", "text/css"))
    lab.site.add("/pixel", Answer((), PIXEL, PICTURE))


_SANDBOXED = """<!doctype html><title>case</title><body><script>window.p_inline = 1</script>
<form id=form action="/part/form"></form>"""


def sandboxed(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """What a sandboxed page may still do: run scripts, and be of its own origin."""
    for case in cases:
        lab.browser.navigate(f"https://{hosts.FIRST}{lab.add(case, _SANDBOXED)}")
        yield lab.browser.run("return {script: window.p_inline === 1, own_origin: window.origin !== 'null'}")
