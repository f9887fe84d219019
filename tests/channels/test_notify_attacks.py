"""A webhook's endpoint that never comes to an end, and a state that fails for a moment."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from admin_mcp.channels import notify
from admin_mcp.channels.notify import Courier
from admin_mcp.errors import StateBusy
from admin_mcp.gate.approval import PENDING_SECONDS, Approval
from admin_mcp.gate.approvals import Approvals
from admin_mcp.gate.storage import GateStorage
from tests.channels.test_notify import SECRET, Receiver, courier, hook, kept, opened, receiver
from tests.gate.questions import Clock

__all__ = ["courier", "kept", "receiver"]

PATIENCE = 1.0


def informing(peer: socket.socket) -> None:
    while True:
        peer.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")


def dripping(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        peer.sendall(b"a")
        time.sleep(PATIENCE / 20)


def silent(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass


@contextmanager
def endpoint(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one client after the other, each for as long as it stays."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                with peer, suppress(OSError):
                    peer.recv(65536)
                    answer(peer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
    finally:
        listening.close()


@pytest.mark.parametrize("answer", [informing, dripping, silent])
def test_an_endpoint_that_answers_for_ever_is_given_up(
    kept: GateStorage, monkeypatch: pytest.MonkeyPatch, answer: Callable[[socket.socket], None]
) -> None:
    said: list[str] = []
    complained = threading.Event()
    monkeypatch.setattr(notify, "_REPLY_SECONDS", PATIENCE)

    def complain(_: Courier, what: str) -> None:
        said.append(what)
        complained.set()

    monkeypatch.setattr(Courier, "_complain", complain)
    with endpoint(answer) as url:
        courier = Courier(hook(url), SECRET, kept.approvals, Clock(1_700_000_000.0), pauses=(), poll=0.02)
        courier.take(opened(kept))
        try:
            assert complained.wait(10 * PATIENCE)
        finally:
            courier.stop()
    assert "Timeout" in said[0]


def test_a_state_that_fails_for_a_moment_costs_no_notice(
    courier: Callable[..., Courier], kept: GateStorage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failed = Approvals.get, threading.Event()

    def once(self: Approvals, approval_id: str) -> Approval | None:
        if not failed.is_set():
            failed.set()
            raise StateBusy("The state is busy.", hint="Try again.")
        return real(self, approval_id)

    monkeypatch.setattr(Approvals, "get", once)
    approval = opened(kept)
    courier().take(approval)
    receiver.wait()
    assert failed.wait(20)
    kept.approvals.apply(approval.id, "reject", via="page")
    assert receiver.wait()[-1].body["decision"] == "rejected"


def test_a_question_that_nobody_can_answer_any_more_is_not_told_of(kept: GateStorage, receiver: Receiver) -> None:
    clock = Clock(1_700_000_000.0 + PENDING_SECONDS)
    late, told = opened(kept), Courier(hook(f"{receiver.base_url}/hook"), SECRET, kept.approvals, clock, poll=0.02)
    told.take(late)
    kept.approvals.apply(late.id, "reject", via="page")
    try:
        assert receiver.wait()[0].body["event"] == "decision"
    finally:
        told.stop()
