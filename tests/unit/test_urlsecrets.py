from __future__ import annotations

import pytest

from headersweep import urlsecrets

KEY = "AKIA" + "Q7ZLM2XB5RWN3KCV"
JWT = "eyJhbGciOi" + ".eyJzdWIiOi" + ".c2lnbg"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://a.example/?page=2", "https://a.example/?page=2"),
        ("https://a.example/?Token=abcd&b=1", "https://a.example/?Token=<masked>&b=1"),
        ("https://a.example/x;jsessionid=AB12?b=1", "https://a.example/x;jsessionid=<masked>"),
        ("https://a.example/?mytoken=abcd", "https://a.example/?mytoken=abcd"),
        (f"such as https://a.example/{KEY}/x: found", "such as https://a.example/<masked>/x: found"),
        (f"https://a.example/?t={JWT}&b=1", "https://a.example/?t=<masked>&b=1"),
        ("csp.missing on 3 pages", "csp.missing on 3 pages"),
    ],
)
def test_what_is_secret_in_a_url_is_masked(text: str, masked: str) -> None:
    assert urlsecrets.masked(text) == masked
    assert urlsecrets.masked(masked) == masked
