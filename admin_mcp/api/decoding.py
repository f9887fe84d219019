"""The body of an answer as it comes in: unpacked at once, and never more of it than the limit. Pure."""

import zlib
from collections.abc import Sequence

from admin_mcp.errors import AdminMcpError

ACCEPTED = "gzip, deflate"
"""What is asked for in ``Accept-Encoding``: exactly what can be unpacked here."""

_WBITS = {"gzip": zlib.MAX_WBITS | 16, "zlib": zlib.MAX_WBITS, "raw": -zlib.MAX_WBITS}
_ZLIB_HEADER_BYTES = 2


class TooLongError(AdminMcpError):
    """The body is longer than the limit."""


class UndecodableError(AdminMcpError):
    """The body can't be unpacked; the message completes "the answer is ..."."""


class Body:
    """Takes the parts of one body, packed or not."""

    def __init__(self, codings: Sequence[str], longest: int) -> None:
        """Start with the values of ``Content-Encoding``, and the most bytes the unpacked body may have.

        Raises:
            UndecodableError: packed more than once, or in a way that was not asked for.

        """
        self._coding = _coding(codings)
        self._longest = longest
        self._unpacked = bytearray()
        self._head = b""
        self._unpack = zlib.decompressobj(_WBITS["gzip"]) if self._coding == "gzip" else None
        self._empty = True

    def add(self, part: bytes) -> None:
        """Take the next part.

        Raises:
            TooLongError: the body has become longer than it may be.
            UndecodableError: it is damaged.

        """
        self._empty = self._empty and not part
        if self._coding == "deflate" and self._unpack is None:
            self._head = part = self._head + part
            if len(part) < _ZLIB_HEADER_BYTES:
                return
            self._unpack = zlib.decompressobj(_WBITS["zlib" if _begins_zlib(part) else "raw"])
        if self._unpack is not None:
            part = self._unpacked_part(self._unpack, part)
        if len(self._unpacked) + len(part) > self._longest:
            raise TooLongError
        self._unpacked += part

    def whole(self) -> bytearray:
        """Return the body, now that its last part was taken.

        Raises:
            UndecodableError: it ends too early.

        """
        if self._coding and not self._empty and not (self._unpack and self._unpack.eof):
            raise UndecodableError(f"cut off inside its {self._coding} coding")
        return self._unpacked

    def _unpacked_part(self, unpack: "zlib._Decompress", part: bytes) -> bytes:
        # One byte more than there is room for, so that an excess shows.
        most = self._longest - len(self._unpacked) + 1
        try:
            plain = unpack.decompress(part, most)
        except zlib.error:
            raise UndecodableError(f"damaged inside its {self._coding} coding") from None
        if unpack.unused_data:
            raise UndecodableError(f"followed by something behind its {self._coding} coding")
        return plain


def _coding(codings: Sequence[str]) -> str:
    named = [coding.strip().lower().removeprefix("x-") for coding in codings]
    packed = [coding for coding in named if coding not in {"", "identity"}]
    if len(packed) > 1:
        raise UndecodableError(f"packed {len(packed)} times, and only once is taken")
    if packed and packed[0] not in {"gzip", "deflate"}:
        raise UndecodableError("packed in a way that was not asked for")
    return packed[0] if packed else ""


def _begins_zlib(head: bytes) -> bool:
    """Whether ``deflate`` means a zlib stream, as documented, or a raw one, as some servers send it."""
    method, number = head[0] & 0x0F, int.from_bytes(head[:_ZLIB_HEADER_BYTES], "big")
    return method == zlib.DEFLATED and number % 31 == 0
