"""`headersweep check`: its inputs, its outputs, its exit codes, and that it starts with nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import types
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner, Result

from cli import main
from headersweep.bodyfacts import BodyFacts
from review import docs, judge, table

HEAVY = ("sqlalchemy", "celery", "kombu", "rich", "redis", "httpx", "alembic", "structlog", "lxml", "psycopg")
HTML = "Content-Type: text/html\n"
GOOD = f"HTTP/1.1 200 OK\n{HTML}X-Content-Type-Options: nosniff\n"
MISSING = "x_content_type_options.missing"
KEYS = {"code", "severity", "title", "evidence", "subject", "detail", "browser", "why", "fix", "link"}


def run(*arguments: str, text: str | bytes = "") -> Result:
    return CliRunner().invoke(main.group, ["check", *arguments], input=text)


def judged(*arguments: str, text: str = HTML) -> dict[str, Any]:
    result = run("--format", "json", *arguments, text=text)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def codes(found: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in found["findings"]]


def test_json_has_the_shape_of_the_contract() -> None:
    found = judged()
    assert found["schema_version"] == 1
    assert {"findings", "effective", "grade", "response_class", "judged", "rules_version"} < set(found)
    assert (found["response_class"], found["judged"]) == ("document", True)
    assert found["rules_version"] == judge.RULES_VERSION
    assert MISSING in codes(found)
    assert all(set(finding) == KEYS for finding in found["findings"])
    assert (found["grade"]["scheme"], found["grade"]["algorithm"]) == ("mdn", 6)
    assert (found["grade"]["score"], found["grade"]["grade"]) == (30, "D")


def test_effective_values_are_told() -> None:
    found = judged(text=GOOD)
    assert MISSING not in codes(found)
    assert found["effective"]["x-content-type-options"] == "nosniff"
    assert judged(text=f"{HTML}X-Content-Type-Options: x")["effective"]["x-content-type-options"] is None


def test_text_says_what_to_copy() -> None:
    result = run(text=HTML)
    assert result.exit_code == 0
    assert "MDN Observatory (algorithm 6): D, 30" in result.stdout
    assert f"[{MISSING}]" in result.stdout
    assert "fix:      X-Content-Type-Options: nosniff" in result.stdout


def test_text_has_no_control_characters_of_the_server() -> None:
    shown = run(text=f"{HTML}X-Content-Type-Options: \x1b[31mred\n").stdout
    assert "\x1b" not in shown


def test_cookie_values_are_never_shown() -> None:
    text = f"{HTML}Set-Cookie: sessionid=verysecretvalue; Path=/\n"
    assert "verysecretvalue" not in run(text=text).output
    assert "verysecretvalue" not in run("--format", "json", text=text).output


def test_a_blocked_answer_is_not_judged() -> None:
    found = judged("--status", "429")
    assert (found["judged"], found["findings"]) == (False, [])
    assert "Not judged" in run("--status", "429", text=HTML).stdout


def test_of_followed_redirects_the_last_answer_is_judged() -> None:
    text = f"HTTP/1.1 301 Moved\nLocation: https://site.example/\n\n{GOOD}"
    found = judged("--url", "http://site.example/", text=text)
    results = {test["name"]: test["result"] for test in found["grade"]["tests"]}
    assert (found["response_class"], results["redirection"]) == ("document", "redirection-to-https")


@pytest.mark.parametrize(("algorithm", "tests"), [("6", 12), ("5", 10), ("4", 10)])
def test_older_algorithms_can_be_asked_for(algorithm: str, tests: int) -> None:
    grade = judged("--algorithm", algorithm)["grade"]
    assert (grade["algorithm"], len(grade["tests"])) == (int(algorithm), tests)


@pytest.mark.parametrize(("level", "code"), [("none", 0), ("low", 3), ("info", 3)])
def test_fail_on_turns_findings_into_an_exit_code(level: str, code: int) -> None:
    assert run("--fail-on", level, text=HTML).exit_code == code


def test_fail_on_looks_at_the_level() -> None:
    image = "Content-Type: image/png\n"
    assert run("--fail-on", "high", text=image).exit_code == 0


def test_a_file_is_read_and_a_file_is_written(tmp_path: Path) -> None:
    source, target = tmp_path / "headers.txt", tmp_path / "found.json"
    source.write_text(GOOD, encoding="utf-8")
    result = run(str(source), "--format", "json", "--output", str(target))
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(target.read_text(encoding="utf-8"))["judged"]


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        ((), "", "no header line"),
        ((), b"\x00\xff", "no header line"),
        (("--har",), "{}", "no HAR file"),
        (("/nowhere/at/all",), "", "cannot read /nowhere/at/all"),
        (("/",), "", "cannot read /"),
        (("--jsonl", "--har"), "", "exclude each other"),
        (("--jsonl", "--url", "https://a/"), "", "have their own"),
        (("--url", "site.example"), HTML, "no http(s) URL"),
        (("--url", "https://[a"), HTML, "no http(s) URL"),
        (("--output", "/nowhere/at/all"), HTML, "does not exist"),
        (("--fail-on", "drift"), HTML, "drift"),
        (("--algorithm", "3"), HTML, "3"),
        (("--status", "99"), HTML, "99"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    arguments: tuple[str, ...], text: str | bytes, said: str
) -> None:
    result = run(*arguments, text=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_json_lines_have_one_result_each_in_their_order() -> None:
    lines = [
        {
            "id": "a",
            "url": "https://site.example/",
            "status": 200,
            "headers": [["Content-Type", "text/html"]],
        },
        {"id": 2, "headers": [["Content-Type", "image/png"]]},
        {"id": None, "headers": [["X\ud800", "\ud800"]], "body": "<p>"},
    ]
    result = run("--jsonl", text="\n\n".join(json.dumps(line) for line in lines))
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [one["id"] for one in found] == ["a", 2, None]
    assert all({"effective", "findings", "grade"} < set(one) for one in found)
    assert MISSING in codes(found[0])
    assert MISSING not in codes(found[1])


def test_a_bad_line_is_answered_and_the_others_are_judged() -> None:
    text = '{"id": 1, "headers": []}\nnonsense\n{"id": 3, "headers": 1}\n{"id": 4, "headers": []}\n'
    result = run("--jsonl", "--fail-on", "info", text=text)
    first, second, third, fourth = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 2
    assert second == {"id": None, "line": 2, "error": "not valid JSON"}
    assert third == {"id": 3, "line": 3, "error": "headers is no list of [name, value]"}
    assert (first["id"], fourth["id"]) == (1, 4)
    assert "error" not in first


def test_json_lines_fail_on_findings() -> None:
    text = json.dumps({"id": 1, "headers": [["Content-Type", "text/html"]]})
    assert run("--jsonl", "--fail-on", "low", text=text).exit_code == 3
    assert run("--jsonl", text="").exit_code == 0


def test_every_answer_of_a_har_is_judged() -> None:
    def entry(path: str) -> dict[str, Any]:
        sent = [{"name": "Content-Type", "value": "text/html"}]
        return {
            "request": {"url": f"https://site.example/{path}"},
            "response": {"status": 200, "headers": sent},
        }

    text = json.dumps({"log": {"entries": [entry("a"), entry("b")]}})
    found = judged(text=text)
    assert [one["url"] for one in found["answers"]] == ["https://site.example/a", "https://site.example/b"]
    assert run("--har", text=text).stdout.count("judged as: document") == 2


def test_a_body_is_read_where_it_may_be_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Mock(return_value=BodyFacts(challenge="a firewall"))
    reader = types.ModuleType("headersweep.bodyread")
    monkeypatch.setattr(reader, "read", read, raising=False)
    monkeypatch.setitem(sys.modules, "headersweep.bodyread", reader)
    page = "HTTP/1.1 200 OK\nContent-Type: text/html; charset=utf-8\n\n<p>"
    assert judged("--url", "https://site.example/", text=page)["judged"] is False
    assert read.call_args.args == (b"<p>", "https://site.example/", "utf-8")
    assert judged(text=page)["judged"] is False
    assert read.call_args.args == (b"<p>", "https://page.invalid/", "utf-8")
    assert judged(text=page.replace("text/html", "application/json"))["judged"] is True
    assert judged(text=HTML)["judged"] is True


def test_the_catalogue_has_every_rule() -> None:
    result = run("--catalogue")
    assert result.stdout == docs.as_markdown()
    assert all(code in result.stdout for code in table.RULES)


def test_it_imports_nothing_heavy_and_reads_no_suffix_list_without_need(tmp_path: Path) -> None:
    block = tmp_path / "block.txt"
    block.write_text(
        f"{GOOD}Set-Cookie: a=1; Path=/\nStrict-Transport-Security: max-age=1\n", encoding="utf-8"
    )
    program = f"""
        import sys
        import publicsuffixlist
        from cli import main
        publicsuffixlist.PublicSuffixList.__init__ = None  # reading the list takes 0.2 s
        try:
            main.group.main(["check", {str(block)!r}, "--url", "https://www.site.example/"])
        except SystemExit as end:
            assert end.code == 0, end.code
        loaded = {{name.partition(".")[0] for name in sys.modules}}
        print("LOADED", sorted(loaded & set({HEAVY!r})))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"


# the preload list

PRELOAD = str(Path(__file__).parents[1] / "data" / "preload_list.json")


def test_with_a_preload_list_it_is_said_who_is_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("--url", "https://listed.example/")
    assert judged(*asked)["preload"] is None
    found = judged(*asked, "--preload-list", PRELOAD)
    assert (found["preload"]["listed"], found["preload"]["entry"]) == (True, "listed.example")
    assert "preload.removal_risk" in codes(found)
    assert "listed by listed.example" in run(*asked, "--preload-list", PRELOAD, text=HTML).output
    monkeypatch.setenv("HEADERSWEEP_PRELOAD_LIST", PRELOAD)
    assert "preload.removal_risk" in codes(judged(*asked))


@pytest.mark.parametrize(
    "content", [None, b"", b"\xff", b"{}"], ids=["no file", "empty", "no text", "no list"]
)
def test_a_preload_list_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "list.json"
    if content is not None:
        file.write_bytes(content)
    ended = run("--preload-list", str(file), text=HTML)
    assert ended.exit_code == 2
    assert str(file) in ended.stderr
