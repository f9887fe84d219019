"""The vocabulary of endpoints: what one is, its fields, how it looks to a client, and how arguments become one.

Pure. Nothing here knows a particular endpoint, HTTP or MCP.
"""
