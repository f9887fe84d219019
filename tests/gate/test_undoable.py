"""For every tool that changes something it is settled whether that can be undone, and said why."""

import pytest

from admin_mcp.api.request import build_request
from admin_mcp.endpoints.base import EndpointSpec
from admin_mcp.gate.preview import IMPOSSIBLE, build_preview
from admin_mcp.gate.snapshot import Snapshot
from admin_mcp.gate.undoable import Undo, undoable
from tests.contract.cases import CASES, Case
from tests.contract.examples import smallest
from tests.gate.undoing import CATALOG

CHANGING = [pytest.param(case, id=case.name) for case in CASES if case.implemented.SPEC.mutates]

NONE = {
    "archive_project",
    "delete_admin_api_key",
    "delete_certificate",
    "delete_external_key",
    "delete_external_storage",
    "delete_group",
    "delete_invite",
    "delete_project_api_key",
    "delete_project_role",
    "delete_project_service_account",
    "delete_role",
    "delete_user",
    "delete_workload_identity_provider",
    "update_project_api_key",
    "validate_external_key",
    "validate_external_storage",
}
EQUIVALENT = {
    "create_external_storage",
    "create_invite",
    "create_project",
    "delete_federation_rule",
    "delete_organization_spend_alert",
    "delete_project_spend_alert",
    "delete_project_user",
}


def of(case: Case) -> Undo:
    return undoable(case.implemented, CATALOG)


@pytest.mark.parametrize("case", CHANGING)
def test_every_changing_tool_has_an_answer_and_a_reason(case: Case) -> None:
    undo = of(case)
    assert undo.kind == ("none" if case.name in NONE else "equivalent" if case.name in EQUIVALENT else "exact")
    assert undo.reason[0].isupper()
    assert undo.reason.endswith(".")


@pytest.mark.parametrize("case", CHANGING)
def test_what_can_be_undone_names_a_changing_tool_that_does_it(case: Case) -> None:
    undo = of(case)
    assert (undo.tool is None) == (undo.kind == "none") == (undo.way == "nothing")
    if undo.tool:
        assert CATALOG.endpoint(undo.tool).SPEC.mutates
        assert undo.tool != case.name or undo.way == "set_back"


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name) for case in CASES if not case.implemented.SPEC.mutates]
)
def test_a_read_is_not_asked_about(case: Case) -> None:
    with pytest.raises(ValueError, match="changes nothing"):
        of(case)


def test_the_names_in_these_lists_are_tools() -> None:
    specs: dict[str, EndpointSpec] = {case.name: case.implemented.SPEC for case in CASES}
    assert {name for name, spec in specs.items() if spec.mutates} >= NONE | EQUIVALENT


@pytest.mark.parametrize("case", CHANGING)
def test_a_preview_says_the_same_before_the_change_is_approved(case: Case) -> None:
    call = case.implemented.model_validate(smallest(case.documented))
    undo, seen = of(case), Snapshot(None, None, {})
    said = build_preview(call, build_request(call), seen, catalog=CATALOG, target="the sandbox").undo
    assert (said == IMPOSSIBLE) == (undo.kind == "none")
    assert (undo.reason[1:-1] in said) == (undo.kind == "equivalent")
    if undo.kind != "none" and undo.way != "set_back":
        assert said.startswith(f"with {undo.tool}")
