"""Policy-controlled features: what Permissions-Policy and Feature-Policy are about, and how both lists are read."""

from __future__ import annotations

import re
from collections.abc import Iterable

POWERFUL = frozenset(
    {
        "bluetooth",
        "camera",
        "clipboard-read",
        "display-capture",
        "geolocation",
        "hid",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    }
)
"""What a page can ask of its user that an embedded page of anybody should not."""

_NAMES = """
accelerometer all-screens-capture ambient-light-sensor attribution-reporting autofill autoplay battery
browsing-topics captured-surface-control clipboard-write compute-pressure controlled-frame
conversion-measurement cross-origin-isolated deferred-fetch deferred-fetch-minimal device-attributes
digital-credentials-create digital-credentials-get direct-sockets direct-sockets-private document-domain
document-write encrypted-media execution-while-not-rendered execution-while-out-of-viewport
federated-credentials fenced-unpartitioned-storage-read focus-without-user-activation
font-display-late-swap fullscreen gamepad gyroscope identity-credential-get identity-credentials-get
idle-detection interest-cohort join-ad-interest-group keyboard-map language-detector language-model
layout-animations legacy-image-formats local-fonts local-network local-network-access loopback-network
magnetometer media-playback-while-not-visible navigation-override notifications
on-device-speech-recognition otp-credentials oversized-images picture-in-picture popins
private-aggregation private-state-token-issuance private-state-token-redemption proofreader
publickey-credentials-create publickey-credentials-get push record-ad-auction-events rewriter
run-ad-auction screen-wake-lock shared-autofill shared-storage shared-storage-select-url smart-card
speaker speaker-selection storage-access sub-apps summarizer sync-script sync-xhr translator
trust-token-redemption unload unoptimized-images unsized-media vertical-scroll vibrate vr wake-lock
web-app-installation web-printing web-share window-management window-placement writer
xr-spatial-tracking ch-device-memory ch-downlink ch-dpr ch-ect ch-lang ch-prefers-color-scheme
ch-prefers-reduced-motion ch-prefers-reduced-transparency ch-rtt ch-save-data ch-ua ch-ua-arch
ch-ua-bitness ch-ua-form-factor ch-ua-form-factors ch-ua-full ch-ua-full-version ch-ua-full-version-list
ch-ua-high-entropy-values ch-ua-mobile ch-ua-model ch-ua-platform ch-ua-platform-version ch-ua-reduced
ch-ua-wow64 ch-viewport-height ch-viewport-width ch-width
"""
KNOWN = POWERFUL | frozenset(_NAMES.split())
"""Those of the standards and of Chromium, its experiments included, and retired ones, which do no harm."""

_ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s\\]+)")


def origin(text: str) -> str | None:
    """The origin that an entry names, in lower case; None where it names none. A host may start with ``*.``."""
    found = _ORIGIN.match(text) if text.isascii() else None
    return f"{found[1]}://{found[2].rpartition('@')[2]}".lower() if found else None


def folded(entries: Iterable[str]) -> list[str]:
    """An allowlist without repeats; with a star in it, nothing else counts."""
    found = list(dict.fromkeys(entries))
    return ["*"] if "*" in found else found
