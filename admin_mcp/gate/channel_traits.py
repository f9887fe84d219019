"""What sets the ways to a person apart, one answer to each question for each of them. Pure."""

from dataclasses import dataclass
from typing import assert_never

from admin_mcp.gate.policy import Channel


@dataclass(frozen=True, slots=True)
class ChannelTraits:
    """One channel. ``where`` names where its questions are answered.

    ``most_open`` is how many may be open at once: nobody can judge more with care. ``shown_to_model``: the model reads
    the question too, and ``phrase``: answers it with a phrase. ``here``: a page or a terminal on this machine does.
    """

    where: str
    most_open: int
    shown_to_model: bool = False
    phrase: bool = False
    here: bool = False


def traits(channel: Channel) -> ChannelTraits:
    """Return what holds for a channel."""
    match channel:
        case "elicit":
            return ChannelTraits("the MCP client's form", most_open=5)
        case "local":
            return ChannelTraits("this machine", most_open=10, here=True)
        case "two-step":
            return ChannelTraits("the confirm_change tool", most_open=50, shown_to_model=True, phrase=True)
    assert_never(channel)
