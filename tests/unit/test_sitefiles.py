"""Site files: every mistake is named with its line, and a right file gives exactly what it says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep import sitefiles, sitekeys, sitelines
from headersweep.definition import ADDED_KEYS, CatchUp, Overlap, RobotsMode, Scope, ScopeMode, SiteDefinition
from headersweep.errors import ConfigurationError, Mistake, SiteFileError

ROOT = Path(__file__).parents[2]

MINIMAL = """\
name = "docs"
start_urls = ["https://docs.example/"]
owner = "web team"
expected_result = "500 pages"
rollback_note = "git revert"
"""
NEXT_LINE = MINIMAL.count("\n") + 1


def mistakes(text: str) -> list[Mistake]:
    with pytest.raises(SiteFileError) as caught:
        sitefiles.parse("sites/docs.toml", text)
    return caught.value.mistakes


def only_mistake(text: str) -> Mistake:
    found = mistakes(text)
    assert len(found) == 1, [str(mistake) for mistake in found]
    return found[0]


def definition(text: str) -> SiteDefinition:
    return sitefiles.parse("sites/docs.toml", text).definition


def test_a_minimal_file_gets_the_defaults() -> None:
    assert definition(MINIMAL) == SiteDefinition(
        name="docs",
        start_urls=("https://docs.example/",),
        owner="web team",
        expected_result="500 pages",
        rollback_note="git revert",
    )


def test_every_key_arrives_where_it_belongs() -> None:
    text = """\
name = "docs:en"
start_urls = ["https://docs.example/", "https://docs.example/other"]
owner = "web team"
expected_result = "500 pages"
rollback_note = "git revert"
enabled = false
schedule = "30 2 * * MON-FRI"
timezone = "Europe/Berlin"
rate = 2
max_rate = 20.5
concurrency = 4
shards = 2
max_pages = 50_000
max_depth = 0
follow_links = false
sitemaps = false
robots = "ignore"
allow_addresses = ["10.0.0.0/8", "fd00::/8"]
allow_unverified_tls = true
failure_threshold = 0
catch_up = "all"
catch_up_window = "7d"
catch_up_limit = 168
overlap = "queue"
splay = "10m"
window = "22:00-05:00"

