"""Expectations and waivers in site files: each mistake on its line, and a right file gives exactly what it says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headersweep import policykeys, sitefiles, sitekeys
from headersweep.definition import SiteDefinition
from headersweep.errors import Mistake, SiteFileError
from headersweep.policies import Expectation, Policy, Profile, Switch, ValueTest, Waiver
from headersweep.sitediff import ChangeKind, KnownSite, compare
from tests.unit.test_sitefiles import MINIMAL, NEXT_LINE

ROOT = Path(__file__).parents[2]
EXPECT = '[[expect]]\nname = "n"\nowner = "o"\nwhy = "w"\nheader = "X-Frame-Options"\n'
WAIVER = (
    '[[waiver]]\ncode = "csp.missing"\nowner = "o"\nreason = "r"\nexpires = 2027-03-31\nrollback_note = "b"\n'
)
CODES = ("csp.missing", "csp.unsafe_inline_style", "hsts.missing", "cookie.samesite_missing")
SWITCH = '[[switch]]\nwhat = "csp.missing"\nenabled = false\nowner = "o"\nreason = "r"\n'


def definition(text: str) -> SiteDefinition:
    return sitefiles.parse("docs.toml", MINIMAL + text, CODES).definition


def mistakes(text: str) -> list[Mistake]:
    with pytest.raises(SiteFileError) as caught:
        sitefiles.parse("docs.toml", MINIMAL + text, CODES)
    return caught.value.mistakes


def only_mistake(text: str) -> Mistake:
    (found,) = mistakes(text)
    return found


def test_a_file_without_a_policy_has_the_recommended_one() -> None:
    assert definition("").policy == Policy()


def test_profile_expectations_and_waivers_arrive_where_they_belong() -> None:
    text = (
        'profile = "asvs-5.0-l2"\n' + EXPECT + 'class = ["document", "error"]\npath = "/a/*"\nabsent = true\n'
    )
    assert definition(text + WAIVER + 'path = "*.pdf"\nsubject = "s"\n').policy == Policy(
        Profile.ASVS_5_L2,
        (Expectation("n", "o", "w", "x-frame-options", ValueTest.ABSENT, "", "/a/*", ("document", "error")),),
        (Waiver("csp.missing", "o", "r", date(2027, 3, 31), "b", "s", "*.pdf"),),
    )


@pytest.mark.parametrize(
    ("line", "test", "value"),
    [
        ('equals = "DENY"', ValueTest.EQUALS, "DENY"),
        ('contains = "x"', ValueTest.CONTAINS, "x"),
        ('matches = "a*b"', ValueTest.MATCHES, "a*b"),
        ("absent = true", ValueTest.ABSENT, ""),
        ("present = true", ValueTest.PRESENT, ""),
    ],
)
def test_a_definition_keeps_its_policy_through_the_database(line: str, test: ValueTest, value: str) -> None:
    parsed = definition(EXPECT + line + "\n" + WAIVER)
    assert (parsed.expect[0].test, parsed.expect[0].value) == (test, value)
    assert SiteDefinition.from_json(json.loads(json.dumps(parsed.as_json()))) == parsed


def test_a_site_without_a_policy_is_kept_as_earlier_versions_know_it() -> None:
    assert not {"profile", "expect", "waiver"} & set(definition("").as_json())


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ('profile = "asvs"', "allowed are", 0),
        (EXPECT, "exactly one of equals, contains, matches, absent, present", 0),
        (EXPECT + 'equals = "a"\nabsent = true', "both equals and absent", 0),
        (EXPECT + "absent = false", "only true makes sense", 5),
        (EXPECT + 'equals = ""', "it is empty", 5),
        (EXPECT + "equals = 3", "expect.equals = 3 is no string", 5),
        (EXPECT + 'regex = "a"\nequals = "a"', "unknown key 'regex' in [[expect]]", 5),
        (EXPECT + 'equal = "a"', "did you mean equals?", 5),
        (EXPECT + 'equals = "a"\nclass = ["page"]', 'allowed are "document", "redirect"', 6),
        (EXPECT + 'equals = "a"\nclass = "document"', "is no list of strings", 6),
        (EXPECT + 'equals = "a"\npath = "docs"', "a path begins with / or *", 6),
        (EXPECT + 'equals = "a"\npath = "/a?b"', "a path has no query", 6),
        (EXPECT + 'equals = "a"\nseverity = "huge"', 'allowed are "info", "low", "medium", "high"', 6),
        (EXPECT.replace("X-Frame-Options", "X Frame") + 'equals = "a"', "no name of a header", 4),
        (EXPECT.replace('owner = "o"\n', "") + 'equals = "a"', "this [[expect]] has no owner; who wants it", 0),
        (EXPECT + 'equals = "a"\n' + EXPECT + 'equals = "b"', "there are two [[expect]] for 'n'", 6),
        ("expect = 3", "write [[expect]] on a line of its own", 0),
        ("[expect]\nname = 1", "write [[expect]] on a line of its own", 0),
        (WAIVER.replace("csp.missing", "csp.mising"), "no finding has the code 'csp.mising'; did you mean csp.missing?", 1),
        (WAIVER.replace("csp.missing", "cps.*"), "no finding has the code 'cps.*'", 1),
        (WAIVER.replace("csp.missing", "csp"), "no code of a finding", 1),
        (WAIVER.replace("csp.missing", "waiver.expired"), "is mended, not waived", 1),
        (WAIVER.replace('owner = "o"\n', ""), "this [[waiver]] has no owner", 0),
        (WAIVER.replace('"o"', '" "'), "it is empty", 2),
        (WAIVER.replace('reason = "r"\n', ""), "this [[waiver]] has no reason", 0),
        (WAIVER.replace("expires = 2027-03-31\n", ""), "as in: expires = 2027-03-31", 0),
        (WAIVER.replace("2027-03-31", '"2027-03-31"'), "is no date; allowed: a day, without quotes", 4),
        (WAIVER.replace("2027-03-31", "2027-03-31T10:00:00"), "is no date", 4),
        (WAIVER.replace('rollback_note = "b"\n', ""), "this [[waiver]] has no rollback_note", 0),
        (WAIVER + WAIVER, "there are two [[waiver]] for 'csp.missing'", 6),
        ("waivers = 1", "did you mean waiver?", 0),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_is_allowed_at_its_line(text: str, said: str, line: int) -> None:
    mistake = only_mistake(text)
    assert said in mistake.message
    assert mistake.line == NEXT_LINE + line


def test_all_mistakes_are_told_at_once_each_in_its_own_table() -> None:
    text = (
        EXPECT + WAIVER.replace("csp.missing", "nope.x") + "[[expect]]\n" + WAIVER.replace("03-31", "04-30")
    )
    told = [(mistake.line - NEXT_LINE, mistake.message) for mistake in mistakes(text)]
    assert [line for line, _ in told] == [0, 6, 11, 11, 11, 11]


def test_a_waiver_may_be_for_all_findings_of_a_concern() -> None:
    assert definition(WAIVER.replace("csp.missing", "csp.*")).waiver[0].code == "csp.*"


def test_the_same_code_may_be_waived_for_several_paths() -> None:
    assert len(definition(WAIVER + WAIVER + 'path = "/b/*"\n').waiver) == 2


def test_without_a_catalogue_any_code_may_be_waived() -> None:
    assert sitefiles.parse("docs.toml", MINIMAL + WAIVER.replace("csp.missing", "new.thing"))


def test_a_file_with_too_many_expectations_is_refused() -> None:
    tables = "".join(EXPECT.replace('"n"', f'"n{number}"') + 'equals = "a"\n' for number in range(501))
    assert "at most 500" in only_mistake(tables).message


def test_the_example_of_the_documentation_is_right_and_all_its_tables_are_there() -> None:
    parsed = sitefiles.parse("docs.toml", f"{sitekeys.example()}\n{policykeys.example()}", CODES).definition
    assert (len(parsed.expect), len(parsed.waiver), len(parsed.switch), len(parsed.declare)) == (1, 1, 1, 1)
    text = (ROOT / "docs" / "site-files.md").read_text(encoding="utf-8")
    assert policykeys.example() in text
    assert policykeys.key_tables() in text


def test_what_is_not_enabled_stays_in_the_definition_and_out_of_the_policy() -> None:
    off = EXPECT + "absent = true\nenabled = false\n" + WAIVER + "enabled = false\n"
    parsed = definition(off)
    assert (len(parsed.expect), len(parsed.waiver)) == (1, 1)
    assert parsed.policy == Policy()
    assert SiteDefinition.from_json(json.loads(json.dumps(parsed.as_json()))) == parsed


def test_what_is_enabled_is_kept_as_earlier_versions_know_it() -> None:
    kept = definition(EXPECT + "absent = true\n" + WAIVER).as_json()
    assert not any("enabled" in item for item in (*kept["expect"], *kept["waiver"]))


def test_a_switch_arrives_in_the_policy_and_survives_the_database() -> None:
    parsed = definition(SWITCH)
    assert parsed.policy.switches == (Switch("csp.missing", "o", "r", enabled=False),)
    assert SiteDefinition.from_json(json.loads(json.dumps(parsed.as_json()))) == parsed


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("csp.mising", "did you mean csp.missing?"),
        ("nothing", "it is neither a code"),
        ("waiver.expired", "is mended, not switched off"),
        ("switch.off", "is mended, not switched off"),
        ("alert:run.stuck", "alerts belong to no site"),
        ("alert:run.stuk", "did you mean run.stuck?"),
        ("alert:run.created", "no alert hangs on an event 'run.created'"),
    ],
)
def test_a_switch_names_something_that_is_there(what: str, said: str) -> None:
    mistake = only_mistake(SWITCH.replace("csp.missing", what))
    assert said in mistake.message
    assert mistake.line == NEXT_LINE + 1


def test_what_is_switched_for_every_site_holds_where_a_site_says_nothing_about_it(tmp_path: Path) -> None:
    everywhere = SWITCH + SWITCH.replace("csp.missing", "hsts.missing")
    everywhere += SWITCH.replace("csp.missing", "alert:run.stuck")
    (tmp_path / "_all.toml").write_text(everywhere)
    own = SWITCH.replace("false", "true").replace('"r"', '"we want to know"')
    (tmp_path / "docs.toml").write_text(MINIMAL + own)
    (file,) = sitefiles.load(tmp_path, CODES)
    policy = file.definition.policy
    assert [switch.what for switch in policy.switches] == ["csp.missing", "hsts.missing"]
    assert policy.switched_off("csp.missing") is None
    assert policy.switched_off("hsts.missing") is not None
    assert sitefiles.load_file(tmp_path / "docs.toml", CODES) == file
    assert [switch.what for switch in sitefiles.everywhere(tmp_path, CODES).switches][-1] == "alert:run.stuck"


DECLARE = '[[declare]]\nitem = "site.access_logs"\nowner = "o"\nuntil = 2027-03-31\nreason = "r"\n'


def test_a_declaration_survives_the_database_and_stands_where_it_belongs(tmp_path: Path) -> None:
    parsed = definition(DECLARE)
    assert SiteDefinition.from_json(json.loads(json.dumps(parsed.as_json()))) == parsed
    assert parsed.declare[0].until == date(2027, 3, 31)
    assert "declared in _all.toml" in only_mistake(DECLARE.replace("site.access_logs", "self.backup")).message
    assert "no item of the checklist" in only_mistake(DECLARE.replace("site.access_logs", "backup")).message
    (tmp_path / "_all.toml").write_text(DECLARE.replace("site.access_logs", "self.backup"))
    assert [one.item for one in sitefiles.everywhere(tmp_path).declarations] == ["self.backup"]
    (tmp_path / "_all.toml").write_text(DECLARE)
    with pytest.raises(SiteFileError, match=r"_all\.toml:2: .*in the file of that site"):
        sitefiles.everywhere(tmp_path)


def test_mistakes_of_every_file_are_told_at_once_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "_all.toml").write_text('owner = "o"\n' + SWITCH.replace("csp.missing", "csp.mising"))
    (tmp_path / "docs.toml").write_text(MINIMAL + "colour = 1\n")
    with pytest.raises(SiteFileError) as caught:
        sitefiles.load(tmp_path, CODES)
    found = [(Path(mistake.file).name, mistake.line) for mistake in caught.value.mistakes]
    assert found == [("_all.toml", 1), ("_all.toml", 3), ("docs.toml", NEXT_LINE)]
    (tmp_path / "_all.toml").write_text("[[switch\n")
    with pytest.raises(SiteFileError, match="not TOML"):
        sitefiles.everywhere(tmp_path, CODES)


@pytest.mark.parametrize("order", [1, -1])
def test_the_switch_of_one_code_decides_before_that_of_its_concern(order: int) -> None:
    switches = (Switch("csp.*", "o", "r", enabled=False), Switch("csp.missing", "o", "r", enabled=True))
    policy = Policy(switches=switches[::order])
    assert policy.switched_off("csp.missing") is None
    assert policy.switched_off("csp.other") == Switch("csp.*", "o", "r", enabled=False)
    assert policy.switched_off("hsts.missing") is None


def test_a_change_of_one_waiver_shows_that_waiver_alone() -> None:
    old, new = (
        definition(WAIVER + EXPECT + "absent = true"),
        definition(WAIVER.replace("2027-03-31", "2027-06-30") + EXPECT + "absent = true"),
    )
    kept = json.loads(json.dumps(old.as_json()))
    (change,) = compare([new], [KnownSite("docs", "file", enabled=True, definition=kept)])
    assert change.kind is ChangeKind.CHANGED
    (difference,) = change.differences
    assert difference.key == "waiver csp.missing"
    assert (difference.old["expires"], difference.new["expires"]) == ("2027-03-31", "2027-06-30")


TOML_VALUES = st.one_of(
    st.text(max_size=8), st.booleans(), st.integers(), st.dates(), st.lists(st.text(max_size=4), max_size=2)
)
TABLES = st.lists(
    st.dictionaries(
        st.one_of(
            st.sampled_from([key.keys[-1] for keys in policykeys.LISTS.values() for key in keys]),
            st.text("abc", min_size=1, max_size=3),
        ),
        TOML_VALUES,
        max_size=8,
    ),
    max_size=3,
)


@given(st.sampled_from(["expect", "waiver", "switch", "declare"]), TABLES)
def test_whatever_stands_in_a_table_is_a_definition_or_a_list_of_mistakes_in_that_table(
    name: str, tables: list[dict[str, object]]
) -> None:
    text = MINIMAL
    for table in tables:
        text += f"[[{name}]]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
    parsed, lines = _read(text)
    assert (parsed is None) == bool(lines)
    assert all(line >= NEXT_LINE for line in lines)
    if parsed is not None:
        assert SiteDefinition.from_json(json.loads(json.dumps(parsed.as_json()))) == parsed


def _read(text: str) -> tuple[SiteDefinition | None, list[int]]:
    try:
        return sitefiles.parse("docs.toml", text).definition, []
    except SiteFileError as error:
        return None, [mistake.line for mistake in error.mistakes]


def _toml(value: object) -> str:
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}".rjust(10, "0")
    return json.dumps(value).replace("\x7f", "\\u007f")
