"""MCP's handlers for resources: this machine's own state, to be read. What they say is in ``tools.state_texts``."""

import json
import logging
from collections.abc import Sequence
from typing import Any, Final

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from admin_mcp.api.response import redact
from admin_mcp.api.strict_json import without_halves
from admin_mcp.errors import CallError
from admin_mcp.gate.gate import Gate
from admin_mcp.gate.offload import threaded
from admin_mcp.suggestions import nearest
from admin_mcp.tools.state_texts import STATE_TEXTS, StateText, told

SCHEME: Final = "openai-admin://"
_JSON: Final = "application/json"
logger = logging.getLogger(__name__)


class Resources:
    """The resources of one process: the same for every connection. ``secrets`` are blotted out."""

    def __init__(self, gate: Gate, missing: frozenset[str], secrets: Sequence[str] = ()) -> None:
        self._gate = gate
        self._secrets = secrets
        self._texts = {f"{SCHEME}{text.name}": text for text in STATE_TEXTS if text.tool not in missing}

    async def list(
        self, ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """Answer resources/list."""
        del ctx, params
        return types.ListResourcesResult(resources=[_listed(uri, text) for uri, text in self._texts.items()])

    async def templates(
        self, ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """Answer resources/templates/list: there are none, and some clients ask."""
        del ctx, params
        return types.ListResourceTemplatesResult(resource_templates=[])

    async def read(
        self, ctx: ServerRequestContext[Any], params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Answer resources/read.

        Raises:
            MCPError: there is no such resource, or it can't be read.

        """
        del ctx
        uri = str(params.uri)
        text = self._texts.get(uri)
        if text is None:
            raise MCPError(
                code=types.INVALID_PARAMS,
                message=redact(f"There is no such resource here.{nearest(uri, self._texts)}", self._secrets),
            )
        contents = types.TextResourceContents(uri=uri, mime_type=_JSON, text=await self._text(text))
        return types.ReadResourceResult(contents=[contents])

    async def _text(self, text: StateText) -> str:
        try:
            value = await threaded(told, text, self._gate)
            return redact(without_halves(json.dumps(value, ensure_ascii=False, indent=1)), self._secrets)
        except CallError as error:
            raise MCPError(code=types.INTERNAL_ERROR, message=redact(error.message, self._secrets)) from None
        except Exception:
            logger.exception("reading %s failed inside this server", text.name)
            message = "This server failed while reading its own state; the operator finds the details in its log."
            raise MCPError(code=types.INTERNAL_ERROR, message=message) from None


def _listed(uri: str, text: StateText) -> types.Resource:
    return types.Resource(uri=uri, name=text.name, title=text.title, description=text.description, mime_type=_JSON)
