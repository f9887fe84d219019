"""What a caller is told about a failure of this server's own depends on whether a change may be on its way."""

import json

import mcp_types as types
import pytest

from admin_mcp.errors import ApiError, Internal, OutcomeUnknown
from admin_mcp.server.results import ResultTooLongError, error_result, internal_error, too_long, tool_result


def test_a_failure_while_a_change_may_be_on_its_way_leaves_its_outcome_unknown() -> None:
    error = internal_error(sending=True)
    assert (type(error), error.kind) == (OutcomeUnknown, "outcome_unknown")
    assert "may have been made" in error.message
    assert "Nothing was" not in error.message
    assert "Read the present state" in str(error.hint)


def test_a_failure_with_nothing_on_its_way_says_that_nothing_was_changed() -> None:
    error = internal_error(sending=False)
    assert (type(error), error.kind) == (Internal, "internal")
    assert "Nothing was changed" in error.message
    assert error.hint


def test_an_answer_too_long_to_be_passed_on_says_whether_a_change_was_made() -> None:
    changed, read = too_long(sending=True), too_long(sending=False)
    assert (type(changed), type(read)) == (OutcomeUnknown, ApiError)
    assert "most likely made" in changed.message
    assert "made" not in read.message
    assert "Read the present state" in str(changed.hint)
    assert "Ask for less" in str(read.hint)


@pytest.mark.parametrize("sending", [True, False])
def test_an_error_is_the_same_object_in_both_forms_and_marked_as_one(sending: bool) -> None:
    result = error_result(internal_error(sending=sending))
    assert result.is_error is True
    assert result.structured_content is not None
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    assert json.loads(content.text) == result.structured_content
    assert set(result.structured_content) == {"error"}


def test_what_an_error_quotes_shows_no_secret() -> None:
    result = error_result(ApiError("got sk-admin-0123456789", hint="not sk-admin-0123456789"), ["sk-admin-0123456789"])
    assert "0123456789" not in str(result)


def test_a_result_is_the_same_object_in_both_forms_and_no_error() -> None:
    result = tool_result({"id": "role_1", "name": "é"})
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    assert content.text == '{"id":"role_1","name":"é"}'
    assert (result.structured_content, result.is_error) == ({"id": "role_1", "name": "é"}, False)


def test_an_object_longer_than_any_of_the_apis_is_not_passed_on_unless_the_operator_allows_it() -> None:
    value = {"id": "x" * 5_000_000}
    with pytest.raises(ResultTooLongError):
        tool_result(value)
    assert tool_result(value, answer_bytes=6_000_000).structured_content == value
