"""``evidence``: what is written can be verified by anybody, and two exports tell what changed and why."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from admin_mcp.cli import evidence as command
from admin_mcp.cli.evidence_journal import left_out_of, part_of, systems_of
from admin_mcp.cli.evidence_reading import KINDS, Evidence, read_evidence
from admin_mcp.cli.main import main
from admin_mcp.errors import InvalidInput
from admin_mcp.jobs.periods import parse_period
from tests.gate.questions import records
from tests.jobs.pretend import ORG, Pretend
from tests.platforms import needs_file_modes

EMAIL = "ben.okafor@example.com"


def run(*arguments: str, given: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["--sandbox", "evidence", *arguments], input=given)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    directory = tmp_path / "evidence"
    assert run("export", "--period", "30d", "-o", str(directory))[0] == 0
    return directory


def manifest_of(directory: Path) -> Any:
    return json.loads((directory / "manifest.json").read_text("utf-8"))


def rows_of(directory: Path, kind: str) -> list[Any]:
    return [json.loads(line) for line in (directory / f"{kind}.jsonl").read_text("utf-8").splitlines()]


REAL = "https://api.openai.com/v1 with the key whose fingerprint is "


def journaled(tmp_path: Path, *targets: str) -> None:
    """Have the journal tell of a change in each of these systems; the first records are as they were once written."""
    kept = records(tmp_path / "state")
    for number, target in enumerate(targets):
        old = f"In: {target}\nRequest: POST /x"
        kept.journal.write("asked", f"old{number}", tool="create_role", preview=f"Create role\n{old}")
        kept.journal.write("decided", f"old{number}", decision="rejected")
        kept.journal.write("refused", f"new{number}", tool="create_role", target=target)


def test_of_the_journal_it_has_what_is_of_its_system_and_counts_the_rest(tmp_path: Path) -> None:
    sandbox = "the sandbox (a pretend organization)"
    journaled(tmp_path, sandbox, f"{REAL}0123abcd", "http://127.0.0.1:9/v1", sandbox)
    records(tmp_path / "state").journal.write("refused", "unknown", tool="create_role")
    code, _, err = run("export", "--period", "30d", "-o", str(tmp_path / "evidence"))
    assert code == 0
    rows = rows_of(tmp_path / "evidence", "journal")
    assert {row["target"] for row in rows} == {sandbox, ""}
    assert [row["kind"] for row in rows] == ["asked", "decided", "refused"] * 2 + ["refused"]
    assert manifest_of(tmp_path / "evidence")["journal"] == {
        "systems": [sandbox],
        "of_no_system": 1,
        "left_out": {"sandbox": 0, "other_systems": 6},
    }
    assert f"Records left out of the journal: 3 of {REAL}0123abcd\n" in err
    assert (
        "Records of other systems that were left out of the journal: 6." in run("verify", str(tmp_path / "evidence"))[1]
    )


def test_what_was_tried_in_the_sandbox_is_no_evidence_of_an_organization(tmp_path: Path) -> None:
    sandbox, here, old, other = "the sandbox (a pretend organization)", "00000001", "00000002", "00000003"
    journaled(tmp_path, sandbox, *(f"{REAL}{key}" for key in (here, old, other)))
    part = part_of(records(tmp_path / "state").journal.read(), systems_of(f"{REAL}{here}", [old]))
    assert {row["target"] for row in part.rows} == {f"{REAL}{here}", f"{REAL}{old}"}
    assert part.manifest["left_out"] == {"sandbox": 3, "other_systems": 3}
    assert "--earlier-key" in [*part.told][-1]


@pytest.mark.parametrize(
    ("target", "key", "said"),
    [
        (f"{REAL}00000001", "0123ABCD", "no fingerprint"),
        (f"{REAL}00000001", "1 with", "no fingerprint"),
        ("the sandbox (a pretend organization)", "00000002", "the sandbox has no keys"),
    ],
)
def test_an_earlier_key_is_given_by_its_fingerprint(target: str, key: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        systems_of(target, [key])


@pytest.mark.parametrize("journal", [None, [], {}, {"left_out": 3}, {"left_out": {"sandbox": "2", "other": None}}])
def test_a_manifest_may_say_anything_of_the_journal(journal: object) -> None:
    assert left_out_of({"journal": journal}) == 0


@needs_file_modes
def test_the_files_are_for_their_owner_alone(exported: Path) -> None:
    assert stat.S_IMODE(exported.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in exported.iterdir()} == {0o600}


def test_every_kind_is_a_file_and_the_manifest_counts_them(exported: Path) -> None:
    manifest = manifest_of(exported)
    assert {path.name for path in exported.iterdir()} == {"manifest.json", *(f"{kind}.jsonl" for kind in KINDS)}
    for kind in KINDS:
        assert manifest["files"][f"{kind}.jsonl"]["count"] == len(rows_of(exported, kind))
    assert manifest["target"] == "the sandbox (a pretend organization)"
    assert manifest["period"]["asked"] == "30d"
    assert manifest["unreadable"] == []
    assert manifest["versions"]["openai-admin-mcp"]
    assert any(row["email"] == EMAIL for row in rows_of(exported, "users"))
    assert all(row["project_id"] for row in rows_of(exported, "project_users"))


def test_it_is_written_once_into_a_directory_of_its_own(exported: Path) -> None:
    code, _, err = run("export", "--period", "30d", "-o", str(exported))
    assert code == 2
    assert "is not empty" in err


def test_a_wrong_period_writes_nothing(tmp_path: Path) -> None:
    code, _, err = run("export", "--period", "soon", "-o", str(tmp_path / "new"))
    assert code == 2
    assert "is no period" in err


def test_hashed_addresses_stand_nowhere_and_are_the_same_throughout_one_export(tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        assert run("export", "--period", "30d", "-o", str(tmp_path / name), "--hash-emails")[0] == 0
        texts.append("".join(path.read_text("utf-8") for path in (tmp_path / name).iterdir()))
    assert all("@" not in text for text in texts)
    hashed = {row["id"]: row["email"] for row in rows_of(tmp_path / "a", "users")}
    assert len(set(hashed.values())) == len(hashed)
    inside = rows_of(tmp_path / "a", "project_users")
    assert {row["email"] for row in inside} <= set(hashed.values())
    assert all(row["email"] not in texts[1] for row in inside)
    assert manifest_of(tmp_path / "a")["emails_hashed"] is True


def test_verify_passes_what_is_as_it_was_written(exported: Path) -> None:
    code, out, _ = run("verify", str(exported))
    assert code == 0
    assert "not signed" in out
    assert f"All {len(KINDS)} files" in out


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: (path / "users.jsonl").write_text("{}\n"), "users.jsonl: its sum is"),
        (lambda path: (path / "users.jsonl").unlink(), "users.jsonl: it is missing"),
        (lambda path: (path / "more.txt").write_text("x"), "'more.txt': it is there"),
        (lambda path: (path / "manifest.json").unlink(), "can't be read"),
        (lambda path: (path / "manifest.json").write_text("[" * 100_000), "is not JSON"),
        (lambda path: (path / "manifest.json").write_text("{}"), "no manifest of a format"),
        (lambda path: (path / "manifest.json").write_text('{"format": 1, "files": []}'), "lists no files"),
        (lambda path: edit(path, lambda one: one["files"].pop("users.jsonl")), "users.jsonl: the manifest does not"),
        (
            lambda path: edit(path, lambda one: one["files"].update({"../../etc/passwd": {}})),
            "'../../etc/passwd': the manifest lists a file that is none of ours",
        ),
    ],
)
def test_verify_names_what_is_wrong(exported: Path, damage: Any, said: str) -> None:
    damage(exported)
    code, _, err = run("verify", str(exported))
    assert code == 1
    assert said in err


@needs_file_modes
def test_a_link_is_no_evidence(exported: Path, tmp_path: Path) -> None:
    (exported / "users.jsonl").rename(tmp_path / "users")
    (exported / "users.jsonl").symlink_to(tmp_path / "users")
    assert "it is no ordinary file" in run("verify", str(exported))[2]


def edit(directory: Path, change: Any) -> None:
    manifest = manifest_of(directory)
    change(manifest)
    (directory / "manifest.json").write_text(json.dumps(manifest), "utf-8")


@pytest.mark.parametrize(
    ("form", "passphrase"),
    [(PrivateFormat.OpenSSH, ""), (PrivateFormat.PKCS8, ""), (PrivateFormat.PKCS8, "correct horse")],
)
def test_a_signature_is_this_keys_and_no_others(tmp_path: Path, form: PrivateFormat, passphrase: str) -> None:
    directory = tmp_path / "evidence"
    key = Ed25519PrivateKey.generate()
    locked = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    (tmp_path / "key").write_bytes(key.private_bytes(Encoding.PEM, form, locked))
    ssh = form is PrivateFormat.OpenSSH
    public = (Encoding.OpenSSH, PublicFormat.OpenSSH) if ssh else (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pub").write_bytes(key.public_key().public_bytes(*public))
    stranger = Ed25519PrivateKey.generate().public_key()
    (tmp_path / "other.pub").write_bytes(stranger.public_bytes(*public))
    signed = ("export", "--period", "7d", "-o", str(directory), "--sign", str(tmp_path / "key"))
    assert run(*signed, given=f"{passphrase}\n")[0] == 0
    code, out, _ = run("verify", str(directory), "--key", str(tmp_path / "key.pub"))
    assert code == 0
    assert "signed by this key" in out
    assert "signed, which is checked with --key" in run("verify", str(directory))[1]
    code, _, err = run("verify", str(directory), "--key", str(tmp_path / "other.pub"))
    assert code == 1
    assert "not this key's signature" in err
    edit(directory, lambda one: one.update(target="another"))
    assert run("verify", str(directory), "--key", str(tmp_path / "key.pub"))[0] == 1
    (directory / "manifest.sig").unlink()
    assert "nobody vouches" in run("verify", str(directory), "--key", str(tmp_path / "key.pub"))[2]


def test_a_key_that_can_not_sign_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    curve = generate_private_key(SECP256R1())
    (tmp_path / "ec").write_bytes(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "text").write_text("no key")
    for name, said in (("ec", "is not an Ed25519 key"), ("text", "holds no private key"), ("none", "can't be read")):
        code, _, err = run("export", "--period", "7d", "-o", str(tmp_path / "new"), "--sign", str(tmp_path / name))
        assert code == 1
        assert said in err
    assert not (tmp_path / "new").exists()


@pytest.mark.anyio
async def test_what_can_not_be_read_is_named_by_its_kind_and_place() -> None:
    one = Pretend(refused=("list_group_users", "get_organization_spend_limit", "list_audit_logs"))
    found = await read_evidence(one.reader(), parse_period("30d", one.now))
    groups = {group["id"] for group in one.all(f"{ORG}/groups")}
    assert {(each.kind, each.of) for each in found.missing} == {
        ("organization_spend_limit", ""),
        ("audit_events", ""),
        *(("group_users", group) for group in groups),
    }
    assert found.rows["group_roles"]


@pytest.mark.anyio
async def test_what_is_not_set_is_no_gap() -> None:
    one = Pretend()
    found = await read_evidence(one.reader(), parse_period("30d", one.now))
    assert found.missing == []
    assert len(found.rows["project_spend_limits"]) < len(found.rows["projects"])


class World:
    """One organization that is exported twice through the command, as time goes by."""

    def __init__(self, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
        self.org = Pretend()
        self.tmp_path = tmp_path

        async def read(settings: Any, storage: Any, period: Any) -> Evidence:
            del settings, storage
            return await read_evidence(self.org.reader(), period)

        patch.setattr(command, "_read", read)
        patch.setattr("time.time", lambda: self.org.now)

    def export(self, name: str) -> str:
        directory = self.tmp_path / name
        code, _, err = run("export", "--period", "30d", "-o", str(directory))
        assert (code, err) == (0, "")
        return str(directory)

    def later(self) -> None:
        self.org.now += 86_400


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def compared(*arguments: str) -> Any:
    code, out, _ = run("compare", *arguments, "--format", "json")
    assert code == 0
    return json.loads(out)


def test_nothing_changed_is_nothing_to_tell(world: World) -> None:
    first = world.export("a")
    world.later()
    result = compared(first, world.export("b"))
    assert result["totals"] == {"gained": 0, "lost": 0, "unexplained": 0}
    assert result["notes"] == []


def test_each_change_made_through_the_api_is_explained_by_its_event(world: World) -> None:
    first = world.export("a")
    world.later()
    org = world.org
    project = org.all(f"{ORG}/projects")[1]["id"]
    group = org.all(f"{ORG}/groups")[0]["id"]
    user = org.all(f"{ORG}/users")[2]["id"]
    member = org.all(f"{ORG}/groups/{group}/users")[0]["id"]
    org.ask("POST", f"{ORG}/users/{user}", {"role": "owner"})
    org.ask("DELETE", f"{ORG}/groups/{group}/users/{member}")
    account = org.ask("POST", f"{ORG}/projects/{project}/service_accounts", {"name": "robot"})
    world.later()
    result = compared(first, world.export("b"))
    assert [each for each in result["changes"] if not each["explained"]] == []
    told = {(each["change"], each["what"], each["holder_id"]): each for each in result["changes"]}
    assert told["gained", "organization membership", user]["owner"] is True
    assert told["gained", "organization membership", user]["event"] == "user.updated"
    assert told["lost", "group membership", member]["where_id"] == group
    assert told["gained", "service account", account["id"]]["event"] == "service_account.created"
    assert any(what == "API key" for _, what, _ in told)


def test_a_change_without_an_event_is_the_finding(world: World) -> None:
    first = world.export("a")
    world.later()
    org = world.org
    user = org.all(f"{ORG}/users")[2]["id"]
    org.ask("POST", f"{ORG}/users/{user}", {"role": "owner"})
    org.canned = {"list_audit_logs": {"object": "list", "data": [], "has_more": False}}
    world.later()
    second = world.export("b")
    code, out, _ = run("compare", first, second, "--fail-on", "unexplained")
    assert code == 3
    assert "+ OWNER organization membership: Chiara Rossi (owner)  [UNEXPLAINED]" in out
    assert run("compare", first, second)[0] == 0


def test_what_could_not_be_read_is_not_taken_for_lost(world: World) -> None:
    first = world.export("a")
    world.later()
    world.org.refused = ("list_group_users",)
    directory = world.tmp_path / "b"
    assert run("export", "--period", "30d", "-o", str(directory))[0] == 0
    result = compared(first, str(directory))
    assert result["totals"]["lost"] == 0
    assert result["not_compared"] == ["group_users"]


def test_two_that_can_not_be_compared_say_why(world: World) -> None:
    first = world.export("a")
    world.later()
    second = world.export("b")
    code, _, err = run("compare", second, first)
    assert code == 1
    assert "give the earlier one first" in err
    (Path(first) / "users.jsonl").write_text("")
    assert "is not as it was written" in run("compare", first, second)[2]


@pytest.mark.anyio
async def test_a_list_that_the_reader_had_to_leave_off_is_missing_in_part() -> None:
    endless = {"object": "list", "data": [{"id": "user-1", "name": "Ana"}], "has_more": True, "last_id": None}
    one = Pretend(canned={"list_users": endless})
    found = await read_evidence(one.reader(), parse_period("30d", one.now))
    assert [each.of for each in found.missing if each.kind == "users"] == [""]
    assert found.rows["users"]


def test_without_a_key_there_is_one_sentence_and_no_file(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["evidence", "export", "--period", "7d", "-o", str(tmp_path / "new")])
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: No admin key is set, so nothing was sent. Set OPENAI_ADMIN_KEY in this command's environment. "
        "To try without a key, put --sandbox before the command.\n"
    )
    assert [*(tmp_path / "new").iterdir()] == []
