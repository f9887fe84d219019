"""Every endpoint of the pretend organization answers, and answers as documented."""

import jsonschema
import pytest

from tests.contract.cases import CASES, Case, every_tool
from tests.sandbox.walk import accepted, organization, send


@every_tool
def test_an_accepted_call_is_answered_as_documented(case: Case) -> None:
    _, reply = accepted(organization(), case)
    case.implemented.SPEC.returns.model_validate(reply.body)
    jsonschema.validate(reply.body, case.tool["outputSchema"])


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name) for case in CASES if case.documented.path_params and not case.documented.body],
)
def test_an_id_that_does_not_exist_is_answered_with_404(case: Case) -> None:
    path = case.documented.path.format_map(dict.fromkeys(case.documented.path_params, "nothing_1"))
    reply = organization().respond(case.documented.method, path, [], None)
    assert reply.status == 404
    assert set(reply.body) == {"error"}


DELETES = [case for case in CASES if case.documented.method == "DELETE" and case.documented.path.endswith("}")]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in DELETES])
def test_what_was_deleted_can_not_be_deleted_again(case: Case) -> None:
    org = organization()
    call, _ = accepted(org, case)
    assert send(org, call).status == 404


@every_tool
def test_the_same_calls_get_the_same_answers(case: Case) -> None:
    assert accepted(organization(), case)[1] == accepted(organization(), case)[1]
