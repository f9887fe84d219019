"""E-mail addresses in evidence as hashes: within one export the same address is the same hash. Pure."""

import hashlib
import hmac
import re
from typing import Any

_EMAIL = re.compile(r"[^\s@<>\"'(),:;\[\]\\]+@[^\s@<>\"'(),:;\[\]\\]+")
_DIGITS = 24


def without_emails(value: Any, salt: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return a value with each address in it, wherever it stands, as an HMAC under the salt."""
    if isinstance(value, str):
        return _EMAIL.sub(lambda found: hashed(found[0], salt), value)
    if isinstance(value, list):
        return [without_emails(each, salt) for each in value]
    if isinstance(value, dict):
        return {without_emails(name, salt): without_emails(each, salt) for name, each in value.items()}
    return value


def hashed(address: str, salt: bytes) -> str:
    """Return what stands for an address; its letter case doesn't matter."""
    digest = hmac.new(salt, address.casefold().encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"email-{digest.hexdigest()[:_DIGITS]}"
