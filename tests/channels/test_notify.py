"""Webhooks are told of questions beside the calls: retried, bounded, and never in their way."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from admin_mcp.channels.notify import Courier, notices
from admin_mcp.gate.approval import Approval
from admin_mcp.gate.storage import GateStorage
from admin_mcp.gate.webhook import Webhook, signature
from tests.gate.questions import Clock, question, records
from tests.recorder import Canned, Recorded, Recorder
from tests.sessions import APPROVE, ERAS, KEY, session

SECRET = "a-secret-of-the-receiver-0123456789"


class Receiver(Recorder):
    """Lets a test wait for the n-th notice."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Semaphore(0)
        self.answers: list[Canned] = []
        self.reply = self._take

    def _take(self, request: Recorded) -> Canned:
        del request
        canned = self.answers.pop(0) if self.answers else Canned(status=204, body=None, raw=b"")
        self.arrived.release()
        return canned

    def wait(self, notices: int = 1) -> list[Recorded]:
        for _ in range(notices):
            assert self.arrived.acquire(timeout=20)
        return list(self.requests)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def kept(tmp_path: Path) -> GateStorage:
    return records(tmp_path / "state", Clock(1_700_000_000.0))


def hook(url: str, **more: object) -> Webhook:
    return replace(Webhook(url, "127.0.0.1", "NOTIFY_SECRET", "policy.toml line 1"), **more)  # type: ignore[arg-type]


def opened(kept: GateStorage, key: str = "key") -> Approval:
    return kept.approvals.open(question(key), "local")[0]


@pytest.fixture
def courier(kept: GateStorage, receiver: Receiver) -> Iterator[Callable[..., Courier]]:
    made: list[Courier] = []

    def make(url: str | None = None, **more: object) -> Courier:
        webhook = hook(url or f"{receiver.base_url}/hook", **more)
        clock = Clock(1_700_000_000.0)
        made.append(Courier(webhook, SECRET, kept.approvals, clock, [KEY], pauses=(0.01, 0.01), poll=0.02))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_a_question_and_what_becomes_of_it_are_told_signed(
    courier: Callable[..., Courier], kept: GateStorage, receiver: Receiver
) -> None:
    approval = opened(kept)
    courier().take(approval)
    (sent,) = receiver.wait()
    assert (sent.method, sent.path) == ("POST", "/v1/hook")
    assert (sent.body["event"], sent.body["id"], sent.body["what"]) == ("question", approval.id, "Delete role")
    body = json.dumps(sent.body, ensure_ascii=False).encode()
    assert sent.headers["x-admin-mcp-signature"] == signature(SECRET, 1_700_000_000, body)
    assert "authorization" not in sent.headers
    kept.approvals.apply(approval.id, "reject", via="terminal")
    decided = receiver.wait()[-1]
    assert (decided.body["event"], decided.body["decision"]) == ("decision", "rejected")


def test_a_failing_receiver_is_tried_again_and_then_told_of_once(
    courier: Callable[..., Courier], kept: GateStorage, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [Canned(status=503), Canned(status=429), Canned(status=204, raw=b"")]
    running = courier(on=frozenset(["question"]))
    running.take(opened(kept))
    assert len(receiver.wait(3)) == 3
    assert caplog.records == []
    receiver.answers = [Canned(status=500) for _ in range(6)]
    running.take(opened(kept, "second"))
    running.take(opened(kept, "third"))
    assert len(receiver.wait(6)) == 9  # three attempts each
    running.take(opened(kept, "fourth"))
    receiver.wait()  # by then all before it was told
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "it answered 500" in record.message
    assert "/v1/hook" not in record.message


@pytest.mark.parametrize("status", [301, 307, 400, 404])
def test_a_refusal_is_final_and_no_redirect_is_followed(
    courier: Callable[..., Courier], kept: GateStorage, receiver: Receiver, status: int
) -> None:
    receiver.answers = [Canned(status=status, headers={"location": f"{receiver.base_url}/elsewhere"})]
    running = courier(on=frozenset(["question"]))
    running.take(opened(kept))
    receiver.wait()
    running.take(opened(kept, "second"))
    assert [sent.path for sent in receiver.wait()] == ["/v1/hook", "/v1/hook"]


def test_a_dead_receiver_costs_the_taker_nothing(
    courier: Callable[..., Courier], kept: GateStorage, caplog: pytest.LogCaptureFixture
) -> None:
    running = courier("http://127.0.0.1:9/hook")
    approval = opened(kept)
    for _ in range(500):  # far more than are kept waiting
        running.take(approval)
    assert "too much waits" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("secret", [None, "short"])
async def test_nothing_is_sent_unsigned(
    kept: GateStorage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, secret: str | None
) -> None:
    monkeypatch.delenv("NOTIFY_SECRET", raising=False)
    if secret:
        monkeypatch.setenv("NOTIFY_SECRET", secret)
    monkeypatch.setenv("SECOND", SECRET)
    hooks = [hook(f"{receiver.base_url}/first"), hook(f"{receiver.base_url}/second", secret_env="SECOND")]
    async with notices(hooks, kept.approvals, Clock()) as tell:
        tell(opened(kept))
        await anyio.to_thread.run_sync(receiver.wait)
    assert [sent.path for sent in receiver.requests] == ["/v1/second"]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_server_tells_of_question_decision_and_outcome(
    era: str, recorder: Recorder, receiver: Receiver, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[[notify]]\nurl = "{receiver.base_url}/hook"\nsecret_env = "NOTIFY_SECRET"\n', "utf-8")
    policy.chmod(0o600)
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "NOTIFY_SECRET": SECRET}
    async with session(era, "--config", str(policy), env=env, answers=[APPROVE]) as running:
        await running.call("update_role", role_id="role_1", description="new")
        told = [sent.body for sent in await anyio.to_thread.run_sync(receiver.wait, 3)]
    assert [each["event"] for each in told] == ["question", "decision", "outcome"]
    assert told[-1]["outcome"] == "done"
    assert KEY not in str([sent.headers for sent in receiver.requests])
    assert SECRET not in str(receiver.requests)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_a_receiver_that_never_answers_holds_up_neither_the_call_nor_the_end(
    era: str, recorder: Recorder, receiver: Receiver, tmp_path: Path
) -> None:
    arrived, release = receiver.hold_changes()
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[[notify]]\nurl = "{receiver.base_url}/hook"\nsecret_env = "NOTIFY_SECRET"\n', "utf-8")
    policy.chmod(0o600)
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "NOTIFY_SECRET": SECRET}
    try:
        with anyio.fail_after(15):  # the receiver holds on for 20 s
            async with session(era, "--config", str(policy), env=env, answers=[APPROVE]) as running:
                await running.call("update_role", role_id="role_1", description="new")
                assert await anyio.to_thread.run_sync(arrived.wait, 10)
        assert len(recorder.changes) == 1
    finally:
        release.set()


@pytest.mark.anyio
async def test_a_working_directory_adds_no_webhook(
    recorder: Recorder, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'[[notify]]\nurl = "{receiver.base_url}/hook"\nsecret_env = "NOTIFY_SECRET"\n'
    for name in ("policy.toml", "config.toml", ".env", "pyproject.toml"):
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    env = {"OPENAI_ADMIN_KEY": KEY, "OPENAI_BASE_URL": recorder.base_url, "NOTIFY_SECRET": SECRET}
    async with session(ERAS[0], env=env, answers=[APPROVE]) as running:
        await running.call("update_role", role_id="role_1", description="new")
    assert len(recorder.changes) == 1
    assert receiver.requests == []
