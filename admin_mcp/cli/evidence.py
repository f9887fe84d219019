"""``evidence``: the organization's state and a period's events as files that can be kept, verified and compared."""

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from admin_mcp import __version__
from admin_mcp.cli.options import line_for, settings_of, storage_of
from admin_mcp.cli.reading import FOUND, explained, installed, put
from admin_mcp.gate.text import visible

if TYPE_CHECKING:
    from admin_mcp.cli.evidence_reading import Evidence
    from admin_mcp.endpoints.schema import Json
    from admin_mcp.gate.storage import GateStorage

_DIRECTORY: Final = click.Path(path_type=Path, file_okay=False)
_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_SALT_BYTES: Final = 32
_T = TypeVar("_T")


@click.group(short_help="Keep evidence for an auditor, verify and compare it.")
def evidence() -> None:
    """Keep evidence of who had what and what was done, verify it, and compare two periods."""


@evidence.command(short_help="Write state, audit events and journal to files.")
@click.option("--period", required=True, help="Whose audit events: 2026Q3, 2026-10, last_month, date..date; UTC.")
@click.option("-o", "--output", type=_DIRECTORY, required=True, metavar="DIR", help="A new or empty directory.")
@click.option("--hash-emails", is_flag=True, help="Addresses as hashes; the salt is kept nowhere.")
@click.option("--sign", type=_FILE, metavar="KEYFILE", help="Sign the manifest: an Ed25519 key, OpenSSH or PEM.")
@click.option(
    "--earlier-key",
    "earlier_keys",
    multiple=True,
    metavar="FINGERPRINT",
    help="Take also what the journal has of an earlier key of this organization. May be given several times.",
)
@click.pass_context
def export(
    context: click.Context,
    /,
    period: str,
    output: Path,
    *,
    hash_emails: bool,
    sign: Path | None,
    earlier_keys: tuple[str, ...],
) -> None:
    """Write the organization's present state, the audit events of a period, and this machine's journal to files.

    The state is that of now; only the audit events are of the period. Of the journal it is what was done with the
    present key; the manifest counts what is of other keys, other addresses and the sandbox, and was left out.
    """
    from admin_mcp.cli.evidence_files import file_of, write_evidence  # noqa: PLC0415 - each command loads only its own
    from admin_mcp.cli.evidence_journal import part_of, systems_of  # noqa: PLC0415
    from admin_mcp.cli.evidence_keys import private_key  # noqa: PLC0415
    from admin_mcp.cli.evidence_reading import JOURNAL  # noqa: PLC0415

    with explained(), _told():
        key = private_key(sign, _passphrase) if sign else None  # first: reading takes a while
        systems = systems_of(settings_of(context).target.label, earlier_keys)
        _require_new(output)
        storage = storage_of(context)
        found, about = _gathered(context, period, storage)
        part = part_of(storage.journal.read() if storage.database.exists else (), systems)
        found.rows[JOURNAL] = part.rows
        about["journal"] = part.manifest
        rows, about["unreadable"] = _kept(found.rows, about["unreadable"], hash_emails=hash_emails)
        manifest = _written(output, lambda: write_evidence(output, rows, {**about, "emails_hashed": hash_emails}, key))
    for kind in rows:
        click.echo(f"{manifest['files'][file_of(kind)]['count']:>8}  {kind}")
    for each in about["unreadable"]:
        inside = f" of {each['of']}" if each["of"] else ""
        click.echo(f"Could not be read: {each['kind']}{visible(inside)}: {visible(each['why'], 300)}", err=True)
    for line in part.told:
        click.echo(line, err=True)
    verify = line_for(context, "evidence", "verify", str(output))
    click.echo(f"Wrote {output}{', signed' if key else ''}. Verify it with: {verify}")


