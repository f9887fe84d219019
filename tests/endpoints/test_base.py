"""A wrong endpoint class can't be made, and a right one knows everything about itself."""

from collections.abc import Callable
from typing import Literal

import pytest
from pydantic import ConfigDict, ValidationError

from admin_mcp.endpoints.base import ApiObject, Endpoint, EndpointDefinitionError, Keywords
from admin_mcp.endpoints.fields import UNSET, Int, Open, ResourceId


class Thing(ApiObject):
    id: str
    kind: Open[Literal["a"]]


def missing_path_field() -> None:
    class GetThing(Endpoint, get="/things/{thing_id}", returns=Thing):
        """Get."""


def optional_path_field() -> None:
    class GetThing(Endpoint, get="/things/{thing_id}", returns=Thing):
        """Get."""

        thing_id: ResourceId = UNSET


def repeated_path_field() -> None:
    class GetThing(Endpoint, get="/things/{thing_id}/{thing_id}", returns=Thing):
        """Get."""

        thing_id: ResourceId


def field_on_delete() -> None:
    class DeleteThing(Endpoint, delete="/things/{thing_id}", returns=Thing):
        """Delete."""

        thing_id: ResourceId
        force: bool = UNSET


def post_without_effect() -> None:
    class CreateThing(Endpoint, post="/things", returns=Thing):
        """Create."""


def post_that_reads() -> None:
    class ListThings(Endpoint, post="/things", returns=Thing, effect="read"):
        """List."""


def get_with_effect() -> None:
    class GetThing(Endpoint, get="/things", returns=Thing, effect="update"):
        """Get."""


def two_methods() -> None:
    class GetThing(Endpoint, get="/things", post="/things", returns=Thing):
        """Get."""


def no_method() -> None:
    class GetThing(Endpoint, returns=Thing):
        """Get."""


def no_return() -> None:
    class GetThing(Endpoint, get="/things"):
        """Get."""


def no_docstring() -> None:
    class GetThing(Endpoint, get="/things", returns=Thing):
        pass


def unknown_verb() -> None:
    class FetchThing(Endpoint, get="/things", returns=Thing):
        """Fetch."""


def long_name() -> None:
    class GetThingWithAnExceedinglyLongNameIndeed(Endpoint, get="/things", returns=Thing):
        """Get."""


def relative_path() -> None:
    class GetThing(Endpoint, get="things", returns=Thing):
        """Get."""


def misspelled_keyword() -> None:
    class GetThing(Endpoint, get="/things", returns=Thing, effekt="update"):
        """Get."""


@pytest.mark.parametrize(
    ("define", "says"),
    [
        (missing_path_field, "thing_id"),
        (optional_path_field, "must be required"),
        (repeated_path_field, "twice"),
        (field_on_delete, "force"),
        (post_without_effect, "effect="),
        (post_that_reads, "effect="),
        (get_with_effect, "drop effect="),
        (two_methods, "exactly one"),
        (no_method, "exactly one"),
        (no_return, "returns="),
        (no_docstring, "docstring"),
        (unknown_verb, "begin the name"),
        (long_name, "40 characters"),
        (relative_path, "not a path"),
        (misspelled_keyword, "effekt"),
    ],
)
def test_a_contradictory_definition_fails_when_the_class_is_made(define: Callable[[], None], says: str) -> None:
    with pytest.raises(EndpointDefinitionError, match=says):
        define()


def test_a_definition_knows_its_facts() -> None:
    class UpdateThing(Endpoint, post="/groups/{group_id}/things/{thing_id}", returns=Thing, effect="update"):
        """Change a thing.
        It stays.
        """

        group_id: ResourceId
        thing_id: ResourceId
        name: str = UNSET

    spec = UpdateThing.SPEC
    assert (spec.name, spec.title, spec.description) == ("update_thing", "Update thing", "Change a thing. It stays.")
    assert (spec.endpoint, spec.effect) == ("POST /groups/{group_id}/things/{thing_id}", "update")
    assert spec.path_fields == ("group_id", "thing_id")
    assert spec.mutates


def test_fields_may_be_called_what_the_api_calls_them() -> None:
    class CreateThing(Endpoint, post="/things", returns=Thing, effect="create"):
        """Create a thing."""

        method: str
        path: str
        title: str
        effect: str
        returns: Int

    made = CreateThing(method="m", path="p", title="t", effect="e", returns=1)
    assert made.model_dump() == {"method": "m", "path": "p", "title": "t", "effect": "e", "returns": 1}


def test_no_class_keyword_is_a_pydantic_setting() -> None:
    assert not set(Keywords.__annotations__) & set(ConfigDict.__annotations__)


def test_answers_keep_unknown_fields_and_accept_unknown_enum_values() -> None:
    thing = Thing.model_validate({"id": "x", "kind": "new", "more": [1]})
    assert thing.model_dump() == {"id": "x", "kind": "new", "more": [1]}


def test_only_an_update_must_change_something() -> None:
    class UpdateThing(Endpoint, post="/things/{thing_id}", returns=Thing, effect="update"):
        """Change a thing."""

        thing_id: ResourceId
        name: str | None = UNSET

    class ValidateThing(Endpoint, post="/things/{thing_id}/validate", returns=Thing, effect="update"):
        """Validate a thing."""

        thing_id: ResourceId

    class CreateThing(Endpoint, post="/things", returns=Thing, effect="create"):
        """Create a thing."""

        name: str = UNSET

    with pytest.raises(ValidationError, match="at least one of name"):
        UpdateThing(thing_id="x")
    assert UpdateThing(thing_id="x", name=None).model_fields_set == {"thing_id", "name"}
    assert ValidateThing(thing_id="x").thing_id == "x"
    assert CreateThing().model_fields_set == set()
