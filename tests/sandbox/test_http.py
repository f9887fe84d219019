"""The sandbox over HTTP: any client can use it, on this machine only."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from admin_mcp.cli.main import main
from tests.platforms import needs_posix_processes
from tests.sandbox.serving import served
from tests.sandbox.walk import PEM
from tests.sessions import APPROVE, LEGACY, session

HEADERS = {"authorization": "Bearer sk-admin-x"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served("--port", "0") as running:
        yield running


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers=HEADERS, trust_env=False) as client:
        assert client.post(url.removesuffix("/v1") + "/sandbox/reset").json() == {"reset": True}
        yield client


def test_it_says_its_url_and_answers_there(url: str, http: httpx.Client) -> None:
    assert url.startswith("http://127.0.0.1:")
    assert http.get("/organization/projects").json()["data"]


def test_names_of_lists_may_be_bracketed_or_plain(http: httpx.Client) -> None:
    users = http.get("/organization/users").json()["data"]
    for name in ("emails[]", "emails"):
        found = http.get("/organization/users", params={name: users[1]["email"]}).json()["data"]
        assert [user["id"] for user in found] == [users[1]["id"]]


def test_reset_begins_again(http: httpx.Client) -> None:
    made = http.post("/organization/groups", json={"name": "Auditors"}).json()["id"]
    assert http.get(f"/organization/groups/{made}").status_code == 200
    http.post(str(http.base_url).removesuffix("/v1/") + "/sandbox/reset")
    assert http.get(f"/organization/groups/{made}").status_code == 404


def test_the_clock_can_be_put_forward_until_an_invite_is_accepted_or_has_expired(http: httpx.Client) -> None:
    control = str(http.base_url).removesuffix("/v1/") + "/sandbox/clock"
    made = http.post("/organization/invites", json={"email": "ida.berg@example.com", "role": "reader"}).json()
    assert made["status"] == "pending"
    http.post(control, json={"advance_seconds": 60})
    assert http.get(f"/organization/invites/{made['id']}").json()["status"] == "accepted"
    (user,) = http.get("/organization/users", params={"emails[]": "ida.berg@example.com"}).json()["data"]
    assert (user["name"], user["role"]) == ("Ida Berg", "reader")
    http.post(control, json={"advance_seconds": 30 * 86_400})
    statuses = {invite["email"]: invite["status"] for invite in http.get("/organization/invites").json()["data"]}
    assert statuses["hugo.meyer@example.com"] == "expired"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "clock", {"advance_seconds": -1}, 400),
        ("POST", "clock", {"advance_seconds": True}, 400),
        ("POST", "clock", [], 400),
        ("POST", "nothing", {}, 404),
        ("GET", "reset", {}, 404),
    ],
)
def test_a_wrong_switch_is_refused(http: httpx.Client, method: str, path: str, body: Any, status: int) -> None:
    control = str(http.base_url).removesuffix("/v1/") + f"/sandbox/{path}"
    assert http.request(method, control, json=body).status_code == status


def test_a_dropped_connection_and_garbage_come_after_the_change(http: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/organization/groups", json={"name": "Dropped"}, headers={"x-sandbox-fault": "drop"})
    garbage = http.post("/organization/groups", json={"name": "Garbled"}, headers={"x-sandbox-fault": "garbage"})
    with pytest.raises(ValueError, match="Unterminated"):
        garbage.json()
    names = [group["name"] for group in http.get("/organization/groups").json()["data"]]
    assert {"Dropped", "Garbled"} <= set(names)


def test_a_certificate_tells_its_own_dates_and_anything_else_is_refused(http: httpx.Client) -> None:
    made = http.post("/organization/certificates", json={"certificate": PEM}).json()
    assert made["certificate_details"] == {"valid_at": 1_780_000_000, "expires_at": 1_800_000_000}
    broken = PEM.replace("M", "!", 1)
    for pem in ("hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", PEM + PEM, broken):
        refused = http.post("/organization/certificates", json={"certificate": pem})
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == "certificate"


def test_certificates_are_activated_all_or_none(http: httpx.Client) -> None:
    made = http.post("/organization/certificates", json={"certificate": PEM}).json()["id"]
    asked = {"certificate_ids": [made, "cert_nothing"]}
    assert http.post("/organization/certificates/activate", json=asked).status_code == 404
    listed = {each["id"]: each["active"] for each in http.get("/organization/certificates").json()["data"]}
    assert listed[made] is False
    for wrong in ([], [made] * 11):
        assert http.post("/organization/certificates/activate", json={"certificate_ids": wrong}).status_code == 400


@pytest.mark.anyio
async def test_the_server_itself_can_be_pointed_at_it(url: str) -> None:
    env = {"OPENAI_BASE_URL": url, "OPENAI_ADMIN_KEY": "sk-admin-x"}
    async with session(LEGACY, env=env, answers=[APPROVE]) as running:
        made = await running.call("create_group", name="Through two processes")
        assert (await running.call("get_group", group_id=made["id"]))["name"] == "Through two processes"


@pytest.mark.anyio
async def test_faults_reach_an_agent_as_the_errors_they_would_be() -> None:
    async with session(LEGACY, "--sandbox", "--faults", "drop", "--approval", "none") as running:
        assert (await running.error("create_group", name="x"))["kind"] == "outcome_unknown"
        assert (await running.error("list_groups"))["kind"] == "network"
    async with session(LEGACY, "--sandbox", "--faults", "500", "--approval", "none") as running:
        assert (await running.error("create_group", name="x"))["kind"] == "outcome_unknown"


@pytest.mark.anyio
async def test_another_seed_is_another_organization_and_the_same_the_same() -> None:
    ids = []
    for seed in ("1", "1", "2"):
        async with session(LEGACY, "--sandbox", "--seed", seed) as running:
            ids.append([user["id"] for user in (await running.call("list_users"))["data"]])
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


def test_a_larger_organization_is_served_too() -> None:
    with served("--people", "30", "--projects", "9") as url, httpx.Client(headers=HEADERS) as http:
        for path, count in (("users", 30), ("projects", 9)):
            page = http.get(f"{url}/organization/{path}", params={"limit": 100}).json()
            assert (len(page["data"]), page["has_more"]) == (count, False)


@pytest.mark.parametrize("argument", ["--people=6", "--projects=2", "--people=many"])
def test_a_size_that_can_not_be_is_refused(argument: str) -> None:
    result = CliRunner().invoke(main, ["sandbox", argument])
    assert result.exit_code == 2
    assert argument.partition("=")[0] in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])  # noqa: S104 - refusing these is the point
def test_only_loopback_is_listened_on(host: str) -> None:
    result = CliRunner().invoke(main, ["sandbox", "--host", host])
    assert result.exit_code == 2
    assert "not a loopback address" in result.stderr


def test_a_taken_port_and_wrong_faults_are_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(main, ["sandbox", "--port", str(taken.getsockname()[1])])
    assert result.exit_code == 1
    assert "can't listen on 127.0.0.1 port" in result.stderr
    result = CliRunner().invoke(main, ["sandbox", "--faults", "boom"])
    assert result.exit_code == 2
    assert "--faults: boom: no such fault" in result.stderr


@needs_posix_processes
def test_ctrl_c_ends_it() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "admin_mcp", "sandbox"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout
        url = process.stdout.readline().decode().strip()
        assert httpx.get(f"{url}/organization/users", headers=HEADERS, trust_env=False).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr
        assert b"Traceback" not in process.stderr.read()
