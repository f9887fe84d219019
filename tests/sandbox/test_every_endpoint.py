"""Every endpoint of the pretend organization answers, and answers as documented."""

import jsonschema
import pytest

from tests.contract.cases import Case, every_tool
from tests.sandbox.walk import accepted, organization


@every_tool
def test_an_accepted_call_is_answered_as_documented(case: Case) -> None:
    _, reply = accepted(organization(), case)
    case.implemented.SPEC.returns.model_validate(reply.body)
    jsonschema.validate(reply.body, case.tool["outputSchema"])


@every_tool
def test_an_id_that_does_not_exist_is_answered_with_404(case: Case) -> None:
    if not case.documented.path_params:
        pytest.skip("there is no id in its path")
    path = case.documented.path.format_map(dict.fromkeys(case.documented.path_params, "nothing_1"))
    body = {} if case.documented.body else None
    reply = organization().respond(case.documented.method, path, [], body)
    assert reply.status in {400, 404}
    assert reply.status == 404 or case.documented.body
