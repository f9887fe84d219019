"""Writes ``front.json``, what the front answers, from the SDK's own answers: ``make catalog`` runs it as a module.

Equal texts stand in it once. Each protocol version is asked in a session of its own.
"""

import json
import tempfile
from pathlib import Path

import anyio
import mcp_types as types
from mcp.shared.message import SessionMessage
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from admin_mcp.catalog import compiled_catalog
from admin_mcp.gate.policy import Policy
from admin_mcp.gate.storage import open_storage
from admin_mcp.server.app import admin_server
from admin_mcp.server.front import ANSWERS_JSON, META, MODERN
from admin_mcp.settings import Settings

_LISTS = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
_CLIENT = {"name": "compile", "version": "1"}
_ENVELOPE = {f"{META}protocolVersion": MODERN, f"{META}clientInfo": _CLIENT, f"{META}clientCapabilities": {}}


def compiled() -> str:
    """Return the text ``front.json`` must have."""
    answers: dict[str, int] = {}
    texts: list[str] = []
    for version in (*HANDSHAKE_PROTOCOL_VERSIONS, MODERN):
        for method, text in anyio.run(_answers, version).items():
            if text not in texts:
                texts.append(text)
            answers[f"{version} {method}"] = texts.index(text)
    return json.dumps({"answers": answers, "texts": texts}, indent=1, ensure_ascii=True) + "\n"


def _requests(version: str) -> dict[str, dict[str, object]]:
    """Return what is asked in a version, in order, with the parameters."""
    if version == MODERN:
        return {method: {"params": {"_meta": _ENVELOPE}} for method in ("server/discover", *_LISTS)}
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": _CLIENT}
    return {"initialize": {"params": hello}, **{method: {} for method in ("ping", *_LISTS)}}


async def _answers(version: str) -> dict[str, str]:
    """Return what a server with the usual settings answers to each method, as text."""
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(sandbox=True, state_dir=Path(directory))
        to_server, read = anyio.create_memory_object_stream[SessionMessage | Exception]()
        write, from_server = anyio.create_memory_object_stream[SessionMessage]()
        async with (
            from_server,
            admin_server(settings, compiled_catalog(), Policy(), open_storage(settings)) as server,
            anyio.create_task_group() as group,
            to_server,
        ):
            group.start_soon(server.run, read, write, server.create_initialization_options())
            answers = {}
            for method, more in _requests(version).items():
                message = {"jsonrpc": "2.0", "id": 1, "method": method, **more}
                await to_server.send(SessionMessage(types.jsonrpc_message_adapter.validate_python(message)))
                answers[method] = _result(await from_server.receive())
    return answers


def _result(answer: SessionMessage) -> str:
    sent = answer.message.model_dump_json(by_alias=True, exclude_unset=True)
    return json.dumps(json.loads(sent)["result"], separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    Path(ANSWERS_JSON).write_text(compiled(), encoding="utf-8")
