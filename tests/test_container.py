"""The Dockerfile, read and not built: what it copies is there, comes in by hash, and runs without rights."""

import json
import re
from pathlib import Path

from admin_mcp.settings import Settings

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text("utf-8")
LET_IN = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]


def instructions() -> list[tuple[str, str]]:
    """Each instruction and its words, with the lines that it goes on in joined and comments left out."""
    lines = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [(name, words) for name, _, words in (line.partition(" ") for line in joined)]


def words_of(wanted: str) -> list[str]:
    return [words for name, words in instructions() if name == wanted]


def copied() -> list[str]:
    """What is copied from the folder, not from a stage before."""
    return [source for words in words_of("COPY") if "--from" not in words for source in words.split()[:-1]]


def test_everything_that_is_copied_is_there_and_let_in() -> None:
    assert len(copied()) >= 5
    for source in copied():
        assert (ROOT / source).exists(), source
    assert sorted(LET_IN) == sorted(copied())


def test_nothing_is_let_in_but_what_is_named() -> None:
    rest = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] not in {"#", "!"}]
    assert rest[0] == "*"


def test_what_comes_from_an_index_has_its_hash_and_this_project_never_comes_from_one() -> None:
    installed = [
        part for words in words_of("RUN") for part in words.split("&&") if " install " in part and "pip" in part
    ]
    assert len(installed) == 3
    for each in installed:
        assert "--require-hashes --requirement requirements/" in each or "--no-index --no-deps /wheel/" in each, each
    assert not re.search(r"openai-admin-mcp(==|\s|$)", " ".join(words_of("RUN")))


def test_stages_start_from_one_slim_python_that_can_be_pinned() -> None:
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.1\d-slim", words_of("ARG")[0])
    assert {words.split()[0] for words in words_of("FROM")} == {"${PYTHON_IMAGE}"}
    assert len(words_of("FROM")) == 2


def test_the_server_runs_isolated_without_rights_and_keeps_its_state_in_a_volume() -> None:
    last = TEXT[TEXT.rindex("\nFROM ") :]
    assert json.loads(words_of("ENTRYPOINT")[0])[1:] == ["-I", "-m", "admin_mcp"]
    [user] = words_of("USER")
    assert int(user) > 0
    assert last.index("\nUSER ") < last.index("\nENTRYPOINT ")
    [volume] = words_of("VOLUME")
    assert f"--owner {user} --mode 0700 {volume}" in last
    assert f"ADMIN_MCP_STATE_DIR={volume}" in last


def test_the_settings_of_the_image_are_ones_there_are_and_none_is_a_secret() -> None:
    names = re.findall(r"\b([A-Z_]+)=", " ".join(words_of("ENV") + words_of("ARG")))
    ours = {name.removeprefix("ADMIN_MCP_").lower() for name in names if name.startswith("ADMIN_MCP_")}
    assert ours == {"state_dir", "open_browser"}
    assert ours <= Settings.model_fields.keys()
    assert not any("KEY" in name or "TOKEN" in name for name in names)
