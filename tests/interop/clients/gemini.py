"""Google's SDK: whose input its converter can't put into Gemini's subset of JSON schema. No client, no call."""

import json
import sys

from google.genai import types

refused = {}
for tool in json.load(sys.stdin)["tools"]:
    try:
        types.Schema.from_json_schema(
            json_schema=types.JSONSchema(**tool["inputSchema"]),
            api_option="GEMINI_API",
            raise_error_on_unsupported_field=True,
        )
    except ValueError as error:
        refused[tool["name"]] = str(error)[:200]
print(json.dumps(refused))
