"""MCP's handlers for prompts and for completing their arguments. What they say is in ``prompt_texts``."""

import logging
import time
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from admin_mcp.errors import InvalidInput
from admin_mcp.server.prompt_texts import Argument, PromptText, offered
from admin_mcp.suggestions import nearest
from admin_mcp.tools.completion import MOST_VALUES, Completions
from admin_mcp.tools.endpoint_tool import Installation

logger = logging.getLogger(__name__)


class Prompts:
    """The prompts of one process: the same for every connection."""

    def __init__(self, server: Installation, missing: frozenset[str], *, read_only: bool) -> None:
        self._prompts = offered(missing, read_only=read_only)
        self._completions = Completions(server, time.monotonic)

    async def list(
        self, ctx: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        """Answer prompts/list."""
        del ctx, params
        return types.ListPromptsResult(prompts=[_listed(prompt) for prompt in self._prompts.values()])

    async def get(self, ctx: ServerRequestContext[Any], params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """Answer prompts/get with one message.

        Raises:
            MCPError: there is no such prompt, or an argument is wrong.

        """
        del ctx
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(
                code=types.INVALID_PARAMS,
                message=f"There is no prompt of this name here.{nearest(params.name, self._prompts)}",
            )
        try:
            text = prompt.text(params.arguments or {})
        except InvalidInput as error:
            raise MCPError(code=types.INVALID_PARAMS, message=error.message) from None
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
        return types.GetPromptResult(description=prompt.description, messages=[message])

    async def complete(
        self, ctx: ServerRequestContext[Any], params: types.CompleteRequestParams
    ) -> types.CompleteResult:
        """Answer completion/complete. Whatever fails completes to nothing: it is a convenience."""
        del ctx
        values: list[str] = []
        argument = self._argument(params)
        if argument is not None and argument.completed is not None:
            try:
                values = await self._completions.of(argument.completed, params.argument.value)
            except Exception:
                logger.exception("completing %s failed inside this server", argument.name)
        return types.CompleteResult(
            completion=types.Completion(
                values=values[:MOST_VALUES], total=len(values), has_more=len(values) > MOST_VALUES
            )
        )

    def _argument(self, params: types.CompleteRequestParams) -> Argument | None:
        if not isinstance(params.ref, types.PromptReference):
            return None
        prompt = self._prompts.get(params.ref.name)
        arguments = prompt.arguments if prompt else ()
        return next((each for each in arguments if each.name == params.argument.name), None)


def _listed(prompt: PromptText) -> types.Prompt:
    arguments = [
        types.PromptArgument(name=each.name, description=each.description, required=each.required)
        for each in prompt.arguments
    ]
    return types.Prompt(name=prompt.name, title=prompt.title, description=prompt.description, arguments=arguments)
