"""Certificates: what an uploaded PEM text says, and texts for the seed. No state."""

from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


def validity(pem: str) -> tuple[int, int]:
    """Return from when to when a certificate is valid, as unix seconds.

    Raises:
        ValueError: the text is not exactly one PEM certificate.

    """
    found = x509.load_pem_x509_certificates(pem.encode())
    if len(found) != 1:
        raise ValueError(f"it holds {len(found)} certificates, and one is wanted")
    return int(found[0].not_valid_before_utc.timestamp()), int(found[0].not_valid_after_utc.timestamp())


def self_signed(name: str, start: int, end: int) -> str:
    """Return a certificate that nobody trusts, as PEM text. The same arguments give the same text."""
    key = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(sha256(name.encode()).digest()[:8], "big") + 1)
        .not_valid_before(datetime.fromtimestamp(start, UTC))
        .not_valid_after(datetime.fromtimestamp(end, UTC))
        .sign(key, None)
    )
    return made.public_bytes(Encoding.PEM).decode()
