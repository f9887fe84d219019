"""The ways to a person: the MCP client's forms, a page or a terminal on this machine, a second tool call.

What an answer means is for the gate; here it is only fetched.
"""