@evidence.command(short_help="Check an export against its manifest.")
@click.argument("directory", type=_DIRECTORY, metavar="DIR")
@click.option("--key", type=_FILE, metavar="PUBKEY", help="Who must have signed: an Ed25519 public key.")
def verify(directory: Path, key: Path | None) -> None:
    """Check DIR against its manifest: sums, counts, missing and extra files; with --key also the signature."""
    from admin_mcp.cli.evidence_files import verify as verified  # noqa: PLC0415
    from admin_mcp.cli.evidence_journal import left_out_of  # noqa: PLC0415
    from admin_mcp.cli.evidence_keys import public_key  # noqa: PLC0415

    with _told():
        found = verified(directory, public_key(key) if key else None)
    for line in found.wrong:
        click.echo(visible(line, 500), err=True)
    if found.wrong:
        raise click.ClickException(f"{directory} is not as it was written ({len(found.wrong)} faults)")
    files = len(found.manifest["files"])
    signed = "signed by this key" if key else "signed, which is checked with --key" if found.signed else "not signed"
    click.echo(f"All {files} files and {found.rows} rows are as the manifest says; {signed}.")
    click.echo(_about(found.manifest))
    if unread := found.manifest.get("unreadable"):
        click.echo(f"{len(unread)} things could not be read when it was made; the manifest names them.")
    if others := left_out_of(found.manifest):
        click.echo(f"Records of other systems that were left out of the journal: {others}.")


@evidence.command(short_help="Say who gained or lost what between two exports.")
@click.argument("before", type=_DIRECTORY, metavar="A")
@click.argument("after", type=_DIRECTORY, metavar="B")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="As text, or JSON.")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="For you alone; without it, the screen.")
@click.option("--fail-on", type=click.Choice(["unexplained"]), help=f"End with {FOUND} if a change has no event.")
def compare(before: Path, after: Path, form: str, output: Path | None, fail_on: str | None) -> None:
    """Say who gained or lost what between A and the later B, and which audit event of B explains it."""
    from admin_mcp.cli.evidence_files import EvidenceError, verify  # noqa: PLC0415

    with _told():
        manifests = []
        for directory in (before, after):
            checked = verify(directory)
            if checked.wrong:
                raise EvidenceError(f"{directory} is not as it was written: {checked.wrong[0]}")
            manifests.append(checked.manifest)
        made = [_made(manifest) for manifest in manifests]
        if made[0] > made[1]:
            raise EvidenceError(f"{before} was made after {after}; give the earlier one first")
        result = _compared(before, after, manifests, made[0])
    put(json.dumps(result, indent=2) if form == "json" else "\n".join(_lines(result)), output)
    if fail_on and result["totals"]["unexplained"]:
        sys.exit(FOUND)


def _gathered(context: click.Context, period: str, storage: "GateStorage") -> "tuple[Evidence, Json]":
    """Return all that is read, and what the manifest says of it."""
    import platform  # noqa: PLC0415
    import time  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    import anyio  # noqa: PLC0415

    from admin_mcp.jobs.periods import parse_period  # noqa: PLC0415

    now = time.time()
    wanted = parse_period(period, now)
    settings = settings_of(context)
    found = anyio.run(_read, settings, storage, wanted)
    about: Json = {
        "made": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "made_at": int(now),
        "target": settings.target.label,
        "period": {"asked": period, "days": str(wanted), "start": wanted.start, "end": wanted.end},
        "versions": {"openai-admin-mcp": __version__, "python": platform.python_version()},
        "unreadable": [{"kind": each.kind, "of": each.of, "why": each.why} for each in found.missing],
    }
    return found, about


async def _read(settings: Any, storage: "GateStorage", period: Any) -> "Evidence":  # noqa: ANN401 - handed on
    from admin_mcp.cli.evidence_reading import read_evidence  # noqa: PLC0415
    from admin_mcp.cli.report_terminal import progress  # noqa: PLC0415
    from admin_mcp.tools.job_tool import reader  # noqa: PLC0415

    async with installed(settings, storage) as server, progress() as tell:
        reading = reader(server, tell)
        found = await read_evidence(reading, period)
        if reading.reads == 0 and found.missing:
            raise click.ClickException(f"nothing could be read. {found.missing[0].kind}: {found.missing[0].why}")
        return found


def _kept(
    rows: "dict[str, list[Json]]", unreadable: "list[Json]", *, hash_emails: bool
) -> "tuple[dict[str, list[Json]], list[Json]]":
    """Return what is written: as it was read, or with each address as a hash whose salt is forgotten here."""
    if not hash_emails:
        return rows, unreadable
    from admin_mcp.cli.evidence_emails import without_emails  # noqa: PLC0415

    salt = secrets.token_bytes(_SALT_BYTES)
    return {kind: without_emails(each, salt) for kind, each in rows.items()}, without_emails(unreadable, salt)


