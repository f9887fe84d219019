"""Whether a commit is ready to be released, and the sums of what is."""

import hashlib
from pathlib import Path

from scripts.release import missing, sums

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
