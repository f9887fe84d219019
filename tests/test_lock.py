"""What is installed to develop, run and release this: pinned with hashes, within what pyproject.toml allows.

And what CI runs: at fixed commits, with no more rights than it needs.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.build_bundle import pinned

ROOT = Path(__file__).parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
every_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def locked(name: str) -> dict[str, Requirement]:
    pins = map(Requirement, pinned((ROOT / "requirements" / f"{name}.txt").read_text("utf-8")))
    return {canonicalize_name(pin.name): pin for pin in pins}


def stale(requirements: list[str], name: str) -> list[str]:
    """Name the requirements that a lock does not satisfy."""
    pins = locked(name)
    wanted = [Requirement(text) for text in requirements if not text.startswith(PROJECT["name"])]
    return [
        str(each)
        for each in wanted
        if (pin := pins.get(canonicalize_name(each.name))) is None
        or not each.specifier.contains(str(pin.specifier).removeprefix("=="))
    ]


def sources(name: str) -> list[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(
    ("requirements", "name"),
    [
        (PROJECT["dependencies"], "runtime"),
        (PROJECT["dependencies"], "dev"),
        *((extra, "dev") for extra in PROJECT["optional-dependencies"].values()),
        (sources("build"), "build"),
        (sources("build"), "dev"),
        (sources("tools"), "tools"),
    ],
)
def test_the_lock_has_what_is_asked_for(requirements: list[str], name: str) -> None:
    assert stale(requirements, name) == [], "run `make lock`"


@every_lock
def test_each_is_one_version_with_the_hashes_of_its_files(lock: Path) -> None:
    pins = pinned(lock.read_text("utf-8"))
    assert pins
    for pin, hashes in pins.items():
        assert re.fullmatch(r"==[^,*]+", str(Requirement(pin).specifier)), pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), pin
        assert hashes, pin


@every_lock
def test_no_lock_says_where_its_files_come_from(lock: Path) -> None:
    """Whoever installs has a package index of their own, and the hashes hold for any."""
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)", lock.read_text("utf-8"))


def test_what_two_locks_have_in_common_is_one_version() -> None:
    everything = locked("dev")
    for name in ("runtime", "build", "tools"):
        assert {
            each: str(pin.specifier)
            for each, pin in locked(name).items()
            if each in everything and pin.specifier != everything[each].specifier
        } == {}, name


def test_the_bundles_tool_is_one_version_and_its_lock_names_no_registry() -> None:
    text = (ROOT / "scripts" / "mcpb" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text
    assert re.search(r'"@anthropic-ai/mcpb": "[0-9.]+"', text)


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
every_workflow = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.stem)


@every_workflow
def test_a_workflow_uses_actions_at_fixed_commits_and_may_only_read(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each)] == []
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", text, re.MULTILINE) == ["  contents: read\n"]
    assert text.count("permissions:") == 1
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")
    assert "secrets." not in text


@every_workflow
def test_what_a_workflow_makes_is_a_target(workflow: Path) -> None:
    targets = set(re.findall(r"^([\w.-]+):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    made = {word for words in re.findall(r"run: make (.*)", workflow.read_text("utf-8")) for word in words.split()}
    assert made <= targets
