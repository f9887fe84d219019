"""An MCP server for the OpenAI Admin API, with a confirmation gate below every tool."""

__version__ = "0.1.0"
