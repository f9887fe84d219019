"""All that is MCP: the handlers, the streams, results and errors as a client gets them."""
