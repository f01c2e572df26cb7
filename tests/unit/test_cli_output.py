from __future__ import annotations

from pathlib import Path

import pytest

from cli import output
from headersweep.errors import HeadersweepError, UsageError


def test_a_file_appears_whole(tmp_path: Path) -> None:
    place = tmp_path / "run.csv"
    with output.writing(str(place)) as stream:
        stream.write("first\n")
        assert not place.exists()
    assert (place.read_text(), [path.name for path in tmp_path.iterdir()]) == ("first\n", ["run.csv"])


def _fill_the_disk(place: Path) -> None:
    with output.writing(str(place)) as stream:
        stream.write("half")
        raise OSError(28, "No space left on device")


def test_a_failed_write_leaves_the_old_file_and_no_half(tmp_path: Path) -> None:
    place = tmp_path / "run.csv"
    place.write_text("old")
    with pytest.raises(HeadersweepError, match=r"No space left.*nothing is lost"):
        _fill_the_disk(place)
    assert (place.read_text(), [path.name for path in tmp_path.iterdir()]) == ("old", ["run.csv"])


def test_a_full_device_is_a_clear_error() -> None:
    with pytest.raises(HeadersweepError, match="cannot write /dev/full: No space left") as failed:
        output.emit("text", "/dev/full")
    assert failed.value.exit_code == 1


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    output.emit("new", str(tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new\n"


@pytest.mark.parametrize(
    ("path", "complaint"), [("{}", "is a folder"), ("{}/none/run.csv", "does not exist")]
)
def test_an_impossible_place_is_refused_before_any_work(path: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=complaint):
        output.check(path.format(tmp_path))
