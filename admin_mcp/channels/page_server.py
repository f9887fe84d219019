"""Serves the approval pages on loopback: who may look, who may answer, and one answer to each question.

The way in is a one-time token, handed over in a file that only this user can read and turned into a cookie. Every
request must name this very host; every answer must come from this very origin and carry the session's own token.
"""

import hmac
import html
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from admin_mcp.channels.decisions import Decisions
from admin_mcp.channels.document import digest_in, message_page
from admin_mcp.channels.inbox_page import SEEN, TOGETHER, WANTED, Inbox, inbox_digest, inbox_page
from admin_mcp.channels.local_channel import waits
from admin_mcp.channels.page import CSRF, WAITING, Frame, approval_page, settled
from admin_mcp.channels.page_http import HEADERS, forbidden, form_of, not_found, page, plain, unusable
from admin_mcp.channels.plan_page import STRUCK
from admin_mcp.channels.together_page import DECIDED, LIKE, Surroundings, alike, outcomes_page, together_page
from admin_mcp.errors import CallError
from admin_mcp.gate.approval import APPLY_PLAN, Approval
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.channel_traits import traits
from admin_mcp.gate.plans import Plans
from admin_mcp.installation import start_child
from admin_mcp.private_files import private_directory, write_private

_REJECT_ALL = "reject-all"
_STRIKE = "strike"
_AFTER = "after"
_PULSE = "pulse"
TAB_BUSY_SECONDS = 60.0
TAB_WATCHING_SECONDS = 8.0
TAB_OPEN_SECONDS = 90.0
"""For how long an inbox counts as open: browsers let the script of a tab behind others run once a minute."""

_GRACE_SECONDS = 2
_NO_WAY_IN = (
    "This browser has no way in here, or has lost it. In a terminal, openai-admin-mcp approvals list shows "
    "what waits, approvals open opens the page anew, and approvals approve ID decides without one."
)
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open_new_tab(sys.argv[1]))"
_LONGEST_HEADERS = 1024 * 1024
"""More than all cookies that browsers keep for one host: pages on its other ports may have set as many as they can."""


