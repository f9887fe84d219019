"""Evidence as files: JSON lines for each kind, and a manifest with their sums. Written once, verified by anybody."""

import base64
import binascii
import hashlib
import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from admin_mcp.cli.evidence_reading import KINDS
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import AdminMcpError
from admin_mcp.private_files import write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
FORMAT: Final = 1
_CHUNK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 16 << 20


class EvidenceError(AdminMcpError):
    """These files are no evidence that can be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying came to: what is wrong, if anything, and what the manifest says."""

    manifest: Json
    wrong: tuple[str, ...]
    signed: bool
    rows: int


def file_of(kind: str) -> str:
    """Return the name of a kind's file."""
    return f"{kind}.jsonl"


def lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as JSON lines: sorted keys, in ASCII, so that the same rows are the same bytes."""
    return b"".join(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n" for row in rows)


def write_evidence(
    directory: Path, rows: Mapping[str, Sequence[Json]], about: Json, key: "Ed25519PrivateKey | None"
) -> Json:
    """Write all files into an empty directory, the manifest last, and return the manifest.

    Raises:
        OSError: a file can't be written.

    """
    files: dict[str, Json] = {}
    for kind in KINDS:
        content = lines(rows[kind])
        write_private(directory / file_of(kind), content)
        sums = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "count": len(rows[kind])}
        files[file_of(kind)] = sums
    manifest = {"format": FORMAT, **about, "files": files}
    text = (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode()
    if key is not None:
        write_private(directory / SIGNATURE, base64.b64encode(key.sign(text)) + b"\n")
    write_private(directory / MANIFEST, text)
    return manifest


def verify(directory: Path, key: "Ed25519PublicKey | None" = None) -> Verified:
    """Compare a directory with its manifest, and the manifest with its signature where a key is given.

    Raises:
        EvidenceError: there is no manifest that can be read.

    """
    text, manifest = _manifest(directory)
    wrong = [*_signature(directory, text, key), *_files(directory, manifest)]
    counts = [each.get("count", 0) for each in manifest["files"].values()]
    return Verified(manifest, tuple(wrong), (directory / SIGNATURE).exists(), sum(counts))


def read_rows(directory: Path, kind: str) -> list[Json]:
    """Return a kind's rows, from files that were verified."""
    with (directory / file_of(kind)).open("rb") as opened:
        return [json.loads(line) for line in opened]


def _manifest(directory: Path) -> tuple[bytes, Json]:
    path = directory / MANIFEST
    try:
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise EvidenceError(f"{path} is too large for a manifest")
        text = path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path} can't be read: {error.strerror}") from None
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise EvidenceError(f"{path} is not JSON") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise EvidenceError(f"{path} is no manifest of a format that is known here ({FORMAT})")
    files = manifest.get("files")
    if not isinstance(files, dict) or not all(isinstance(each, dict) for each in files.values()):
        raise EvidenceError(f"{path} lists no files")
    return text, manifest


def _signature(directory: Path, text: bytes, key: "Ed25519PublicKey | None") -> Iterator[str]:
    if key is None:
        return
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only for what is signed

    try:
        key.verify(base64.b64decode((directory / SIGNATURE).read_bytes()), text)
    except OSError:
        yield f"{SIGNATURE}: there is none, so nobody vouches for the manifest"
    except (InvalidSignature, binascii.Error):
        yield f"{SIGNATURE}: it is not this key's signature of this manifest"


def _files(directory: Path, manifest: Json) -> Iterator[str]:
    listed = manifest["files"]
    expected = {file_of(kind) for kind in KINDS}
    yield from (f"{name}: the manifest does not list it" for name in sorted(expected - set(listed)))
    yield from (f"{name!r}: the manifest lists a file that is none of ours" for name in sorted(set(listed) - expected))
    there = {path.name for path in directory.iterdir()}
    yield from (f"{name!r}: it is there, and the manifest does not list it" for name in sorted(_extra(there, listed)))
    for name in sorted(set(listed) & expected):
        yield from _file(directory / name, listed[name])


def _extra(there: set[str], listed: Json) -> set[str]:
    return there - set(listed) - {MANIFEST, SIGNATURE}


def _file(path: Path, sums: Json) -> Iterator[str]:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            yield f"{path.name}: it is no ordinary file"
            return
        found = _sums(path)
    except FileNotFoundError:
        yield f"{path.name}: it is missing"
        return
    except OSError as error:
        yield f"{path.name}: it can't be read: {error.strerror}"
        return
    for name, what in (("sha256", "sum"), ("bytes", "length"), ("count", "number of lines")):
        if sums.get(name) != found[name]:
            yield f"{path.name}: its {what} is {found[name]}, and the manifest says {sums.get(name)}"


def _sums(path: Path) -> Json:
    digest, size, count = hashlib.sha256(), 0, 0
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            count += chunk.count(b"\n")
    return {"sha256": digest.hexdigest(), "bytes": size, "count": count}
