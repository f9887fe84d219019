"""A new key's value ends in a private file, never in the answer a model gets."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from admin_mcp.api.secret_sink import SecretSink
from admin_mcp.errors import ApiError, OutcomeUnknown
from tests.platforms import needs_file_modes
from tests.sessions import MODERN, approve_typing, session

ANSWER = {"id": "svc_1", "api_key": {"id": "key_1", "value": "sk-new-abcd", "name": "ci"}}
PLACE = ("api_key", "value")


def test_the_value_is_saved_for_its_owner_alone_and_replaced_by_path_and_last_four(tmp_path: Path) -> None:
    sink = SecretSink(tmp_path / "secrets", "file")
    sink.check()
    kept = sink.keep(ANSWER, PLACE)
    path = Path(kept["api_key"]["value_saved_to"])
    assert kept == {
        "id": "svc_1",
        "api_key": {"id": "key_1", "name": "ci", "value_saved_to": str(path), "value_last4": "abcd"},
    }
    assert path.read_text("utf-8") == "sk-new-abcd\n"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_second_value_with_the_same_id_does_not_replace_the_first(tmp_path: Path) -> None:
    sink = SecretSink(tmp_path, "file")
    paths = {sink.keep({"id": "key_1", "value": f"sk-{n}"}, ("value",))["value_saved_to"] for n in range(3)}
    assert len(paths) == 3


def test_an_id_can_not_lead_out_of_the_directory(tmp_path: Path) -> None:
    sink = SecretSink(tmp_path, "file")
    kept = sink.keep({"id": "../../evil", "value": "sk-1"}, ("value",))
    assert Path(kept["value_saved_to"]).parent == tmp_path


def test_reveal_hands_the_answer_over_as_it_is(tmp_path: Path) -> None:
    sink = SecretSink(tmp_path / "nothing", "reveal")
    sink.check()
    assert sink.keep(ANSWER, PLACE) is ANSWER
    assert not (tmp_path / "nothing").exists()


def test_an_answer_without_a_key_is_left_alone(tmp_path: Path) -> None:
    answer = {"id": "svc_1", "api_key": None}
    assert SecretSink(tmp_path, "file").keep(answer, PLACE) == answer


def test_an_unwritable_directory_is_found_before_the_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ApiError, match="nothing was sent") as caught:
        SecretSink(tmp_path / "file", "file").check()
    assert "ADMIN_MCP_STATE_DIR" in caught.value.hint


def test_a_value_that_can_not_be_saved_after_the_call_is_reported_with_its_id(tmp_path: Path) -> None:
    with pytest.raises(OutcomeUnknown, match="key_1") as caught:
        SecretSink(tmp_path / "missing", "file").keep(ANSWER, PLACE)
    assert "sk-new" not in json.dumps(caught.value.as_object())
    assert "Delete that key" in caught.value.hint


def test_a_new_service_account_key_never_reaches_the_client() -> None:
    made = anyio.run(_make_service_account)
    path = Path(made["api_key"]["value_saved_to"])
    value = path.read_text("utf-8").strip()
    assert value.endswith(made["api_key"]["value_last4"])
    assert value not in json.dumps(made)


async def _make_service_account() -> dict[str, Any]:
    async with session(MODERN, "--sandbox", answers=[approve_typing("Billing")]) as running:
        projects = (await running.call("list_projects"))["data"]
        billing = next(project["id"] for project in projects if project["name"] == "Billing")
        return await running.call("create_project_service_account", project_id=billing, name="ci")


@needs_file_modes
@pytest.mark.parametrize("part", ["", "secrets"])
def test_a_directory_that_others_can_write_to_is_found_before_the_call(tmp_path: Path, part: str) -> None:
    sink = SecretSink(tmp_path / "state" / "secrets", "file")
    sink.check()
    (tmp_path / "state" / part).chmod(0o777)
    with pytest.raises(ApiError, match=r"can be written by other users.*nothing was sent"):
        sink.check()
