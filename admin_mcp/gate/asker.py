"""Who asks: what the client says of itself, and with which key and for which organization its server works. Pure.

It is shown and recorded, and no part of what an approval is given for. None of it goes to a model.
"""

from pydantic import BaseModel, ConfigDict

from admin_mcp.gate.text import quoted, visible
from admin_mcp.settings import Target

LONGEST_NAME = 60


class Asker(BaseModel):
    """``client`` is the name that the client gives itself, in quotation marks; ``key`` the last four of the admin key.

    ``organization`` is the operator's label. Each is empty where it is not known, and safe to show.
    """

    model_config = ConfigDict(frozen=True)

    client: str = ""
    key: str = ""
    organization: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """What is known, by label. A client may call itself anything, so it is said that it does."""
        known = {
            "Asked by": f"a client that calls itself {self.client}" if self.client else "",
            "Organization": self.organization,
            "Admin key": f"ends in …{self.key}" if self.key else "",
        }
        return {label: value for label, value in known.items() if value}

    @property
    def record(self) -> dict[str, str]:
        """What the journal keeps of it."""
        known = {"asked_by": self.client, "organization": self.organization, "key_last4": self.key}
        return {name: value for name, value in known.items() if value}


NOBODY = Asker()
"""Of whom nothing is known."""


def asker_of(client: str, target: Target) -> Asker:
    """Return who asks; ``client`` is what the client says of itself, as it came."""
    return Asker(
        client=quoted(_cut(client)) if client.strip() else "",
        key=target.key_last4,
        organization=visible(_cut(target.organization.strip())),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"
