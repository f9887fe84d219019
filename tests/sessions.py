"""MCP sessions with the real server in a process of its own, over stdio."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

LEGACY = "legacy"
MODERN = "2026-07-28"
ERAS = (LEGACY, MODERN)
KEY = "sk-admin-test-0123456789"

Answer = types.ElicitResult

APPROVE = Answer(action="accept", content={"decision": "approve"})
REJECT = Answer(action="accept", content={"decision": "reject"})
DECLINE = Answer(action="decline")
CANCEL = Answer(action="cancel")
NOTHING = Answer(action="accept", content={})


def approve_typing(text: str) -> Answer:
    return Answer(action="accept", content={"decision": "approve", "typed_text": text})


@dataclass
class Session:
    client: Client
    asked: list[types.ElicitRequestFormParams] = field(default_factory=list)

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        result = await self.client.call_tool(tool, arguments)
        assert result.structured_content is not None
        assert result.is_error is ("error" in result.structured_content)
        answer: dict[str, Any] = result.structured_content
        return answer

    async def error(self, tool: str, **arguments: object) -> dict[str, Any]:
        error: dict[str, Any] = (await self.call(tool, **arguments))["error"]
        assert error["hint"]
        return error


def environment(**given: str) -> dict[str, str]:
    quiet = {
        "ADMIN_MCP_OPEN_BROWSER": "0",
        "ADMIN_MCP_DESKTOP_NOTIFICATIONS": "0",
        "ADMIN_MCP_APPROVAL_WAIT": "0",
    }
    state = os.environ["ADMIN_MCP_STATE_DIR"]
    return {"ADMIN_MCP_STATE_DIR": state, "XDG_STATE_HOME": f"{state}-home", **quiet, **given}


@asynccontextmanager
async def session(
    era: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    answers: Sequence[Answer] | Callable[[types.ElicitRequestFormParams], Answer] | None = (),
    log: Path | None = None,
) -> AsyncIterator[Session]:
    """Start the server and connect. ``answers=None`` is a client that shows no forms, a function one that decides.

    ``log`` is where the process's stderr goes.
    """
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "admin_mcp", *arguments], env=environment(**(env or {}))
    )
    remaining = [] if answers is None or callable(answers) else list(answers)
    asked: list[types.ElicitRequestFormParams] = []

    async def answer(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestFormParams)
        asked.append(params)
        return answers(params) if callable(answers) else remaining.pop(0)

    callback = None if answers is None else answer
    with (log or Path(os.devnull)).open("w", encoding="utf-8") as stderr:
        async with Client(stdio_client(server, errlog=stderr), mode=era, elicitation_callback=callback) as client:
            yield Session(client, asked)
