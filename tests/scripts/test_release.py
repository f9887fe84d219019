"""Whether a commit is ready to be released, and the sums of what is."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from admin_mcp import __version__
from scripts.release import bundle_name, main, missing, registry_entry, sums

READY = """# Changelog

## [Unreleased]

## [1.2.0] - 2030-01-31

### Added

- A thing.
"""


def test_a_dated_tagged_and_clean_commit_is_ready() -> None:
    assert missing("1.2.0", READY, "latest\nv1.2.0\n", "") == []


def test_a_changelog_without_an_unreleased_section_is_ready_too() -> None:
    assert missing("1.2.0", READY.replace("## [Unreleased]\n\n", ""), "v1.2.0", "") == []


def test_each_thing_that_is_missing_is_named() -> None:
    undated = READY.replace(" - 2030-01-31", "")
    assert ["dated section" in what for what in missing("1.2.0", undated, "v1.2.0", "")] == [True]
    assert ["dated section" in what for what in missing("1.3.0", READY, "v1.3.0", "")] == [True]
    waiting = READY.replace("## [Unreleased]\n", "## [Unreleased]\n\n### Fixed\n\n- Something.\n")
    assert ["unreleased" in what for what in missing("1.2.0", waiting, "v1.2.0", "")] == [True]
    assert ["not committed" in what for what in missing("1.2.0", READY, "v1.2.0", " M README.md\n")] == [True]
    assert ["no tag" in what for what in missing("1.2.0", READY, "v1.2.0rc1", "")] == [True]


def test_the_sums_are_of_every_file_but_themselves_in_the_form_sha256sum_reads(tmp_path: Path) -> None:
    (tmp_path / "b.whl").write_bytes(b"wheel")
    (tmp_path / "a.tar.gz").write_bytes(b"source")
    (tmp_path / "SHA256SUMS").write_text("old", "utf-8")
    (tmp_path / "directory").mkdir()
    first, second = hashlib.sha256(b"source").hexdigest(), hashlib.sha256(b"wheel").hexdigest()
    assert sums(tmp_path) == f"{first}  a.tar.gz\n{second}  b.whl\n"


REPOSITORY = "https://github.com/Some-One/admin"
ENTRY = registry_entry(REPOSITORY, "1.2.0", b"bundle")


def test_the_registry_is_told_what_it_demands_and_nothing_it_refuses() -> None:
    assert re.fullmatch(
        r"https://static\.modelcontextprotocol\.io/schemas/[\d-]{10}/server\.schema\.json", ENTRY["$schema"]
    )
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", ENTRY["name"])
    assert 1 <= len(ENTRY["title"]) <= 100
    assert 1 <= len(ENTRY["description"]) <= 100
    assert ENTRY["repository"] == {"url": REPOSITORY, "source": "github"}
    [package] = ENTRY["packages"]
    assert package["registryType"] == "mcpb"
    assert package["version"] == ENTRY["version"] == "1.2.0"
    assert package["transport"] == {"type": "stdio"}
    assert "registryBaseUrl" not in package
    assert package.keys() <= {"registryType", "identifier", "version", "fileSha256", "transport"}


def test_the_registry_is_told_the_bundle_of_this_release_by_its_sum() -> None:
    [package] = ENTRY["packages"]
    assert package["identifier"] == f"{REPOSITORY}/releases/download/v1.2.0/openai-admin-mcp-1.2.0.mcpb"
    assert package["fileSha256"] == hashlib.sha256(b"bundle").hexdigest()


def test_the_name_is_the_repository_owners_own() -> None:
    assert ENTRY["name"] == "io.github.Some-One/openai-admin-mcp"


@pytest.mark.parametrize(
    "repository",
    [
        "http://github.com/a/b",
        "https://github.com/a",
        "https://github.com/a/b/",
        "https://github.com/a/b.git",
        "a/b",
        "",
    ],
)
def test_another_address_than_a_repositorys_is_refused(repository: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        registry_entry(repository, "1.2.0", b"")


def test_server_json_is_written_beside_the_bundle_it_tells_of(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"server\.json can't be made"):
        main("registry", str(tmp_path), REPOSITORY)
    (tmp_path / bundle_name(__version__)).write_bytes(b"bundle")
    main("registry", str(tmp_path), REPOSITORY)
    written = json.loads((tmp_path / "server.json").read_text("utf-8"))
    assert written == registry_entry(REPOSITORY, __version__, b"bundle")
    assert "  server.json\n" in sums(tmp_path)


def test_the_bundle_has_the_name_that_make_dist_gives_it() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text("utf-8")
    assert bundle_name("$$($(BIN)/python scripts/release.py version)") in makefile
