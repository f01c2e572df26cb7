from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from headersweep import settings
from headersweep.errors import ConfigurationError, ExitCode
from headersweep.settings import Settings

URLS = {"HEADERSWEEP_DATABASE_URL": "postgresql://h/d", "HEADERSWEEP_BROKER_URL": "redis://h"}
NUMBERS = [item for item in dataclasses.fields(Settings) if isinstance(item.default, int | float)]
FROM_ZERO = {"workers", "retention_days", "supervisor_pid"}


def test_an_empty_environment_means_everything_embedded() -> None:
    chosen = settings.from_mapping({"PATH": "/bin", "HEADERSWEEPER": "x"})

    assert chosen == Settings()
    assert settings.embedded(chosen)


def test_a_variable_sets_the_setting_of_its_name() -> None:
    chosen = settings.from_mapping({"HEADERSWEEP_COMMIT_PAGES": "50", "HEADERSWEEP_LEASE_SECONDS": "45.5"})

    assert (chosen.commit_pages, chosen.lease_seconds) == (50, 45.5)


@pytest.mark.parametrize("variable", ["HEADERSWEEP_WORKER", "HEADERSWEEP_", "HEADERSWEEP_DATABSE_URL_FILE"])
def test_an_unknown_variable_refuses_to_start_and_names_the_known_ones(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=f"unknown setting {variable}|only secrets") as caught:
        settings.from_mapping({variable: "4"})

    assert caught.value.exit_code == ExitCode.CONFIGURATION


def test_the_message_about_an_unknown_variable_lists_what_is_allowed() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings.from_mapping({"HEADERSWEEP_WORKER": "4"})

    assert all(
        f"HEADERSWEEP_{item.name.upper()}" in str(caught.value) for item in dataclasses.fields(Settings)
    )


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://u:p@h/d\n", encoding="utf-8")

    chosen = settings.from_mapping(
        {"HEADERSWEEP_DATABASE_URL_FILE": str(secret), "HEADERSWEEP_BROKER_URL": "redis://h"}
    )

    assert chosen.database_url == "postgresql://u:p@h/d"
    assert not settings.embedded(chosen)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    with pytest.raises(
        ConfigurationError, match=r"HEADERSWEEP_BROKER_URL_FILE: cannot read .*missing: No such file"
    ):
        settings.from_mapping({"HEADERSWEEP_BROKER_URL_FILE": str(missing)})


def test_only_secrets_may_stand_in_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="only secrets may stand in a file; set HEADERSWEEP_LOG"):
        settings.from_mapping({"HEADERSWEEP_LOG_FILE": str(tmp_path)})


@pytest.mark.parametrize("variable", sorted(URLS))
def test_one_url_without_the_other_is_refused(variable: str) -> None:
    with pytest.raises(ConfigurationError, match="or neither"):
        settings.from_mapping({variable: URLS[variable]})


def test_both_urls_together_are_accepted() -> None:
    assert not settings.embedded(settings.from_mapping(URLS))


@pytest.mark.parametrize("item", NUMBERS, ids=lambda item: item.name)
def test_a_number_below_its_least_value_is_refused(item: dataclasses.Field[float]) -> None:
    variable = f"HEADERSWEEP_{item.name.upper()}"
    lowest = "0" if item.name in FROM_ZERO else "1"
    below = "-1" if item.name in FROM_ZERO else "0"

    assert getattr(settings.from_mapping({variable: lowest}), item.name) == int(lowest)
    with pytest.raises(ConfigurationError, match=f"{variable}=.* is too small"):
        settings.from_mapping({variable: below})


@pytest.mark.parametrize("item", NUMBERS, ids=lambda item: item.name)
@pytest.mark.parametrize("text", ["", "many", "1e", "0x10", "nan", "inf"])
def test_what_is_no_number_is_refused(item: dataclasses.Field[float], text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"HEADERSWEEP_{item.name.upper()}="):
        settings.from_mapping({f"HEADERSWEEP_{item.name.upper()}": text})


@pytest.mark.parametrize("variable", ["HEADERSWEEP_LOG", "HEADERSWEEP_LOG_LEVEL"])
def test_an_unknown_choice_is_refused_with_the_known_ones(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable}='loud': use one of .*, "):
        settings.from_mapping({variable: "loud"})


@pytest.mark.parametrize("format_name", settings.LOG_FORMATS)
@pytest.mark.parametrize("level", settings.LOG_LEVELS)
def test_every_known_log_format_and_level_is_accepted(format_name: str, level: str) -> None:
    chosen = settings.from_mapping({"HEADERSWEEP_LOG": format_name, "HEADERSWEEP_LOG_LEVEL": level})

    assert (chosen.log, chosen.log_level) == (format_name, level)


def test_a_message_never_shows_a_secret() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings.from_mapping({"HEADERSWEEP_DATABASE_URL": "postgresql://u:hunter2@h/d"})

    assert "hunter2" not in str(caught.value)


def test_printing_the_settings_never_shows_a_secret() -> None:
    chosen = settings.from_mapping({**URLS, "HEADERSWEEP_DATABASE_URL": "postgresql://u:hunter2@h/d"})

    assert "hunter2" not in repr(chosen)


def test_every_setting_says_what_it_is_for() -> None:
    assert all(item.metadata["help"].endswith(".") for item in dataclasses.fields(Settings))


@pytest.mark.parametrize(
    "url", ["ping.example.com/1", "file:///etc/passwd", "https://", "https://a/ b", "https://a/\n"]
)
def test_a_ping_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="PING_URL is no http") as caught:
        settings.from_mapping({"HEADERSWEEP_PING_URL": url})

    assert url not in str(caught.value)


def test_a_ping_url_may_have_a_port_and_a_query() -> None:
    url = "http://[::1]:8000/ping/uuid?create=1"
    assert settings.from_mapping({"HEADERSWEEP_PING_URL": url}).ping_url == url
