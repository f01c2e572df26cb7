"""Feature-Policy: what Chromium still makes of the old syntax."""

from __future__ import annotations

import pytest

from review.checks import feature_policy as check
from tests.unit.review._cases import HTML, IMAGE, Case, verify

IGNORED, ALONE = "feature_policy.ignored", "feature_policy.alone"
NAME = "feature-policy"
LINE = "Feature-Policy: "
NEW = "Permissions-Policy: camera=()"
_CHROMIUM = "Chromium, permissions_policy_parser.cc, ParseFeaturePolicyToIR"


def reads(name: str, value: str, **policy: list[str]) -> Case:
    return Case(name, (HTML, LINE + value), {ALONE}, {NAME: policy}, source=_CHROMIUM)


def ignored(name: str, value: str) -> Case:
    return Case(name, (HTML, LINE + value), {IGNORED}, {NAME: None}, source=_CHROMIUM)


CASES = (
    Case("nothing", (HTML,)),
    reads("none", "camera 'none'", camera=[]),
    reads("self in odd case", "camera 'Self'", camera=["self"]),
    reads("without a list", "camera", camera=["self"]),
    reads("several", "camera 'none'; usb *;", camera=[], usb=["*"]),
    reads("with commas", "camera 'none', usb 'self'", camera=[], usb=["self"]),
    reads("the first of repeated features", "usb 'none'; usb *", usb=[]),
    reads("origins", "usb 'self' https://A.example/x", usb=["self", "https://a.example"]),
    reads("keywords without quotes", "usb self none", usb=[]),
    reads("src is for frames", "usb 'src'", usb=[]),
    reads("a star swallows", "usb 'self' *", usb=["*"]),
    reads("an unknown feature beside", "frob 'none'; usb 'none'", frob=[], usb=[]),
    Case(
        "two lines",
        (HTML, LINE + "camera 'none'", LINE + "usb 'none'"),
        {ALONE},
        {NAME: {"camera": [], "usb": []}},
    ),
    Case("beside the new header", (HTML, NEW, LINE + "usb 'none'"), effective={NAME: {"usb": []}}),
    Case("nothing understood beside the new header", (HTML, NEW, LINE + "x"), {IGNORED}),
    Case("on a picture", (IMAGE, LINE + "camera 'none'")),
    ignored("empty", ""),
    ignored("only separators", " ; , "),
    ignored("the new syntax", "camera=(), microphone=()"),
    ignored("an unknown feature", "frob 'none'"),
    ignored("in capitals", "Camera 'none'"),
    ignored("garbage bytes", "\xff\x00"),
    ignored("longer than 64 KiB", "camera 'none';" * 5000),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_feature_policy(case: Case) -> None:
    verify(check, case)
