"""What every page has around its content: the head, and a header that says whose page it is and what waits. Pure."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from xml.etree import ElementTree as ET

from admin_mcp.channels.html import element
from admin_mcp.settings import SANDBOX_LABEL

_PRODUCT = "openai-admin-mcp"
_STYLE = resources.files(__package__).joinpath("page.css").read_text("utf-8")


def source_of(text: str) -> str:
    """Return how a content security policy names an inline style or script."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


STYLE_SOURCE = source_of(_STYLE)
"""How the content security policy names the one style the pages have."""


@dataclass(frozen=True, slots=True)
class Header:
    """``inbox`` is the address of all that waits, ``waiting`` how much that is, ``target`` the system it is about."""

    inbox: str
    waiting: int
    target: str | None


def document(
    title: str,
    content: Iterable[ET.Element],
    *,
    header: Header | None = None,
    risky: bool = False,
    head: Iterable[ET.Element] = (),
    above: Iterable[ET.Element] = (),
    below: Iterable[ET.Element] = (),
    data: Mapping[str, str] | None = None,
) -> str:
    """Return a whole page.

    ``above`` and ``below`` are outside its main part; ``data`` are attributes of the body, for a script.
    """
    made = element(
        "head",
        element("meta", charset="utf-8"),
        element("title", title_of(title, header)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        *head,
        element("style", _STYLE),
    )
    top = [_header(header)] if header else []
    main = element("main", *content, **({"class": "risky"} if risky else {}))
    body = element("body", *top, *above, main, *below, **(data or {}))
    return "<!doctype html>\n" + ET.tostring(element("html", made, body, lang="en"), encoding="unicode", method="html")


def refreshing(content: str) -> ET.Element:
    """Return what makes the browser load an address after some seconds."""
    return element("meta", **{"http-equiv": "refresh", "content": content})


def title_of(title: str, header: Header | None) -> str:
    """Return the title for the tab, which begins with how much waits."""
    return f"({header.waiting}) {title}" if header and header.waiting else title


def message_page(title: str, message: str, *, forward: str | None = None) -> str:
    """Return a page that only says something, or that only leads on to ``forward``."""
    link = [element("p", element("a", "Go on", href=forward))] if forward else []
    head = [refreshing(f"0; url={forward}")] if forward else []
    return document(title, [element("h1", title), element("p", message), *link], head=head)


def _header(header: Header) -> ET.Element:
    return element(
        "header",
        element("strong", _PRODUCT),
        *([_band(header.target)] if header.target else []),
        element("a", f"All that waits ({header.waiting})", href=header.inbox),
    )


def _band(target: str) -> ET.Element:
    if target == SANDBOX_LABEL:
        return element("span", "SANDBOX", **{"class": "band sandbox"})
    return element("span", target, **{"class": "band"})
