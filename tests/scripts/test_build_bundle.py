"""The bundle keeps to the project's own lock: the same versions, and no other file."""

import tomllib

from scripts.build_bundle import REQUIREMENTS, constrained, pinned, strangers

LOCKED = """# made by a tool
a==1 ; sys_platform == 'win32' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via
    #   mcp
b-c==2.0 \\
    --hash=sha256:cc
"""
PINS = {"a==1 ; sys_platform == 'win32'": {"sha256:aa", "sha256:bb"}, "b-c==2.0": {"sha256:cc"}}
ITSELF = '[[package]]\nname = "openai-admin-mcp"\nversion = "0.1.0"\nsource = { editable = "." }\n'


def package(name: str, version: str, *hashes: str) -> str:
    first, *wheels = (f'{{ url = "x", hash = "{digest}" }}' for digest in hashes)
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "x" }}\n'
        f"sdist = {first}\nwheels = [{', '.join(wheels)}]\n"
    )


def test_the_pins_are_read_with_their_conditions_and_hashes() -> None:
    assert pinned(LOCKED) == PINS


def test_the_bundles_project_keeps_its_own_words_and_takes_no_other_version() -> None:
    project = tomllib.loads(constrained('[project]\nname = "x"\n', PINS))
    assert project["project"] == {"name": "x"}
    assert project["tool"]["uv"]["constraint-dependencies"] == list(PINS)


def test_a_lock_of_pinned_files_alone_has_no_strangers() -> None:
    assert (
        strangers(ITSELF + package("a", "1", "sha256:aa", "sha256:bb") + package("b-c", "2.0", "sha256:cc"), PINS) == []
    )


def test_another_version_package_or_file_is_named() -> None:
    lock = (
        package("a", "1.1", "sha256:aa")
        + package("b-c", "2.0", "sha256:cc", "sha256:dd")
        + package("d", "1", "sha256:ee")
    )
    assert strangers(lock, PINS) == ["a==1.1 sha256:aa", "b-c==2.0 sha256:dd", "d==1 sha256:ee"]


def test_the_projects_own_lock_can_be_read_so() -> None:
    pins = pinned(REQUIREMENTS.read_text("utf-8"))
    assert len(pins) > 50
    assert all(hashes for hashes in pins.values())
