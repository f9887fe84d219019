"""Keys to sign evidence with, and to verify it: Ed25519, as OpenSSH or PEM files have them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from admin_mcp.cli.evidence_files import EvidenceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"


def private_key(path: Path, ask: Callable[[], str]) -> "Ed25519PrivateKey":
    """Return the key in a file; ``ask`` returns its passphrase, where it has one.

    Raises:
        EvidenceError: it holds no Ed25519 key, or the passphrase is wrong.

    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - takes a while, as do the others
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_private_key,
        load_ssh_private_key,
    )

    text = _read(path)
    load = load_ssh_private_key if text.lstrip().startswith(_OPENSSH) else load_pem_private_key
    try:
        try:
            found = load(text, None)
        except TypeError:  # so the library says that there is a passphrase
            found = load(text, ask().encode())
    except UnsupportedAlgorithm:
        raise EvidenceError(
            f"{path}: its passphrase can't be used without the library bcrypt; install that, or give a PEM key"
        ) from None
    except Exception:  # noqa: BLE001 - it raises many kinds, and what they quote must not be told
        raise EvidenceError(f"{path} holds no private key that can be read, or the passphrase is wrong") from None
    if not isinstance(found, Ed25519PrivateKey):
        raise EvidenceError(f"{path} is not an Ed25519 key; `ssh-keygen -t ed25519` makes one")
    return found


def public_key(path: Path) -> "Ed25519PublicKey":
    """Return the public key in a file.

    Raises:
        EvidenceError: it holds no Ed25519 key.

    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - takes a while
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_public_key,
        load_ssh_public_key,
    )

    text = _read(path)
    load = load_ssh_public_key if text.lstrip().startswith(b"ssh-") else load_pem_public_key
    try:
        found = load(text)
    except Exception:  # noqa: BLE001 - as above
        raise EvidenceError(f"{path} holds no public key that can be read") from None
    if not isinstance(found, Ed25519PublicKey):
        raise EvidenceError(f"{path} is not an Ed25519 public key")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{path} can't be read: {error.strerror}") from None