[scope]
mode = "domain"
path_prefix = "/docs"
include = ["/docs/en/*"]
exclude = ["*/print"]
"""
    assert definition(text) == SiteDefinition(
        name="docs:en",
        start_urls=("https://docs.example/", "https://docs.example/other"),
        owner="web team",
        expected_result="500 pages",
        rollback_note="git revert",
        enabled=False,
        schedule="30 2 * * MON-FRI",
        timezone="Europe/Berlin",
        rate=2.0,
        max_rate=20.5,
        concurrency=4,
        shards=2,
        scope=Scope(ScopeMode.DOMAIN, "/docs", ("/docs/en/*",), ("*/print",)),
        max_pages=50_000,
        max_depth=0,
        follow_links=False,
        sitemaps=False,
        robots=RobotsMode.IGNORE,
        allow_addresses=("10.0.0.0/8", "fd00::/8"),
        allow_unverified_tls=True,
        failure_threshold=0.0,
        catch_up=CatchUp.ALL,
        catch_up_window="7d",
        catch_up_limit=168,
        overlap=Overlap.QUEUE,
        splay="10m",
        window="22:00-05:00",
    )


@pytest.mark.parametrize(
    "line",
    [
        'catch_up_window = "1m"',
        'catch_up_window = "366d"',
        "catch_up_limit = 1",
        "catch_up_limit = 1_000",
        'splay = "0s"',
        'splay = "24h"',
        'window = "00:00-24:00"',
        'catch_up = "all"\noverlap = "queue"',
        'catch_up = "last"\noverlap = "cancel"',
    ],
)
def test_the_ends_of_what_is_allowed_are_allowed(line: str) -> None:
    assert SiteDefinition.from_json(definition(MINIMAL + line).as_json()) == definition(MINIMAL + line)


def test_catching_up_all_and_cancelling_what_is_at_work_do_not_go_together() -> None:
    mistake = only_mistake(MINIMAL + 'catch_up = "all"\noverlap = "cancel"\n')
    assert mistake.line == NEXT_LINE + 1
    assert "each slot would cancel the one before" in mistake.message


def test_a_definition_kept_by_the_first_version_gets_the_defaults_of_new_keys() -> None:
    kept = definition(MINIMAL).as_json()
    assert not set(ADDED_KEYS) & set(kept)  # so that the first version's workers can read it
    read = SiteDefinition.from_json(kept)
    assert read == definition(MINIMAL)
    assert (read.catch_up, read.overlap, read.splay, read.window) == (CatchUp.LAST, Overlap.SKIP, None, None)


def test_a_new_key_is_kept_where_it_says_something() -> None:
    kept = definition(MINIMAL + 'window = "01:00-05:00"\noverlap = "skip"\n').as_json()
    assert {key: kept[key] for key in ADDED_KEYS if key in kept} == {"window": "01:00-05:00"}


def test_every_field_of_a_definition_has_a_key_and_every_key_a_field() -> None:
    fields = {field.name for field in dataclasses.fields(SiteDefinition)}
    fields -= {*sitekeys.TABLES, *sitefiles.TABLE_LISTS}
    for name, table in sitekeys.TABLES.items():
        fields |= {f"{name}.{field.name}" for field in dataclasses.fields(table)}
    assert {key.path for key in sitekeys.KEYS} == fields


def test_the_example_with_every_key_is_right() -> None:
    parsed = definition(sitekeys.example())
    assert SiteDefinition.from_json(parsed.as_json()) == parsed


def test_the_documentation_has_the_table_and_the_example_of_this_version() -> None:
    text = (ROOT / "docs" / "site-files.md").read_text(encoding="utf-8")
    assert sitekeys.key_table() in text
    assert sitekeys.example() in text


@pytest.mark.parametrize(
    ("lines", "rate", "max_rate"),
    [
        ("", 1.0, 10.0),
        ("rate = 3", 3.0, 3.0),
        ("rate = 0", 0.0, 0.0),
        ("max_rate = 0.5", 0.5, 0.5),
        ("max_rate = 5", 1.0, 5.0),
        ("max_rate = 0", 1.0, 0.0),
        ("rate = 2\nmax_rate = 4", 2.0, 4.0),
        ("rate = 2\nmax_rate = 0", 2.0, 0.0),
        ("rate = 2\nmax_rate = 2", 2.0, 2.0),
    ],
)
def test_a_rate_and_its_ceiling_follow_each_other(lines: str, rate: float, max_rate: float) -> None:
    parsed = definition(MINIMAL + lines)
    assert (parsed.rate, parsed.max_rate) == (rate, max_rate)


WRONG_VALUES = [
    ('name = "Docs"', "lower-case"),
    ('name = ""', "1 to 200"),
    (f'name = "{"a" * 201}"', "1 to 200"),
    ('name = "docs\\n"', "1 to 200"),
    ("start_urls = []", "start_urls is empty"),
    ('start_urls = "https://docs.example/"', "is no list of strings"),
    ('start_urls = ["docs.example"]', "no http or https URL"),
    ('start_urls = ["ftp://docs.example/"]', "no http or https URL"),
    ('start_urls = ["https://docs.example/\\u0000"]', "no http or https URL"),
    ('start_urls = ["https://docs.example/", "https://docs.example/"]', "twice"),
    ('owner = "  "', "it is empty"),
    ('owner = "a\\u0007"', "control characters"),
    ("owner = 3", "is no string"),
    ("rollback_note = false", "is no string"),
    ('enabled = "yes"', "is no boolean"),
    ("enabled = 1", "is no boolean"),
    ('schedule = "61 * * * *"', "minute '61' is wrong; allowed: 0-59"),
    ('schedule = "daily"', "it needs five"),
    ('timezone = "Berlin"', "IANA"),
    ("rate = -1", "0.001 to 1,000"),
    ("rate = 1e-9", "0.001 to 1,000"),
    ("rate = nan", "0.001 to 1,000"),
    ("rate = inf", "0.001 to 1,000"),
    ('rate = "fast"', "is no number"),
    ("rate = true", "is no number"),
    ("rate = 1000.1", "0.001 to 1,000"),
    ("concurrency = 0", "1 to 256"),
    ("concurrency = 1.5", "is no integer"),
    ("shards = 65", "1 to 64"),
    ("max_pages = 0", "1 to 100,000,000"),
    (f"max_pages = 0x{'f' * 6000}", "1 to 100,000,000"),
    ("max_depth = -1", "0 to 10,000"),
    ('robots = "no"', 'allowed are "obey" and "ignore"'),
    ('allow_addresses = ["localhost"]', "no CIDR block"),
    ('allow_addresses = ["10.1.2.3/8"]', "did you mean 10.0.0.0/8?"),
    ("failure_threshold = 1.01", "0 to 1"),
    ('catch_up = "first"', 'allowed are "last", "all" and "none"'),
    ("catch_up = true", "is no string"),
    ('catch_up_window = "a week"', "no duration, such as 90s, 10m, 24h, 7d"),
    ('catch_up_window = "59s"', "1m to 366d"),
    ('catch_up_window = "8785h"', "1m to 366d"),
    ("catch_up_window = 24", "is no string"),
    ("catch_up_limit = 0", "1 to 1,000"),
    ("catch_up_limit = 1001", "1 to 1,000"),
    ('overlap = "wait"', 'allowed are "skip", "queue" and "cancel"'),
    ('splay = "25h"', "0s to 1d"),
    ('splay = "10"', "no duration"),
    ('window = "1-5"', "no window, such as 01:00-05:00"),
    ('window = "05:00-05:00"', "no length"),
    ('window = "01:00-25:00"', "only its end may be 24:00"),
    ("failure_threshold = 2026-01-01", "is no number"),
    ('scope = "host"', "write [scope]"),
    ("probes = true", "write [probes]"),
    ("[probes]\ncors = 1", "is no boolean"),
    ('[scope]\nmode = "hots"', 'allowed are "host" and "domain"'),
    ('[scope]\npath_prefix = "docs"', "begins with /"),
    ('[scope]\ninclude = [""]', "it is empty"),
    ("[scope]\nexclude = [3]", "is no list of strings"),
]


@pytest.mark.parametrize(("line", "said"), WRONG_VALUES)
def test_a_wrong_value_is_told_what_is_allowed_at_its_line(line: str, said: str) -> None:
    key = line.split(" ", maxsplit=1)[0]
    others = "".join(f"{each}\n" for each in MINIMAL.splitlines() if not each.startswith(key))
    mistake = only_mistake(others + "# a comment\n" + line)
    assert said in mistake.message
    assert mistake.line == others.count("\n") + 2 + line.count("\n")


@pytest.mark.parametrize("key", ["name", "start_urls", "owner", "expected_result", "rollback_note"])
def test_a_missing_key_is_named_with_its_meaning_and_an_example(key: str) -> None:
    text = "".join(f"{line}\n" for line in MINIMAL.splitlines() if not line.startswith(key))
    mistake = only_mistake(text)
    assert mistake.line == 1
    assert mistake.message.startswith(f"{key} is missing; ")
    assert f"{key} = " in mistake.message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("ownr = 1", "unknown key 'ownr'; did you mean owner?"),
        ("Enabled = true", "did you mean enabled?"),
        ('cron = "@daily"', "did you mean schedule?"),
        ("frobnicate = 1", "unknown key 'frobnicate' (allowed: name, start_urls,"),
        ("exclude = []", "exclude does not belong here; it stands below [scope]"),
        ("[scope]\nrate = 1", "rate does not belong here; it stands above [scope]"),
        ("[scope]\nexcludes = []", "did you mean exclude?"),
        ("[scopes]\nmode = 1", "unknown key 'scopes'"),
        (
            "[probes]\ncor = true",
            "unknown key 'probes.cor'; did you mean cors? (allowed: cors, exposed_files",
        ),
        ("[probes]\nrate = 1", "rate does not belong here; it stands above [probes]"),
        ("cors = true", "cors does not belong here; it stands below [probes]"),
        ('"scope.mode" = "host"', "unknown key 'scope.mode'"),
        ("[[site]]\nname = 1", "unknown key 'site'"),
    ],
)
def test_an_unknown_key_is_told_what_was_meant_or_is_allowed(lines: str, said: str) -> None:
    mistake = only_mistake(MINIMAL + lines)
    assert said in mistake.message
    assert NEXT_LINE <= mistake.line <= NEXT_LINE + 1


def test_rates_that_contradict_each_other_are_refused() -> None:
    assert "below rate" in only_mistake(MINIMAL + "rate = 5\nmax_rate = 4").message
    mistake = only_mistake(MINIMAL + "rate = 0\nmax_rate = 4")
    assert "no delay at all" in mistake.message
    assert mistake.line == NEXT_LINE + 1


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = 'name = "X"\nstart_urls = [\n  "https://a.example/",\n  "nothing",\n]\nwhat = 1\nrate = -1\n'
    assert [(mistake.line, mistake.message.split()[0]) for mistake in mistakes(text)] == [
        (1, "name"),
        (1, "owner"),
        (1, "expected_result"),
        (1, "rollback_note"),
        (4, "start_urls:"),
        (6, "unknown"),
        (7, "rate"),
    ]


def test_a_password_in_a_url_is_not_repeated() -> None:
    for text in ("https://me:s3cret@docs.example/", "https://me:s3cret@/"):
        mistake = only_mistake(MINIMAL.replace("https://docs.example/", text))
        assert "s3cret" not in mistake.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "docs"\nowner = \n', 2),
        ('name = "docs\n', 1),
        ('name = "docs"\nname = "other"\n', 2),
        ('name = "docs"\nowner = """\nnever closed\n', 4),
        ("[scope\n", 1),
        ('x = "\\q"\n', 1),
        (f"x = {'9' * 5000}\n", 2),
        ("x = " + "[" * 20_000, 1),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, line: int) -> None:
    mistake = only_mistake(text)
    assert mistake.message.startswith("not TOML")
    assert mistake.line == line


