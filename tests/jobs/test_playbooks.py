"""What holds for every playbook: an organization with next to nothing in it, and one that answers nonsense."""

import pytest

from admin_mcp.catalog import compiled_catalog
from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.endpoints.base import Endpoint
from admin_mcp.endpoints.paging import PaginatedEndpoint
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, InvalidInput, NotFound, Permission, PolicyDenied
from admin_mcp.jobs import all_jobs
from admin_mcp.jobs.base import Draft, Playbook
from admin_mcp.jobs.reader import Reader
from tests.jobs.executing import unheard

pytestmark = pytest.mark.anyio

ARGUMENTS: dict[str, Json] = {
    "plan_key_rotation": {"project_id": "proj_1", "service_account_id": "user-sa"},
    "plan_lockdown": {"what": "wxyz", "reason": "It leaked."},
    "plan_offboarding": {"user": "ana@example.com"},
    "plan_onboarding": {"emails": ["ana@example.com"]},
    "plan_project": {"name": "New"},
}
PLAYBOOKS = [job for job in all_jobs() if issubclass(job, Playbook)]


async def drafted(playbook: type[Playbook], read: object) -> Draft:
    reader = Reader(compiled_catalog(), read, unheard, now=lambda: 0.0)  # type: ignore[arg-type]
    return await parse_arguments(playbook, ARGUMENTS[playbook.SPEC.name]).draft(reader)


def test_every_playbook_is_tried_here() -> None:
    assert {playbook.SPEC.name for playbook in PLAYBOOKS} == set(ARGUMENTS)


async def empty(call: Endpoint) -> Json:
    if isinstance(call, PaginatedEndpoint):
        return {"object": "list", "data": [], "has_more": False}
    raise NotFound("no such thing", hint="")


async def test_an_empty_organization_gives_a_first_step_or_a_clear_error() -> None:
    steps = {}
    for playbook in PLAYBOOKS:
        try:
            steps[playbook.SPEC.name] = [step.tool for step in (await drafted(playbook, empty)).steps]
        except (InvalidInput, NotFound) as error:
            steps[playbook.SPEC.name] = [error.kind]
    assert steps == {
        "plan_key_rotation": ["not_found"],
        "plan_lockdown": ["invalid_input"],
        "plan_offboarding": ["invalid_input"],
        "plan_onboarding": ["create_invite"],
        "plan_project": ["create_project"],
    }


NONSENSE: list[Json] = [
    {},
    {"data": None, "has_more": True},
    {"data": [None, 1, "x", [], {}], "has_more": True, "last_id": None, "next": None},
    {
        "data": [{"id": "user-1", "email": "ana@example.com", "projects": 5, "owner": [], "actor": 1, "project": "x"}],
        "owner": "x",
        "id": "user-1",
    },
    {"data": [{"id": "proj_1", "name": ["x"], "role": {}, "redacted_value": 7, "group_id": "g", "model": None}]},
    {"data": [{"id": "a\ud800", "name": "\ud800", "email": "\ud800"}]},
]


@pytest.mark.parametrize("answer", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda job: str(job.SPEC.name))
async def test_answers_that_make_no_sense_give_a_plan_that_can_be_made_or_a_clear_error(
    playbook: type[Playbook], answer: Json
) -> None:
    async def read(call: Endpoint) -> Json:
        del call
        return answer

    try:
        draft = await drafted(playbook, read)
    except CallError:
        return  # any other error is a defect, and fails here
    for step in draft.steps:
        given = {name: "id" if isinstance(value, dict) else value for name, value in step.arguments.items()}
        parse_arguments(compiled_catalog().endpoint(step.tool), given)


@pytest.mark.parametrize("refusal", [Permission, PolicyDenied])
@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda job: str(job.SPEC.name))
async def test_a_key_that_may_read_nothing_gives_no_plan(playbook: type[Playbook], refusal: type[CallError]) -> None:
    async def read(call: Endpoint) -> Json:
        raise refusal(f"{type(call).SPEC.name} is not allowed", hint="Ask for it.")

    with pytest.raises(CallError, match="not allowed"):
        await drafted(playbook, read)
