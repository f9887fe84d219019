"""What the documents say can be done, can be done as written."""

import re
import shlex
from pathlib import Path

import click
import pytest

from admin_mcp.cli.host_table import HOSTS, Host, asked_where
from admin_mcp.cli.main import main
from tests.contract.facts import COUNT

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")


def commands(text: str) -> list[str]:
    """The lines to type that are indented, without their comments and settings before them."""
    lines = re.findall(r"^    ((?:\w+=\S+ )*openai-admin-mcp\b.*)$", text, re.MULTILINE)
    return [line[line.index("openai-admin-mcp") :].partition("  #")[0].strip() for line in lines]


def check(words: list[str], command: click.Command, parent: click.Context | None = None) -> None:
    """Have click parse a command and those inside it, and run none."""
    if not isinstance(command, click.Group):
        command.make_context(command.name, list(words), parent=parent)
        return
    context = click.Context(command, parent=parent)
    _, rest, _ = command.make_parser(context).parse_args(list(words))
    if rest:
        _, inner, arguments = command.resolve_command(context, rest)
        assert inner is not None
        check(arguments, inner, context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_to_type_is_one_there_is(page: Path) -> None:
    for line in commands(page.read_text("utf-8")):
        check(shlex.split(line)[1:], main)


def test_the_readme_has_commands_and_a_wrong_one_would_be_found() -> None:
    assert len(commands(README)) > 10
    with pytest.raises(click.UsageError):
        check(["instal", "claude-desktop"], main)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


TARGETS = {
    target for page in PAGES for target in re.findall(r"(?:`|^    )make (\w+)", page.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_make_target_that_is_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE), target


@pytest.mark.parametrize("host", HOSTS.values(), ids=lambda host: host.name)
def test_the_table_of_hosts_says_who_is_asked_as_the_code_has_it(host: Host) -> None:
    row = next(line for line in README.splitlines() if f"| `{host.name}` |" in line)
    assert host.title.split()[0] in row
    assert f"| {asked_where(host, 'auto')} |" in row


@pytest.mark.parametrize("file", ["README.md", "docs/performance.md", "scripts/build_bundle.py", "benchmarks/run.py"])
def test_the_number_of_endpoints_that_is_told_is_how_many_there_are(file: str) -> None:
    told = re.findall(r"(\d+) (?:documented )?(?:Admin API )?endpoints", (ROOT / file).read_text("utf-8"))
    assert {int(number) for number in told} == {COUNT}


def test_nothing_is_installed_by_name_from_an_index() -> None:
    for page in PAGES:
        assert not re.search(r"(pip|pipx|uv tool|uvx) (install )?openai-admin-mcp", page.read_text("utf-8")), page