def test_a_mistake_reads_like_a_compiler_message() -> None:
    mistake = only_mistake(MINIMAL + "rate = -1")
    assert str(mistake).startswith(f"sites/docs.toml:{NEXT_LINE}: rate = -1: ")


# --- folders ----------------------------------------------------------------------------------------------------


def test_a_folder_gives_its_sites_by_name(tmp_path: Path) -> None:
    (tmp_path / "1.toml").write_text(MINIMAL.replace('"docs"', '"web"'))
    (tmp_path / "2.toml").write_text("\ufeff" + MINIMAL, encoding="utf-8")
    (tmp_path / "example.toml.disabled").write_text("nonsense")
    (tmp_path / ".draft.toml").write_text("nonsense")
    files = sitefiles.load(tmp_path)
    assert [file.definition.name for file in files] == ["docs", "web"]
    assert files[0].path == str(tmp_path / "2.toml")


def test_a_name_that_is_taken_names_both_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(MINIMAL)
    (tmp_path / "b.toml").write_text("\n\n" + MINIMAL)
    with pytest.raises(SiteFileError) as caught:
        sitefiles.load(tmp_path)
    (mistake,) = caught.value.mistakes
    assert (mistake.file, mistake.line) == (str(tmp_path / "b.toml"), 3)
    assert f"taken by {tmp_path / 'a.toml'}" in mistake.message


