"""A body is unpacked as it comes in, once, and never beyond its limit."""

import gzip
import zlib

import pytest

from admin_mcp.api.decoding import Body, TooLongError, UndecodableError

TEXT = b'{"id": "x"}' * 100
RAW = zlib.compressobj(wbits=-15)
PACKED: dict[str, tuple[list[str], bytes]] = {
    "nothing": ([], TEXT),
    "identity": (["identity"], TEXT),
    "gzip": (["gzip"], gzip.compress(TEXT)),
    "x-gzip, shouted": (["X-GZIP"], gzip.compress(TEXT)),
    "gzip beside identity": (["identity", " gzip"], gzip.compress(TEXT)),
    "deflate": (["deflate"], zlib.compress(TEXT)),
    "deflate without its head": (["deflate"], RAW.compress(TEXT) + RAW.flush()),
}


def whole(codings: list[str], packed: bytes, longest: int = 10_000, step: int = 10_000) -> bytes:
    body = Body(codings, longest)
    for start in range(0, len(packed), step):
        body.add(packed[start : start + step])
    return bytes(body.whole())


@pytest.mark.parametrize("step", [1, 2, 7, 10_000])
@pytest.mark.parametrize("name", PACKED)
def test_a_body_comes_out_whole_whatever_parts_it_comes_in(name: str, step: int) -> None:
    codings, packed = PACKED[name]
    assert whole(codings, packed, step=step) == TEXT


@pytest.mark.parametrize("name", PACKED)
def test_the_limit_is_the_last_length_that_is_taken(name: str) -> None:
    codings, packed = PACKED[name]
    assert whole(codings, packed, longest=len(TEXT)) == TEXT
    with pytest.raises(TooLongError):
        whole(codings, packed, longest=len(TEXT) - 1)


@pytest.mark.parametrize("codings", [[], ["gzip"], ["deflate"]])
def test_no_body_is_an_empty_one(codings: list[str]) -> None:
    assert whole(codings, b"") == b""


@pytest.mark.parametrize("codings", [["gzip", "gzip"], ["deflate", "gzip"], ["gzip", "identity", "deflate"]])
def test_a_body_that_is_packed_twice_is_not_begun(codings: list[str]) -> None:
    with pytest.raises(UndecodableError, match="packed 2 times"):
        Body(codings, 10)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "sk-admin-1"])
def test_a_coding_that_was_not_asked_for_is_refused_and_not_quoted(coding: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        Body([coding], 10)
    assert coding not in str(caught.value)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("step", [1, 10_000])
def test_a_damaged_a_cut_and_an_overlong_coding_are_told_apart(coding: str, step: int) -> None:
    packed = PACKED[coding][1]
    for broken, said in (
        (packed[:-5], "cut off"),
        (packed[:1], "cut off"),
        (b"x" * 50, "damaged"),
        (packed + b"!", "followed by something"),
        (packed + packed, "followed by something"),
    ):
        with pytest.raises(UndecodableError, match=said):
            whole([coding], broken, step=step)
