"""What looks like a session, by name."""

from __future__ import annotations

import pytest

from review import sessions
from review.sessions import Likeness


@pytest.mark.parametrize("name", [name for name, _ in sessions.SESSIONS])
def test_the_names_of_the_table_are_sessions_with_and_without_prefix(name: str) -> None:
    for written in (name, name.upper(), f"__Host-{name}", f"__secure-{name}", f"__Host-Http-{name}"):
        assert sessions.likeness(written) is Likeness.KNOWN


@pytest.mark.parametrize(
    ("name", "likeness"),
    [
        ("ASPSESSIONIDQABCD", Likeness.KNOWN),
        ("wordpress_logged_in_0a1b", Likeness.KNOWN),
        ("SSESS0123456789abcdef", Likeness.KNOWN),
        ("my-session", Likeness.SUGGESTED),
        ("app_sid", Likeness.SUGGESTED),
        ("authToken", Likeness.SUGGESTED),
        ("userLogin", Likeness.SUGGESTED),
        ("side", Likeness.NONE),
        ("theme", Likeness.NONE),
        ("", Likeness.NONE),
        ("XSRF-TOKEN", Likeness.NONE),
        ("csrftoken", Likeness.NONE),
        ("__RequestVerificationToken", Likeness.NONE),
        ("author", Likeness.NONE),
        ("_hjSessionUser_1", Likeness.NONE),
        ("ai_session", Likeness.NONE),
        ("AWSALBAuthNonce", Likeness.NONE),
    ],
)
def test_how_much_a_name_looks_like_a_session(name: str, likeness: Likeness) -> None:
    assert sessions.likeness(name) is likeness


def test_what_protects_against_forged_requests_is_known() -> None:
    assert sessions.is_anti_forgery("__Host-csrf")
    assert not sessions.is_anti_forgery("session")
