"""What becomes of pages that are opened themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.browser import hosts
from benchmarks.browser.observing import Did, Lab
from benchmarks.browser.records import Case
from benchmarks.browser.server import SCRIPT, Answer

_PAGE = "<!doctype html><title>case</title><body>"
_LOADS = """
    const loads = url => new Promise(done => {
        const picture = new Image();
        picture.onload = () => done(true);
        picture.onerror = () => done(false);
        picture.src = url;
    });
"""
FEATURES = ("camera", "fullscreen", "geolocation", "payment", "usb")


def referrer(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """What of its URL a page tells its own host, a foreign one, and a foreign one over http."""
    for case in cases:
        path = lab.add(case, _PAGE)
        url = f"https://{hosts.FIRST}{path}"
        lab.open(url)
        same, foreign, down = (lab.unique(word) for word in ("same", "foreign", "down"))
        lab.browser.run(
            f"{_LOADS} await loads('https://{hosts.FIRST}{same}'); await loads('https://{hosts.SECOND}{foreign}'); "
            f"setTimeout(() => {{ location.href = 'http://{hosts.SECOND}{down}'; }}, 150);"
        )
        places = (("same", same), ("foreign", foreign), ("insecure", down))
        told = {key: _told(lab, place, url) for key, place in places}
        lab.pause(0.1)  # until the last page has come
        yield told


def _told(lab: Lab, path: str, url: str) -> str:
    request = lab.heard(path)
    said = request.headers.get("referer") if request else "no request"
    words = {None: "nothing", url: "url", f"https://{hosts.FIRST}/": "origin"}
    return words.get(said, str(said))


def transport(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether http becomes https after the answer: on the host, below it, and on a host that was bound already."""
    prime = lab.site.add("/prime", Answer(("Strict-Transport-Security: max-age=1000",)))
    for case in cases:
        host, path = case.host, lab.add(case, _PAGE)
        lab.browser.navigate(f"https://{host}{path}")
        found = {"host": _scheme(lab, host), "below": _scheme(lab, f"sub.{host}")}
        lab.browser.navigate(f"https://{host}{prime}")
        lab.browser.navigate(f"https://{host}{path}")
        yield {**found, "bound_before": _scheme(lab, host)}


def _scheme(lab: Lab, host: str) -> str:
    path = lab.unique("scheme")
    lab.browser.navigate(f"http://{host}{path}")
    request = lab.heard(path)
    return request.scheme if request else "no request"


def permissions(lab: Lab, cases: Sequence[Case]) -> Iterator[Did | None]:
    """Who may use features, as the page itself can ask."""
    for case in cases:
        lab.browser.navigate(f"https://{hosts.FIRST}{lab.add(case, _PAGE)}")
        yield lab.browser.run(
            "const policy = document.featurePolicy; return policy ? "
            f"Object.fromEntries({list(FEATURES)}.map(name => [name, policy.getAllowlistForFeature(name).sort()])) : null"
        )


def opener(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a page that a foreign one opened keeps its opener."""
    lab.harness()
    for case in cases:
        said = lab.unique("opener")
        body = f"{_PAGE}<script>fetch('{said}-' + Boolean(opener)).then(close)</script>"
        url = f"https://{hosts.FIRST}{lab.add(case, body)}"
        lab.browser.run(f"window.open('{url}', '_blank', 'popup');")
        yield {"opener": _either(lab, said)}


def _either(lab: Lab, said: str) -> bool | None:
    kept = lab.site.requests
    for _ in range(300):
        if kept(f"{said}-true") or kept(f"{said}-false"):
            return bool(kept(f"{said}-true"))
        lab.pause(0.01)
    return None


def isolation(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a page is isolated, and shows a foreign picture that agrees to nothing."""
    for case in cases:
        lab.browser.navigate(f"https://{hosts.FIRST}{lab.add(case, _PAGE)}")
        yield lab.browser.run(
            f"{_LOADS} return {{isolated: window.crossOriginIsolated, "
            f"foreign: await loads('https://{hosts.SECOND}/plain-pixel?' + Math.random())}};"
        )


def agents(lab: Lab, cases: Sequence[Case]) -> Iterator[Did | None]:
    """Whether a page has an agent cluster of its origin's own."""
    for case in cases:
        lab.browser.navigate(f"https://{case.host}{lab.add(case, _PAGE)}")
        found = lab.browser.run("return window.originAgentCluster")
        yield None if found is None else {"own": found}


def clearing(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a cookie and what a script stored survive an answer."""
    for case in cases:
        host, path = case.host, lab.add(case, _PAGE)
        lab.browser.navigate(f"https://{host}/empty")
        lab.browser.run("document.cookie = 'kept=1; path=/'; localStorage.kept = '1'; return 1")
        lab.browser.navigate(f"https://{host}{path}")
        yield lab.browser.run(
            "return {cookies: !document.cookie.includes('kept'), storage: localStorage.kept !== '1'}"
        )


def documents(lab: Lab, cases: Sequence[Case]) -> Iterator[Did | None]:
    """Whether Document-Policy lets a page profile its scripts, which nothing else does."""
    for case in cases:
        lab.browser.navigate(f"https://{hosts.FIRST}{lab.add(case, _PAGE)}")
        found = lab.browser.run(
            "if (!window.Profiler) return null; try { new Profiler({sampleInterval: 10, maxBufferSize: 10}).stop(); "
            "return true } catch (error) { return false }"
        )
        yield None if found is None else {"js-profiling": found}


def integrity(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a page loads a script and a style sheet without a hash."""
    lab.site.add("/part/plain.js", Answer((), "window.ran = 1", SCRIPT))
    lab.site.add("/part/plain.css", Answer((), "body {color: rgb(1, 2, 3)}", "text/css"))
    body = f"{_PAGE}<link rel=stylesheet href=/part/plain.css><script src=/part/plain.js></script>"
    for case in cases:
        lab.browser.navigate(f"https://{hosts.FIRST}{lab.add(case, body)}")
        yield lab.browser.run(
            "return {script: window.ran === 1, style: getComputedStyle(document.body).color === 'rgb(1, 2, 3)'}"
        )


def cookies(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """With which requests the cookies of an answer come back, and which of them a script sees."""
    for case in cases:
        host, path = case.host, lab.add(case, _PAGE)
        lab.open(f"https://{host}{path}")
        places = {key: lab.unique(key) for key in ("same", "below", "embedded", "link", "insecure")}
        seen = lab.browser.run(
            f"{_LOADS} await loads('https://{host}{places['same']}'); await loads('https://sub.{host}{places['below']}');"
            "return document.cookie"
        )
        lab.harness()
        link = f"location.href = 'https://{host}{places['link']}'"
        lab.browser.run(
            f"{_LOADS} await loads('https://{host}{places['embedded']}'); setTimeout(() => {{ {link} }}, 150)"
        )
        lab.heard(places["link"])
        lab.pause(0.1)  # until that page has come
        lab.open(f"http://{host}{places['insecure']}")
        yield {"script": _names(seen), **{key: _sent(lab, place) for key, place in places.items()}}


def _sent(lab: Lab, path: str) -> list[str]:
    request = lab.heard(path)
    return _names(request.headers.get("cookie", "") if request else "no request")


def _names(text: str) -> list[str]:
    return sorted(part.partition("=")[0] for part in text.split("; ") if part)