def _require_new(directory: Path) -> None:
    from admin_mcp.private_files import private_directory  # noqa: PLC0415

    def made() -> None:
        private_directory(directory)
        if any(directory.iterdir()):
            raise click.UsageError(f"{directory} is not empty; evidence is written once, into a directory of its own")
        directory.chmod(0o700)

    _written(directory, made)


def _written(path: Path, write: Callable[[], _T]) -> _T:
    try:
        return write()
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror or error}") from None


def _passphrase() -> str:
    answer: str = click.prompt("Passphrase of the key", hide_input=True, err=True)
    return answer


def _about(manifest: "Json") -> str:
    said = (manifest.get(name) for name in ("target", "made"))
    target, made = (visible(str(each), 300) for each in said)
    period = manifest.get("period")
    days = visible(str(period.get("days")), 100) if isinstance(period, dict) else "unknown"
    return f"Of {target}, made {made}, audit events of {days}."


def _made(manifest: "Json") -> int:
    from admin_mcp.cli.evidence_files import EvidenceError  # noqa: PLC0415

    made = manifest.get("made_at")
    if not isinstance(made, int):
        raise EvidenceError("a manifest does not say when it was made")
    return made


def _compared(before: Path, after: Path, manifests: "list[Json]", made: int) -> "Json":
    from admin_mcp.cli.evidence_compare import as_object, compared, names, unread_of  # noqa: PLC0415
    from admin_mcp.cli.evidence_files import read_rows  # noqa: PLC0415
    from admin_mcp.cli.evidence_reading import KINDS  # noqa: PLC0415

    old, new = ({kind: read_rows(path, kind) for kind in KINDS} for path in (before, after))
    unread = [each for manifest in manifests for each in unread_of(manifest)]
    called = names(old, new)
    changes = [as_object(change, called) for change in compared(old, new, made, unread)]
    return {
        "before": _about(manifests[0]),
        "after": _about(manifests[1]),
        "totals": {
            "gained": sum(each["change"] == "gained" for each in changes),
            "lost": sum(each["change"] == "lost" for each in changes),
            "unexplained": sum(not each["explained"] for each in changes),
        },
        "changes": sorted(changes, key=lambda each: (each["explained"], not each["owner"])),
        "notes": [*_notes(manifests, made)],
        "not_compared": sorted({kind for kind, _ in unread}),
    }


def _notes(manifests: "list[Json]", made: int) -> Iterator[str]:
    before, after = manifests
    if before.get("target") != after.get("target"):
        yield "The two are of different targets, or were made with different keys."
    period = after.get("period")
    if isinstance(period, dict) and isinstance(period.get("start"), int) and period["start"] > made:
        yield "The audit events of B begin after A was made: what happened between is unexplained for that alone."
    if isinstance(period, dict) and isinstance(period.get("end"), int) and period["end"] < _made(after):
        yield "The audit events of B end before B was made: what happened since is unexplained for that alone."
    if before.get("emails_hashed") or after.get("emails_hashed"):
        yield "Addresses are hashed under a salt of each export's own; things are compared by their ids."


def _lines(result: "Json") -> Iterator[str]:
    total = result["totals"]
    yield f"{total['gained']} gained, {total['lost']} lost; {total['unexplained']} of them unexplained."
    yield f"A: {result['before']}"
    yield f"B: {result['after']}"
    yield from result["notes"]
    if result["not_compared"]:
        yield f"Not compared in full, since not all could be read: {', '.join(result['not_compared'])}."
    yield from map(_line, result["changes"])


def _line(change: "Json") -> str:
    mark = "+" if change["change"] == "gained" else "-"
    owner = " OWNER" if change["owner"] else ""
    of = f" ({visible(change['of'])})" if "of" in change else ""
    where = f" in {visible(change['where'])}" if "where" in change else ""
    why = "UNEXPLAINED"
    if change["explained"]:
        more = f" and {change['more_events']} more" if "more_events" in change else ""
        why = f"{change['at']} {visible(change['event'])} by {visible(change['by'])}{more}"
    return f"{mark}{owner} {change['what']}: {visible(change['holder'])}{of}{where}  [{why}]"


@contextmanager
def _told() -> Iterator[None]:
    from admin_mcp.cli.evidence_files import EvidenceError  # noqa: PLC0415

    try:
        yield
    except EvidenceError as error:
        raise click.ClickException(visible(str(error), 500)) from None
