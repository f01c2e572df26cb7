from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert, select

from cli import enlist
from cli.targets import Options
from headersweep.definition import SiteDefinition
from headersweep.errors import UsageError
from models.sites import sites

DOCS = SiteDefinition("docs", ("https://docs.example.com/",), owner="ann", max_pages=7)


def _insert(connection: Connection, definition: SiteDefinition, source: str = "file", **fields: bool) -> int:
    statement = insert(sites).values(
        name=definition.name, source=source, definition=definition.as_json(), **fields
    )
    return int(connection.execute(statement.returning(sites.c.id)).scalar_one())


def _choose(connection: Connection, *targets: str, options: Options | None = None) -> list[enlist.Chosen]:
    return enlist.choose(connection, enlist.wanted(targets, None), options or Options(), "no-such-folder")


def test_a_named_site_runs_with_its_applied_definition_and_the_flags(connection: Connection) -> None:
    site_id = _insert(connection, DOCS)
    (chosen,) = _choose(connection, "docs", options=Options(max_depth=2))
    assert (chosen.site_id, chosen.is_adhoc) == (site_id, False)
    assert (chosen.definition.max_pages, chosen.definition.max_depth) == (7, 2)


def test_flags_never_change_what_is_applied(connection: Connection) -> None:
    _insert(connection, DOCS)
    _choose(connection, "docs", options=Options(max_depth=2))
    kept = connection.execute(select(sites.c.definition)).scalar_one()
    assert SiteDefinition.from_json(kept) == DOCS


def test_a_misspelt_name_is_refused_with_the_name_that_was_meant(connection: Connection) -> None:
    _insert(connection, DOCS)
    with pytest.raises(UsageError, match=r"did you mean docs\?"):
        _choose(connection, "dosc")


def test_a_disabled_site_is_refused_with_how_to_enable_it(connection: Connection) -> None:
    _insert(connection, DOCS, enabled=False)
    with pytest.raises(UsageError, match="sites enable docs"):
        _choose(connection, "docs")


def test_a_url_makes_a_site_that_the_same_url_finds_again(connection: Connection) -> None:
    (first,) = _choose(connection, "https://example.com/")
    (second,) = _choose(connection, "https://EXAMPLE.com")
    assert first.site_id == second.site_id
    assert connection.execute(select(sites.c.source, sites.c.next_slot_at)).one() == ("adhoc", None)


def test_a_url_never_overwrites_a_site_file_of_that_name(connection: Connection) -> None:
    owned = SiteDefinition("example.com", ("https://example.com/",), owner="ann")
    site_id = _insert(connection, owned)
    (chosen,) = _choose(connection, "https://example.com/")
    assert chosen.site_id != site_id
    kept = connection.execute(select(sites.c.name, sites.c.source).order_by(sites.c.id)).all()
    assert kept == [("example.com", "file"), ("url:example.com", "adhoc")]
    assert chosen.definition.name == "url:example.com"


def test_a_target_given_twice_is_swept_once(connection: Connection) -> None:
    chosen = _choose(connection, "https://example.com/", "https://example.com", "https://example.org/")
    assert [item.definition.name for item in chosen] == ["example.com", "example.org"]
