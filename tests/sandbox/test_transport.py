"""In front of the pretend organization: keys, request ids, JSON, and faults on demand."""

from collections import Counter

import httpx
import pytest

from admin_mcp.sandbox.faults import Faults, FaultsError, parse_faults
from admin_mcp.sandbox.gateway import Gateway
from admin_mcp.sandbox.transport import SandboxTransport
from tests.sandbox.walk import organization

pytestmark = pytest.mark.anyio

KEY = "Bearer sk-admin-anything"
NEW_GROUP = {"name": "Auditors"}


class Slept:
    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client(faults: str = "", slept: Slept | None = None) -> httpx.AsyncClient:
    gateway = Gateway(organization(), faults=parse_faults(faults), sleep=slept or Slept())
    return httpx.AsyncClient(transport=SandboxTransport(gateway), base_url="http://localhost/v1")


async def get(path: str, **headers: str) -> httpx.Response:
    async with client() as http:
        return await http.get(path, headers=headers)


async def groups(http: httpx.AsyncClient) -> list[str]:
    answer = await http.get("/organization/groups", headers={"authorization": KEY})
    return [group["name"] for group in answer.json()["data"]]


async def test_a_request_with_a_key_is_answered_in_json_with_a_request_id() -> None:
    response = await get("/organization/roles?limit=1", authorization=KEY)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"].startswith("req_sandbox_")
    assert len(response.json()["data"]) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": ""}, {"authorization": "Basic x"}, {"authorization": "Bearer "}]
)
async def test_a_request_without_a_key_is_refused(headers: dict[str, str]) -> None:
    response = await get("/organization/roles", **headers)
    assert response.status_code == 401
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("key", ["sk-proj-1", "sk-svcacct-1"])
async def test_a_projects_key_may_not_administer(key: str) -> None:
    response = await get("/organization/roles", authorization=f"Bearer {key}")
    assert response.status_code == 403
    assert "admin key" in response.json()["error"]["message"]


async def test_a_body_that_is_no_json_is_refused() -> None:
    async with client() as http:
        response = await http.post("/organization/groups", content=b"{", headers={"authorization": KEY})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_json"


@pytest.mark.parametrize("how", ["by share", "by header"])
@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500)])
async def test_a_refusing_fault_changes_nothing(how: str, fault: str, status: int) -> None:
    headers = {"authorization": KEY} | ({"x-sandbox-fault": fault} if how == "by header" else {})
    async with client(fault if how == "by share" else "") as http:
        response = await http.post("/organization/groups", json=NEW_GROUP, headers=headers)
        assert response.status_code == status
        assert response.json()["error"]["message"]
        assert ("retry-after" in response.headers) is (status == 429)
        if how == "by header":
            assert "Auditors" not in await groups(http)


@pytest.mark.parametrize("fault", ["drop", "garbage"])
async def test_a_late_fault_comes_after_the_change_was_made(fault: str) -> None:
    async with client() as http:
        headers = {"authorization": KEY, "x-sandbox-fault": fault}
        if fault == "drop":
            with pytest.raises(httpx.ReadError):
                await http.post("/organization/groups", json=NEW_GROUP, headers=headers)
        else:
            response = await http.post("/organization/groups", json=NEW_GROUP, headers=headers)
            with pytest.raises(ValueError, match="Unterminated"):
                response.json()
        assert "Auditors" in await groups(http)


async def test_latency_holds_up_each_request() -> None:
    slept = Slept()
    async with client("latency=0.3", slept) as http:
        await groups(http)
        await http.get("/organization/roles", headers={"authorization": KEY, "x-sandbox-fault": "latency=2"})
    assert slept.seconds == [0.3, 2.0]


async def test_a_header_that_makes_no_sense_says_what_there_is() -> None:
    response = await get("/organization/roles", **{"authorization": KEY, "x-sandbox-fault": "boom"})
    assert response.status_code == 400
    assert "429, 500, drop, garbage and latency" in response.json()["error"]["message"]


def test_shares_are_met_and_the_same_seed_chooses_the_same() -> None:
    faults = parse_faults("429=10%,500=5%,drop=2%,latency=0.3")
    chosen = [faults.choose(number, 1) for number in range(20_000)]
    assert chosen == [faults.choose(number, 1) for number in range(20_000)]
    assert chosen != [faults.choose(number, 2) for number in range(20_000)]
    counted = Counter(chosen)
    for fault, share in faults.shares:
        assert counted[fault] == pytest.approx(share * 20_000, rel=0.15)
    assert counted[None] == pytest.approx(0.83 * 20_000, rel=0.05)


def test_no_faults_are_no_faults() -> None:
    assert parse_faults("") == parse_faults(" , ") == Faults()
    assert Faults().choose(1, 0) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("boom=1%", "boom=1%: no such fault"),
        ("429=often", "429=often: give a number from 0 to 100"),
        ("429=101%", "give a number from 0 to 100"),
        ("drop=nan", "drop=nan: give a number"),
        ("latency=-1", "give a number from 0 to 120"),
        ("latency", "latency: give a number"),
        ("429=60%,500=60%", "add up to more than 100%"),
    ],
)
def test_faults_that_make_no_sense_are_named(text: str, says: str) -> None:
    with pytest.raises(FaultsError, match=says):
        parse_faults(text)