class PageServer:
    """The pages of one process, from ``start`` until the process ends."""

    def __init__(self, approvals: Approvals, plans: Plans, directory: Path, clock: Callable[[], float]) -> None:
        """``directory`` takes the redirect files; ``clock`` gives unix seconds."""
        self._approvals = approvals
        self._decisions = Decisions(approvals, plans, clock)
        self._directory = directory
        self._clock = clock
        self._prefix = f"/{secrets.token_urlsafe(24)}"
        # Cookies know no ports: a page on another one could put a cookie of a known name in this one's place.
        self._cookie = f"approval-{secrets.token_hex(16)}"
        self._tokens: dict[str, str] = {}
        self._sessions: dict[str, str] = {}
        self._redirects: list[Path] = []
        self._busy_until: dict[str, float] = {}
        self._open_until = 0.0
        self._opener: Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._origin = f"http://{self._host}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.application(),
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                http="h11",  # the one whose limit can be set
                h11_max_incomplete_event_size=_LONGEST_HEADERS,
                server_header=False,
                timeout_keep_alive=1,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    def application(self) -> Starlette:
        """Return the ASGI application."""
        application = Starlette(
            routes=[
                Route(f"{self._prefix}/enter/{{token}}", self._enter, methods=["GET"]),
                Route(f"{self._prefix}/", self._show_inbox, methods=["GET"]),
                Route(f"{self._prefix}/{_PULSE}", self._pulse, methods=["GET"]),
                Route(f"{self._prefix}/{TOGETHER}", self._show_together, methods=["GET"]),
                Route(f"{self._prefix}/{TOGETHER}", self._decide_together, methods=["POST"]),
                Route(f"{self._prefix}/approvals/{{id}}", self._show, methods=["GET"]),
                Route(f"{self._prefix}/approvals/{{id}}", self._decide, methods=["POST"]),
                Route(f"{self._prefix}/approvals/{{id}}/{_REJECT_ALL}", self._reject_all, methods=["POST"]),
                Route(f"{self._prefix}/approvals/{{id}}/{_STRIKE}", self._strike, methods=["POST"]),
            ],
            exception_handlers={404: not_found, 405: not_found, CallError: unusable},
        )
        application.router.redirect_slashes = False  # an address that is only nearly right tells nothing
        return application

    def start(self) -> None:
        """Serve, in a thread that ends with the process."""
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, once what is being answered has been, and remove what was left in the directory."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(2 * _GRACE_SECONDS)
        self._socket.close()
        for path in self._redirects:
            path.unlink(missing_ok=True)

    def address(self, approval_id: str | None = None) -> str:
        """Return an address that opens this approval's page, or the inbox, once.

        It lets whoever has it decide: show it to nobody.
        """
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._path_to(approval_id)
        return f"{self._origin}{self._prefix}/enter/{token}"

    @property
    def watched(self) -> bool:
        """Whether a person most likely has one of the pages in front of them."""
        return any(self._clock() < until for until in self._busy_until.values())

    @property
    def inbox_open(self) -> bool:
        """Whether some tab, in front or not, follows what waits."""
        return self._clock() < self._open_until

    @property
    def unreachable(self) -> bool:
        """Whether no browser could be started, and nobody has come in otherwise."""
        return not self._sessions and self._opener is not None and self._opener.poll() not in {None, 0}

    def open_browser(self, approval_id: str | None = None) -> None:
        """Open this approval's page, or the inbox, in the default browser.

        That is by a file, so that its address is in no list of processes.

        Raises:
            OSError: the file could not be written, or Python not be started.

        """
        self._seen(self._path_to(approval_id), TAB_BUSY_SECONDS)
        private_directory(self._directory)
        path = self._directory / f"open-{secrets.token_hex(8)}.html"
        address = html.escape(self.address(approval_id))
        content = f'<!doctype html><meta http-equiv="refresh" content="0; url={address}"><title>Approval</title>'
        write_private(path, content.encode())
        self._redirects.append(path)
        self._opener = start_child(["-c", _OPEN, path.as_uri()], self._directory)

    async def _enter(self, request: Request) -> Response:
        """Turn the one-time token into a session."""
        if not self._is_here(request):
            return forbidden("This address is not this server's.")
        if request.method == "HEAD":  # whoever only looks whether it is there does not come in
            return plain("", 405)
        path = self._tokens.pop(request.path_params["token"], None)
        if path is None:
            return forbidden("This link was used already. Open the page again from a terminal: approvals open.")
        session = secrets.token_urlsafe(32)
        self._sessions[session] = secrets.token_urlsafe(32)
        # A page that leads on rather than a redirect: only so does the browser send the strict cookie at once.
        response = page(message_page("Approval", "Opening the approval …", forward=path))
        response.set_cookie(self._cookie, session, path=self._prefix, httponly=True, samesite="strict")
        for redirect in self._redirects:
            with suppress(OSError):  # Windows keeps it while the browser reads it; `stop` removes it
                redirect.unlink(missing_ok=True)
        return response

    async def _show(self, request: Request) -> Response:
        csrf = self._csrf(request)
        if csrf is None:
            return forbidden(_NO_WAY_IN)
        approval = await run_in_threadpool(self._approvals.get, request.path_params["id"])
        decided = await run_in_threadpool(self._approvals.get, request.query_params.get(_AFTER, ""))
        pulses = SEEN in request.query_params
        shown = await self._answer(approval, csrf, decided=decided, looks=not pulses)
        return self._or_pulse(request, shown, over=approval is None or settled(approval))

    def _or_pulse(self, request: Request, shown: Response, *, over: bool) -> Response:
        """Return the page, or in its place only what tells the page's script whether it still shows what is so.

        A page on which all is ``over`` may be left open by somebody who has gone.
        """
        if (seen := request.query_params.get(SEEN)) is None:
            return shown
        if seen == "1" and not over:
            self._seen(request.url.path, TAB_WATCHING_SECONDS)
        return plain(digest_in(bytes(shown.body).decode()) or "")

    async def _show_inbox(self, request: Request) -> Response:
        if self._csrf(request) is None:
            return forbidden(_NO_WAY_IN)
        self._seen(f"{self._prefix}/", TAB_WATCHING_SECONDS)
        return page(inbox_page(await run_in_threadpool(self._inbox, request.query_params.get(WANTED, ""))))

    async def _pulse(self, request: Request) -> Response:
        """Tell the inbox's script in a word whether it still shows what is so; ``seen``: the tab is in front."""
        if self._csrf(request) is None:
            return plain("", 403)
        self._open_until = self._clock() + TAB_OPEN_SECONDS
        if request.query_params.get(SEEN) == "1":
            self._seen(f"{self._prefix}/", TAB_WATCHING_SECONDS)
        return plain(inbox_digest(await run_in_threadpool(self._inbox, request.query_params.get(WANTED, ""))))

    def _seen(self, path: str, seconds: float) -> None:
        """Note that a person most likely has a page in front of them for so long. It says nothing of other pages."""
        self._busy_until[path] = self._clock() + seconds

    def _inbox(self, wanted: str) -> Inbox:
        approvals = self._approvals.all()
        states = {each.id: self._decisions.step_states(each) for each in approvals if each.state != "pending"}
        return Inbox(approvals, states, f"{self._prefix}/", f"{self._prefix}/{_PULSE}", self._clock(), wanted)

    async def _submitted(self, request: Request) -> tuple[str, dict[str, str]] | Response:
        """Return the session's token and the fields of a form that one of its pages sent, or the refusal."""
        csrf = self._csrf(request)
        same = request.headers.get("origin") == self._origin
        site = request.headers.get("sec-fetch-site", "same-origin")
        if csrf is None or not same or site != "same-origin":
            return forbidden("This answer did not come from the approval page.")
        form = await form_of(request)
        if form is None or not hmac.compare_digest(form.get(CSRF, "").encode(), csrf.encode()):
            return forbidden("This answer is not complete. Go back and load the page again.")
        return csrf, form

    async def _decide(self, request: Request) -> Response:
        submitted = await self._submitted(request)
        if isinstance(submitted, Response):
            return submitted
        csrf, form = submitted
        approval = await run_in_threadpool(self._approvals.get, request.path_params["id"])
        if approval is None or not traits(approval.channel).here:
            return await self._answer(None, csrf)
        message = await run_in_threadpool(self._decisions.apply, approval, form)
        if message is not None:
            now = await run_in_threadpool(self._approvals.get, approval.id)
            return await self._answer(now, csrf, message, typed=form)
        onward = await run_in_threadpool(self._decisions.next_after, approval.id)
        path = f"{self._path(onward)}?{_AFTER}={approval.id}" if onward else self._path(approval.id)
        return RedirectResponse(path, status_code=303, headers=HEADERS)

    async def _show_together(self, request: Request) -> Response:
        """Show several that wait and are of one kind, or what became of those that were decided together."""
        csrf = self._csrf(request)
        if csrf is None:
            return forbidden(_NO_WAY_IN)
        if SEEN not in request.query_params:
            self._seen(request.url.path, TAB_BUSY_SECONDS)
        every = await run_in_threadpool(self._approvals.all)
        here = {each.id: each for each in reversed(every) if traits(each.channel).here}
        waiting = [each for each in here.values() if waits(each)]
        around = Surroundings(f"{self._prefix}/", f"{self._prefix}/{TOGETHER}", csrf, self._clock(), waiting)
        if (ids := request.query_params.get(DECIDED)) is not None:
            decided = [here[each] for each in dict.fromkeys(ids.split(".")) if each in here]
            states = {each.id: await run_in_threadpool(self._decisions.step_states, each) for each in decided}
            over = all(map(settled, decided))
            return self._or_pulse(request, page(outcomes_page(decided, states, around)), over=over)
        one = here.get(request.query_params.get(LIKE, ""))
        asked = alike(one, waiting) if one else []
        if not asked:
            return RedirectResponse(f"{self._prefix}/", status_code=303, headers=HEADERS)
        return page(together_page(asked, around))

    async def _decide_together(self, request: Request) -> Response:
        """Decide each of those that were ticked, and lead to what became of them."""
        submitted = await self._submitted(request)
        if isinstance(submitted, Response):
            return submitted
        ids = await run_in_threadpool(self._decisions.decide_ticked, submitted[1])
        path = f"{self._prefix}/{TOGETHER}?{DECIDED}={'.'.join(ids)}"
        return RedirectResponse(path, status_code=303, headers=HEADERS)

    async def _reject_all(self, request: Request) -> Response:
        """Reject what the page showed as waiting, as far as it still does, and lead back to that page."""
        submitted = await self._submitted(request)
        if isinstance(submitted, Response):
            return submitted
        _, form = submitted
        await run_in_threadpool(self._decisions.reject, form.get(WAITING, "").split())
        return RedirectResponse(self._path(request.path_params["id"]), status_code=303, headers=HEADERS)

    async def _strike(self, request: Request) -> Response:
        """Strike one step out of a plan, and show what is left of it to be decided."""
        submitted = await self._submitted(request)
        if isinstance(submitted, Response):
            return submitted
        csrf, form = submitted
        approval = await run_in_threadpool(self._approvals.get, request.path_params["id"])
        if approval is None or not waits(approval) or approval.question.tool != APPLY_PLAN:
            return await self._answer(approval, csrf, "Nothing can be struck out of this any more.")
        message = await run_in_threadpool(self._decisions.strike, approval, form.get(STRUCK, ""))
        if message is not None:
            return await self._answer(await run_in_threadpool(self._approvals.get, approval.id), csrf, message)
        return RedirectResponse(self._path(approval.id), status_code=303, headers=HEADERS)

    async def _answer(
        self,
        approval: Approval | None,
        csrf: str,
        message: str | None = None,
        *,
        decided: Approval | None = None,
        typed: Mapping[str, str] | None = None,
        looks: bool = True,
    ) -> Response:
        if approval is None or not traits(approval.channel).here:
            return page(message_page("No such approval", "It may have ended more than a day ago."), 404)
        pending = approval.state == "pending"
        path = self._path(approval.id)
        if looks:
            self._seen(path, TAB_BUSY_SECONDS if pending else TAB_WATCHING_SECONDS)
        oldest_first = reversed(await run_in_threadpool(self._approvals.all))
        others = {self._path(other.id): other for other in oldest_first if waits(other) and other.id != approval.id}
        frame = Frame(
            path,
            f"{path}/{_REJECT_ALL}",
            csrf,
            self._clock(),
            others,
            message,
            striking=f"{path}/{_STRIKE}",
            inbox=f"{self._prefix}/",
            states=await run_in_threadpool(self._decisions.step_states, approval),
            decided=decided if decided is not None and traits(decided.channel).here else None,
            typed=typed or {},
        )
        return page(approval_page(approval, frame), 200 if message is None else 422)

    def _csrf(self, request: Request) -> str | None:
        """Return the form token of the request's session, or None if it has no session here."""
        return self._sessions.get(request.cookies.get(self._cookie, "")) if self._is_here(request) else None

    def _is_here(self, request: Request) -> bool:
        """Whether the request was meant for this host: a rebound name is another one."""
        return request.headers.get("host") == self._host

    def _path_to(self, approval_id: str | None) -> str:
        return f"{self._prefix}/" if approval_id is None else self._path(approval_id)

    def _path(self, approval_id: str) -> str:
        return f"{self._prefix}/approvals/{approval_id}"
