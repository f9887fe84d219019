"""What every page has around its content: the head, and a header that says whose page it is and what waits. Pure."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from urllib.parse import quote
from xml.etree import ElementTree as ET

from admin_mcp.channels.html import element
from admin_mcp.gate.asker import NOBODY, Asker
from admin_mcp.settings import SANDBOX_LABEL

_PRODUCT = "openai-admin-mcp"
_STYLE = resources.files(__package__).joinpath("page.css").read_text("utf-8")


def source_of(text: str) -> str:
    """Return how a content security policy names an inline style or script."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


_SCRIPT = resources.files(__package__).joinpath("inbox.js").read_text("utf-8")
_GONE = (
    "This page is not served any more, so it shows what was. In a terminal, openai-admin-mcp inbox opens it again and "
    "keeps it open."
)

SCRIPT_SOURCE = source_of(_SCRIPT)
"""How the content security policy names the one script there is."""

STYLE_SOURCE = source_of(_STYLE)
"""How the content security policy names the one style the pages have."""


@dataclass(frozen=True, slots=True)
class Header:
    """``inbox`` is the address of all that waits, ``waiting`` how much that is, ``target`` the system it is about.

    ``asker`` is who asks, for the organization's label and the end of the key.
    """

    inbox: str
    waiting: int
    target: str | None
    asker: Asker = NOBODY


def document(
    title: str,
    content: Iterable[ET.Element],
    *,
    header: Header | None = None,
    risky: bool = False,
    head: Iterable[ET.Element] = (),
    above: Iterable[ET.Element] = (),
    follows: Mapping[str, str] | None = None,
) -> str:
    """Return a whole page.

    ``above`` is outside its main part; ``follows`` has it follow what happens by the one script there is: the body's
    attributes for that. No page on which something can be approved does.
    """
    made = element(
        "head",
        element("meta", charset="utf-8"),
        element("title", title_of(title, header)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("link", rel="icon", type="image/svg+xml", href=_icon(waiting=bool(header and header.waiting))),
        *head,
        element("style", _STYLE),
    )
    top = [_header(header)] if header else []
    main = element("main", *content, **({"class": "risky"} if risky else {}))
    body = element("body", *top, *above, main, *(_following() if follows else ()), **(follows or {}))
    return "<!doctype html>\n" + ET.tostring(element("html", made, body, lang="en"), encoding="unicode", method="html")


def following(digest: str, pulse: str, *, over: bool = False) -> dict[str, str]:
    """Return what tells the script where it learns whether the page still shows what is so, and what it shows now.

    ``over``: only something else can still come up, so that nothing is missed when there is nobody left to ask.
    """
    return {"data-digest": digest, "data-pulse": pulse, **({"data-over": ""} if over else {})}


def digest_in(page: str) -> str | None:
    """Return the digest of a page that follows what happens, or None for another one."""
    found = re.search(r'<body data-digest="([0-9a-f]{64})"', page)
    return found[1] if found else None


def digest_of(title: str, header: Header, content: Sequence[ET.Element]) -> str:
    """Return what differs as soon as anything that a page shows does."""
    shown = ET.tostring(element("main", *content), encoding="unicode")
    told = f"{title_of(title, header)}\n{header.target}\n{header.asker}\n{shown}"
    return sha256(told.encode()).hexdigest()


def _following() -> tuple[ET.Element, ET.Element]:
    gone = element("p", _GONE, id="gone", hidden="", role="alert", **{"class": "note bad"})
    return gone, element("script", _SCRIPT)


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
        *([_band(header.target, header.asker)] if header.target else []),
        element("a", f"All that waits ({header.waiting})", href=header.inbox),
    )


def _band(target: str, asker: Asker) -> ET.Element:
    if target == SANDBOX_LABEL:
        return element("span", " · ".join(filter(None, ("SANDBOX", asker.organization))), **{"class": "band sandbox"})
    key = f"key …{asker.key}" if asker.key else ""
    named = (asker.organization, key) if asker.organization else (target, key)
    return element("span", " · ".join(filter(None, named)), **{"class": "band"})


def _icon(*, waiting: bool) -> str:
    """Return the tab's picture as an address that holds it whole: a shield, with a dot while something waits."""
    dot = "<circle cx='24' cy='8' r='8' fill='#fff'/><circle cx='24' cy='8' r='6.5' fill='#d11149'/>" if waiting else ""
    shield = "<path d='M16 2l12 4v9c0 8-5 13-12 15C9 28 4 23 4 15V6z' fill='#1b5fc1'/>"
    tick = "<path d='M10 16l4 4 8-8' fill='none' stroke='#fff' stroke-width='3'/>"
    drawn = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>{shield}{tick}{dot}</svg>"
    return f"data:image/svg+xml,{quote(drawn)}"