def test_a_name_is_taken_even_by_a_file_with_other_mistakes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(MINIMAL + "rate = -1\n")
    (tmp_path / "b.toml").write_text(MINIMAL)
    with pytest.raises(SiteFileError) as caught:
        sitefiles.load(tmp_path)
    assert [Path(mistake.file).name for mistake in caught.value.mistakes] == ["a.toml", "b.toml"]


def test_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(MINIMAL + "rate = -1\n")
    (tmp_path / "b.toml").write_bytes(b'name = "b"\nowner = "\xff"\n')
    (tmp_path / "c.toml").mkdir()
    (tmp_path / "d.toml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "e.toml").write_text("#" * (sitefiles.MAX_FILE_BYTES + 1))
    (tmp_path / "f.toml").write_text(MINIMAL.replace("docs", "sound"))
    with pytest.raises(SiteFileError) as caught:
        sitefiles.load(tmp_path)
    told = [(Path(mistake.file).name, mistake.line, mistake.message) for mistake in caught.value.mistakes]
    assert [(name, line) for name, line, _ in told] == [
        ("a.toml", NEXT_LINE),
        ("b.toml", 2),
        ("c.toml", 1),
        ("d.toml", 1),
        ("e.toml", 1),
    ]
    assert "UTF-8" in told[1][2]
    assert all("cannot read" in message for _, _, message in told[2:4])


def test_an_empty_folder_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no site file"):
        sitefiles.load(tmp_path)
    with pytest.raises(ConfigurationError, match="No such file or directory"):
        sitefiles.load(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="Not a directory"):
        sitefiles.load(tmp_path / "file")


def test_one_file_can_be_read_alone(tmp_path: Path) -> None:
    (tmp_path / "docs.toml").write_text(MINIMAL)
    assert sitefiles.load_file(tmp_path / "docs.toml").definition == definition(MINIMAL)
    with pytest.raises(SiteFileError, match="cannot read"):
        sitefiles.load_file(tmp_path / "other.toml")


# --- lines ------------------------------------------------------------------------------------------------------

TRICKY = '''\
# name = "no"
"name" = "a # no comment"   # owner = "no"
owner = """
rate = 1
\\""" quote
"""
'single' = \'\'\'
rate = 2 \'\'\'\'\'
list = [ "a]", # b = 1
  [ "nested", 2 ],
  """x
y""", {a = "}", b = [1]},
] \t
scope.mode = "host"
scope . include = ["x"]
after = { rate = 3 }\r
last = 1979-05-27T07:32:00Z

[ scope . deep ]  # [no]
rate = 4
[[many]]
one = 1
[[many]]
one = 2
end = 1'''


def test_lines_are_found_behind_comments_quotes_and_brackets() -> None:
    lines = sitelines.find_lines(TRICKY)
    expected = {
        ("name",): 2,
        ("owner",): 3,
        ("single",): 7,
        ("list",): 9,
        ("list", "0"): 9,
        ("list", "1"): 10,
        ("list", "2"): 11,
        ("list", "3"): 12,
        ("scope",): 14,
        ("scope", "mode"): 14,
        ("scope", "include"): 15,
        ("after",): 16,
        ("last",): 17,
        ("scope", "deep"): 19,
        ("scope", "deep", "rate"): 20,
        ("many",): 21,
        ("many", "0"): 21,
        ("many", "0", "one"): 22,
        ("many", "1"): 23,
        ("many", "1", "one"): 24,
        ("many", "1", "end"): 25,
    }
    assert {path: lines.get(path) for path in expected} == expected
    assert ("rate",) not in lines
    assert ("b",) not in lines


def test_a_key_without_a_line_gets_that_of_what_is_around_it() -> None:
    lines = sitelines.find_lines("x = 1\n[scope]\nmode = 1\n")
    assert sitelines.line_of(lines, ("scope", "exclude", "0")) == 2
    assert sitelines.line_of(lines, ("owner",)) == 1


VALUES = st.sampled_from(
    [
        "1",
        '"x"',
        "'#'",
        '"""\na = 1\n"""',
        "'''\n[t]\n'''",
        "[\n1, # c\n2,\n]",
        '["]", "a"]',
        "{ k = 1, l = [2] }",
        '"\\""',
        "true # = 1",
        "[[1], [\n]]",
        "1.5e3",
    ]
)
SPACE = st.sampled_from(["", "\n", "# x = 1\n", "  "])


KINDS = st.sampled_from(["key", "key", "table", "item"])


@given(st.lists(st.tuples(SPACE, KINDS, VALUES), max_size=12))
def test_every_key_of_a_text_has_the_line_it_was_written_on(parts: list[tuple[str, str, str]]) -> None:
    text = ""
    expected: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    items = 0
    for number, (space, kind, value) in enumerate(parts):
        text += space
        line = text.count("\n") + 1
        if kind == "table":
            table = (f"t{number}",)
            text += f"[t{number}]\n"
        elif kind == "item":
            table = ("items", str(items))
            items += 1
            text += "[[items]]\n"
        else:
            text += f"k{number} = {value}\n"
        expected[table if kind != "key" else (*table, f"k{number}")] = line
    lines = sitelines.find_lines(text)
    assert {path: lines.get(path) for path in expected} == expected


def test_a_table_below_a_list_of_tables_belongs_to_the_last_of_them() -> None:
    lines = sitelines.find_lines("[[a]]\n[a.b]\nc = 1\n[[a]]\n[[a.d]]\n[[a.d]]\ne = 1\n")
    assert lines[("a", "0", "b", "c")] == 3
    assert lines[("a", "1", "d", "1", "e")] == 7
