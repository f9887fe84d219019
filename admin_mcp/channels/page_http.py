"""What goes over the wire between a browser and the pages: headers that let nothing else in, and small forms."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from admin_mcp.channels.document import SCRIPT_SOURCE, STYLE_SOURCE, digest_in, message_page

LONGEST_FORM = 16_384
MOST_FIELDS = 24
"""More than a tick for each question that may wait takes."""
_SOURCES = (
    f"default-src 'none'; style-src '{STYLE_SOURCE}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _SOURCES,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FOLLOWING = {
    **HEADERS,
    "Content-Security-Policy": f"{_SOURCES}; script-src '{SCRIPT_SOURCE}'; connect-src 'self'",
}
"""Those of a page that follows what happens, by the one script there is. No page that approves has any."""


def page(text: str, status: int = 200) -> HTMLResponse:
    """Return a page. It runs nothing, unless it is one of those that follow what happens."""
    return HTMLResponse(text, status_code=status, headers=_FOLLOWING if digest_in(text) else HEADERS)


def plain(text: str, status: int = 200) -> PlainTextResponse:
    """Return text for the script."""
    return PlainTextResponse(text, status_code=status, headers=HEADERS)


def forbidden(message: str) -> HTMLResponse:
    """Return a refusal."""
    return page(message_page("Not allowed", message), 403)


async def not_found(request: Request, error: Exception) -> Response:
    """Answer for an address that does not exist."""
    del request, error
    return page(message_page("Not found", "There is nothing here."), 404)


async def unusable(request: Request, error: Exception) -> Response:
    """Answer where the state can't be used: nothing is kept back that was decided, and nothing is made up."""
    del request
    told = f"{error} What you decided may not have counted: go back, load the page again, and look."
    return page(message_page("That did not work", told), 503)


async def form_of(request: Request) -> dict[str, str] | None:
    """Return the fields of a small urlencoded form, each given once; None for anything else."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            return None
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None
