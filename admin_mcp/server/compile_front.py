"""Writes ``front.json``, what the front answers, from the SDK's own answers: ``make catalog`` runs it as a module.

Equal texts stand in it once. The servers that are asked run in processes of their own, without the front.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from admin_mcp.server.front import ANSWERS_JSON, META, MODERN

_CLIENT = {"name": "compile", "version": "1"}
_ENVELOPE = {f"{META}protocolVersion": MODERN, f"{META}clientInfo": _CLIENT, f"{META}clientCapabilities": {}}


def compiled() -> str:
    """Return the text ``front.json`` must have."""
    answers: dict[str, int] = {}
    texts: list[str] = []
    for version in (*HANDSHAKE_PROTOCOL_VERSIONS, MODERN):
        for method, text in _answers(version).items():
            if text not in texts:
                texts.append(text)
            answers[f"{version} {method}"] = texts.index(text)
    return json.dumps({"answers": answers, "texts": texts}, indent=1, ensure_ascii=True) + "\n"


def _answers(version: str) -> dict[str, str]:
    """Return what a server answers to each method, as text."""
    modern = {"params": {"_meta": _ENVELOPE}} if version == MODERN else {}
    hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": _CLIENT}
    requests = [("server/discover", modern)] if modern else [("initialize", {"params": hello}), ("ping", {})]
    requests.append(("tools/list", modern))
    with tempfile.TemporaryDirectory() as directory:
        environment = {**os.environ, "ADMIN_MCP_FRONT": "0", "ADMIN_MCP_STATE_DIR": directory}
        command = [sys.executable, "-m", "admin_mcp", "--sandbox"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
            answers = {method: _asked(process, method, params) for method, params in requests}
            assert process.stdin  # noqa: S101 - it was asked for
            process.stdin.close()
    return answers


def _asked(process: "subprocess.Popen[bytes]", method: str, more: dict[str, object]) -> str:
    assert process.stdin  # noqa: S101 - it was asked for
    assert process.stdout  # noqa: S101
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, **more}).encode() + b"\n")
    process.stdin.flush()
    return json.dumps(json.loads(process.stdout.readline())["result"], separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    Path(ANSWERS_JSON).write_text(compiled(), encoding="utf-8")
