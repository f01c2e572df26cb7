"""Probes as values: what may be asked, and that it is kept and read back whole."""

from __future__ import annotations

from typing import Any

import pytest

from headersweep.definition import Probes, SiteDefinition
from headersweep.probes import PlannedProbe, ProbeKind, ProbeRequest
from headersweep.sitekeys import BY_PATH, default_of
from review.probes import kinds
from scheduler import probing

URL = "https://site.example/"

REQUESTS = (
    ProbeRequest(URL),
    ProbeRequest(URL, "HEAD"),
    ProbeRequest(URL, headers=(("Origin", "null"), ("Cookie", "headersweep=1"))),
    ProbeRequest(URL, "POST", length=1),
    ProbeRequest(URL, "PUT", (("X-Test", "a b"),), 10**12),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_request_is_read_back_as_it_was_kept(request_: ProbeRequest) -> None:
    assert ProbeRequest.from_json(request_.as_json()) == request_
    planned = PlannedProbe(ProbeKind.CORS, URL, 1, request_, context={"says_null": True})
    assert ProbeRequest.from_json(planned.as_json()) == request_
    assert planned.as_json()["context"] == {"says_null": True}


WRONG: dict[str, dict[str, Any]] = {
    "a method that changes things": {"method": "DELETE"},
    "somebody's credentials": {"headers": (("Authorization", "Basic eA=="),)},
    "in other letters": {"headers": (("aUTHORIZATION", "Basic eA=="),)},
    "another host": {"headers": (("Host", "other.example"),)},
    "a second length": {"headers": (("Content-Length", "5"),)},
    "a line break in a value": {"headers": (("Origin", "null\r\nX: y"),)},
    "a line break in a name": {"headers": (("Origin\n", "null"),)},
    "no value": {"headers": (("Origin", ""),)},
    "no ASCII": {"headers": (("Origin", "é"),)},
    "a body with GET": {"length": 5},
    "an empty body": {"method": "POST", "length": 0},
}


@pytest.mark.parametrize("values", WRONG.values(), ids=WRONG)
def test_what_is_no_request_of_a_probe_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no method|no header|announce"):
        ProbeRequest(URL, **values)


def test_every_kind_is_off_has_a_key_a_planter_and_a_judge() -> None:
    for kind in ProbeKind:
        assert default_of(BY_PATH[f"probes.{kind}"]) is False
        assert Probes(**{kind: True}).kinds == (kind,)
    assert set(probing.PLANTERS) == set(probing.JUDGES) == set(ProbeKind)
    assert set(kinds.READERS) <= set(ProbeKind)
    assert SiteDefinition("x", (URL,)).probes.kinds == ()


def test_a_definition_says_nothing_of_probes_unless_there_are_some() -> None:
    plain = SiteDefinition("x", (URL,))
    assert "probes" not in plain.as_json()
    asking = SiteDefinition("x", (URL,), probes=Probes(cors=True))
    assert asking.as_json()["probes"] == {"cors": True}
    assert SiteDefinition.from_json(asking.as_json()) == asking
    assert SiteDefinition.from_json(plain.as_json()) == plain
