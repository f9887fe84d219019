"""``report``: every format of every report, what it ends with, and what it does to a terminal and a file."""

import csv
import io
import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from admin_mcp.cli import report, report_charts
from admin_mcp.cli.main import main
from admin_mcp.cli.report import REPORTS, _whole
from admin_mcp.cli.report_views import FINDINGS
from admin_mcp.jobs.reports.review_access import ReviewAccess
from tests.jobs.pretend import Pretend
from tests.platforms import needs_file_modes
from tests.terminal import needs_terminal, terminal

NAMES = tuple(REPORTS)
PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def run(*arguments: str, sandbox: tuple[str, ...] = ("--sandbox",)) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [*sandbox, "report", *arguments])
    return result.exit_code, result.stdout, result.stderr


def as_json(*arguments: str, sandbox: tuple[str, ...] = ("--sandbox",)) -> Any:
    code, out, _ = run(*arguments, "--format", "json", sandbox=sandbox)
    assert code == 0
    return json.loads(out)


@pytest.mark.parametrize("name", NAMES)
def test_a_report_prints_a_plain_table_where_there_is_no_terminal(name: str) -> None:
    code, out, err = run(name)
    assert (code, err) == (0, "")
    assert "the sandbox (a pretend organization), as of 20" in out
    assert "\x1b" not in out
    assert all(line == line.rstrip() for line in out.splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_the_formats_tell_the_same_rows(name: str) -> None:
    answer = as_json(name)
    assert answer["report"] == name
    assert "text" not in answer
    assert "more" not in answer
    rows = list(csv.DictReader(io.StringIO(run(name, "--format", "csv")[1])))
    found = {row["name"]: int(row["count"]) for row in rows if row["record"] == "finding"}
    assert found == answer["finding_counts"]
    main_list = {"keys": "keys", "spend": "rows", "activity": "rows", "settings": "projects", "access": "people"}[name]
    record = {"keys": "key", "spend": "row", "activity": "event", "settings": "project", "access": "person"}[name]
    assert len([row for row in rows if row["record"] == record]) == len(answer[main_list])
    assert not [head for head in rows[0] if "cents" in head]  # a spreadsheet has dollars
    assert name in {"activity", "access"} or [head for head in rows[0] if "usd" in head]
    markdown = run(name, "--format", "md")[1]
    assert markdown.startswith("# ")
    assert all(f"| {name.replace('_', chr(92) + '_')} |" in markdown for name in found)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_one_file_without_scripts_or_anything_from_elsewhere(name: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, out, err = run(name, "-o", str(page))
    assert (code, out, err) == (0, "", f"Wrote {page}.\n")
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "default-src 'none'" in text
    for unwanted in ("<script", "<link", "@import", "url(", "javascript:", " src="):
        assert unwanted not in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http://") == 0
    assert text.count("https://") == 0
    charts = {"spend": ["Spend by day", "Spend by project"], "keys": ["Keys by age in days"]}.get(name, [])
    assert text.count("<svg") == len(charts)
    assert all(f"<figcaption>{title}</figcaption>" in text for title in charts)
    assert ('<table class="matrix">' in text) is (name == "access")


@needs_file_modes
def test_a_file_is_for_its_owner_alone_even_where_an_open_one_stood(tmp_path: Path) -> None:
    file = tmp_path / "keys.csv"
    file.write_text("old")
    file.chmod(0o644)
    assert run("keys", "-o", str(file))[0] == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text("utf-8").startswith("record,name,")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".keys")] == []


def test_a_file_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    code, _, err = run("keys", "-o", str(tmp_path / "nowhere" / "keys.csv"))
    assert code == 1
    assert "can't be written" in err
    assert len(err.splitlines()) == 1


def test_what_can_not_be_written_is_said_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_read", None)  # reading would fail otherwise than by a sentence
    assert run("keys", "-o", str(tmp_path / "nowhere" / "keys.csv"))[0] == 1
    code, _, err = run("keys", "-o", str(tmp_path / "keys.xlsx"))
    assert code == 2
    assert "no format goes with the ending .xlsx: there are .txt, .htm, .json, .csv, .md, .html;" in err
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(("name", "starts"), [("k", "API keys"), ("k.TXT", "API keys"), ("k.md", "# API keys")])
def test_the_ending_of_the_file_says_the_format(tmp_path: Path, name: str, starts: str) -> None:
    assert run("keys", "-o", str(tmp_path / name))[0] == 0
    assert (tmp_path / name).read_text("utf-8").startswith(starts)


def test_a_format_that_is_given_needs_no_ending(tmp_path: Path) -> None:
    assert run("keys", "--format", "csv", "-o", str(tmp_path / "keys.xlsx"))[0] == 0
    assert (tmp_path / "keys.xlsx").read_text("utf-8").startswith("record,")


