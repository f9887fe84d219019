"""What can go wrong on the way to an API, on demand: chosen by share, or for one request by a header. Pure.

    --faults 429=10%,500=5%,drop=2%,garbage=1%,latency=0.3

A share is of all requests; latency is seconds for each of them. Refusals happen before anything is changed. A dropped
connection and a garbage answer come after the change was made, as the worst of them do.
"""

import zlib
from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

from admin_mcp.errors import SettingsError

Fault = Literal["429", "500", "drop", "garbage"]
HEADER = "x-sandbox-fault"
_WORST_LATENCY = 120.0


class FaultsError(SettingsError):
    """The faults that are asked for can't be understood; says which and what there is."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Which share of the requests meets which fault, between 0 and 1, and how many seconds each request takes."""

    shares: tuple[tuple[Fault, float], ...] = ()
    latency: float = 0.0

    def choose(self, number: int, seed: int) -> Fault | None:
        """Return what befalls the request of this number. The same seed chooses the same."""
        drawn = zlib.crc32(f"{seed}/fault/{number}".encode()) / 2**32
        for fault, share in self.shares:
            if drawn < share:
                return fault
            drawn -= share
        return None


def parse_faults(text: str) -> Faults:
    """Read faults as they are written on a command line; in a header a fault's name alone means this request.

    Raises:
        FaultsError: a name or a value that makes no sense, or shares that add up to more than 100%.

    """
    shares: dict[Fault, float] = {}
    latency = 0.0
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = part.partition("=")
        if name == "latency":
            latency = _number(part, value, _WORST_LATENCY)
        elif _is_fault(name):
            shares[name] = _number(part, value.removesuffix("%"), 100) / 100 if value else 1.0
        else:
            raise FaultsError(f"{part}: no such fault; there are {', '.join(get_args(Fault))} and latency")
    if sum(shares.values()) > 1:
        raise FaultsError(f"{text}: the shares add up to more than 100%")
    return Faults(tuple(shares.items()), latency)


def _is_fault(name: str) -> TypeGuard[Fault]:
    return name in get_args(Fault)


def _number(part: str, text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise FaultsError(f"{part}: give a number from 0 to {most:g}")
    return value