@pytest.mark.parametrize("name", NAMES)
def test_fail_on_takes_every_finding_and_no_other_name(name: str) -> None:
    code, out, _ = run(name, "--fail-on", ",".join(FINDINGS[name]))
    present = as_json(name)["finding_counts"]
    assert code == (3 if present else 0)
    assert out
    code, out, err = run(name, "--fail-on", "unreadible")
    assert (code, out) == (2, "")
    assert "Did you mean unreadable?" in err


def test_fail_on_fails_only_for_what_is_asked() -> None:
    assert run("keys", "--fail-on", "owner_gone")[0] == 0
    code, _, err = run("keys", "--fail-on", "owner_gone,never_used")
    assert (code, err) == (3, "Found: never_used (1)\n")


def test_without_a_key_it_ends_with_one_sentence() -> None:
    code, out, err = run("keys", sandbox=())
    assert (code, out) == (1, "")
    assert err.startswith("Error: No admin key is set")
    assert "Set OPENAI_ADMIN_KEY in this command's environment. To try without a key, put --sandbox before" in err
    assert len(err.splitlines()) == 1


def test_a_period_that_makes_no_sense_is_a_mistake_of_who_typed_it() -> None:
    code, _, err = run("spend", "--period", "2031-01")
    assert code == 2
    assert "begins in the future" in err


def test_what_a_policy_refuses_is_said_in_every_format(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rules]]\nname = "no people"\ntools = ["list_users"]\ndecision = "deny"\n')
    policy.chmod(0o600)
    given = ("--sandbox", "--config", str(policy))
    assert as_json("keys", sandbox=given)["unreadable"][0]["what"] == "the organization's members"
    for form, said in (
        ("table", "Could not be read\n- the organization's members: "),
        ("csv", "\nunreadable,the organization's members,"),
        ("md", "\n## Could not be read\n\n- the organization's members: "),
        ("html", "<h2>Could not be read</h2><ul>\n<li>the organization&#x27;s members: "),
    ):
        code, out, err = run("keys", "--format", form, "--fail-on", "owner_gone", sandbox=given)
        assert said in out
        assert code == 0
        assert "something may be missing" in err
    assert run("keys", "--fail-on", "unreadable", sandbox=given)[0] == 3


def test_where_nothing_can_be_read_there_is_no_report(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('[[rules]]\nname = "nothing"\neffects = ["read"]\ndecision = "deny"\n')
    policy.chmod(0o600)
    code, out, err = run("settings", sandbox=("--sandbox", "--config", str(policy)))
    assert (code, out) == (1, "")
    assert "nothing" in err


def test_flags_are_those_of_the_job_and_reach_it() -> None:
    assert len(as_json("keys", "--projects", "Billing", "--top", "1")["keys"]) == 1
    assert as_json("access", "--project", "Research")["about"]["project"]["name"] == "Research"
    assert {row["name"] for row in as_json("spend", "--by", "line_item", "--period", "7d")["rows"]}
    code, _, err = run("access", "--inactive-days", "0")
    assert code == 2
    assert "--inactive-days" in err


def test_help_of_each_report_tells_its_findings_without_reading() -> None:
    for name in NAMES:
        code, out, _ = run(name, "--help", sandbox=())
        assert code == 0
        flat = "".join(out.split())
        assert all(finding in flat for finding in FINDINGS[name])


@pytest.mark.anyio
async def test_an_answer_that_comes_in_parts_is_put_together() -> None:
    many = Pretend()
    many.grow(people=300, projects=40)
    first = await many.report(ReviewAccess)
    assert "more" in first
    whole = await _whole(ReviewAccess(), many.reader())
    assert "more" not in whole
    assert len(whole["people"]) == whole["totals"]["people"]
    assert len({row["id"] for row in whole["people"]}) == len(whole["people"])
    assert len(whole["projects"]) == whole["totals"]["projects"]


def test_a_page_without_the_chart_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_charts, "can_draw", lambda: False)
    code, out, err = run("spend", "--format", "html")
    assert (code, out) == (1, "")
    assert "[reports]" in err
    assert "-m pip install" in err
    (extra,) = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]["reports"]
    assert extra in err


def test_shares_are_percent_and_have_a_name_that_says_of_what() -> None:
    out = run("spend", "--by", "person")[1]
    assert "; Share without a person: 50%" in out
    assert "Lasts the month" in out
    assert "in percent" not in out


@needs_terminal
def test_a_terminal_gets_colour_and_progress_that_goes_away() -> None:
    with terminal("--sandbox", "report", "keys") as screen:
        shown = screen.wait_for("no_expiry")
        assert screen.end() == 0
    assert "\x1b[1mAPI keys" in shown
    assert "Reading" in shown
