"""Stand-ins for the models that hosts talk to, on loopback: they make the calls they are told to, and keep the answers.

A conversation comes whole with every request, so what to say next follows from how many tool results are in it, and
nothing has to be remembered between requests.
"""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Arguments = Json | Callable[[list[str]], Json]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Call:
    """A tool call that the model makes: the tool's own name, and its arguments, which may come from earlier results."""

    tool: str
    arguments: Arguments = field(default_factory=dict)
    unseen: bool = False
    """Whether it is made by its whole name, though the host told of it in words and not in its list of tools."""

    def given(self, results: list[str]) -> Json:
        return self.arguments(results) if callable(self.arguments) else self.arguments


@dataclass(frozen=True)
class Tool:
    """A tool as a host offers it: hosts put their own prefixes before a server's names, and some put it in a space."""

    name: str
    space: str | None = None


@dataclass(frozen=True)
class Turn:
    """What one request of a host says: the tools on offer, and the results that are in the conversation."""

    tools: list[Tool]
    results: list[str]


@dataclass
class Model:
    """What the model does, and what it has seen."""

    calls: Sequence[Call]
    address: str = ""
    offered: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    bodies: list[tuple[str, Json]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    heard: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, seconds: float = 60.0) -> None:
        """Wait until the host has sent this many results back."""
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.results) >= count, seconds), self.results

    def answer(self, turn: Turn) -> tuple[Tool, Json] | None:
        """Return the next call, or None to end: also where the server's tools are not on offer, as for a title."""
        if not turn.tools:
            return None
        if len(turn.tools) >= len(self.offered):
            self.offered = [tool.name for tool in turn.tools]
        if len(turn.results) > len(self.results):
            with self.heard:
                self.results = list(turn.results)
                self.heard.notify_all()
        if len(turn.results) >= len(self.calls):
            return None
        call = self.calls[len(turn.results)]
        found = [tool for tool in turn.tools if re.fullmatch(rf"(.*[_.-])?{call.tool}", tool.name)]
        if not found and not call.unseen:
            self.unknown.append(call.tool)
            return None
        if not found:
            return Tool(call.tool), call.given(turn.results)
        tool = min(found, key=lambda each: len(each.name))
        return tool, call.given(turn.results)


def _text(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(str(each.get("text", "")) for each in content if isinstance(each, dict))
    return content if isinstance(content, str) else json.dumps(content)


def read_messages(body: Json) -> Turn:
    """Anthropic's Messages."""
    blocks = [
        block
        for message in body["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "tool_result"
    ]
    return Turn(
        [Tool(tool["name"]) for tool in body.get("tools") or []], [_text(block.get("content")) for block in blocks]
    )


def write_messages(call: tuple[Tool, Json] | None) -> Iterator[Json]:
    number = next(_numbers)
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "stand-in", "content": []}
    usage = {"input_tokens": 10, "output_tokens": 5}
    yield {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    if call is None:
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "All done."}}
    else:
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": call[0].name, "input": {}}
        yield {"type": "content_block_start", "index": 0, "content_block": block}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(call[1])}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    reason = "tool_use" if call else "end_turn"
    yield {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}
    yield {"type": "message_stop"}


def read_responses(body: Json) -> Turn:
    """OpenAI's Responses."""
    tools: list[Tool] = []
    for tool in body.get("tools") or []:
        if tool["type"] == "function":
            tools.append(Tool(tool["name"]))
        elif tool["type"] == "namespace":
            tools += [Tool(each["name"], tool["name"]) for each in tool["tools"]]
    outputs = [item for item in body["input"] if item.get("type") == "function_call_output"]
    return Turn(tools, [_text(item["output"]) for item in outputs])


def write_responses(call: tuple[Tool, Json] | None) -> Iterator[Json]:
    number = next(_numbers)
    response = {"id": f"resp_{number}"}
    yield {"type": "response.created", "response": response}
    if call is None:
        content = [{"type": "output_text", "text": "All done.", "annotations": []}]
        item: Json = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": content}
    else:
        named = {"name": call[0].name, **({"namespace": call[0].space} if call[0].space else {})}
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", **named}
        item["arguments"] = json.dumps(call[1])
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}  # type: ignore[dict-item]  # the API's own shape
    yield {"type": "response.completed", "response": {**response, "usage": usage}}


def read_chat(body: Json) -> Turn:
    """OpenAI's Chat Completions."""
    tools = [Tool(tool["function"]["name"]) for tool in body.get("tools") or []]
    return Turn(tools, [_text(each["content"]) for each in body["messages"] if each["role"] == "tool"])


def write_chat(call: tuple[Tool, Json] | None) -> Iterator[Json]:
    number = next(_numbers)
    chunk = {"id": f"chat_{number}", "object": "chat.completion.chunk", "created": 1, "model": "stand-in"}
    if call is None:
        delta: Json = {"role": "assistant", "content": "All done."}
    else:
        function = {"name": call[0].name, "arguments": json.dumps(call[1])}
        delta = {"role": "assistant", "tool_calls": [{"index": 0, "id": f"call_{number}", "type": "function"}]}
        delta["tool_calls"][0]["function"] = function
    yield {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    reason = "tool_calls" if call else "stop"
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    yield {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}


def read_gemini(body: Json) -> Turn:
    """Gemini's generateContent."""
    tools = [Tool(each["name"]) for tool in body.get("tools") or [] for each in tool.get("functionDeclarations") or []]
    parts = [part for content in body["contents"] for part in content.get("parts") or []]
    responses = [part["functionResponse"]["response"] for part in parts if "functionResponse" in part]
    return Turn(tools, [_text(each.get("output", each.get("error", each))) for each in responses])


def write_gemini(call: tuple[Tool, Json] | None) -> Iterator[Json]:
    part: Json = {"functionCall": {"name": call[0].name, "args": call[1]}} if call else {"text": "All done."}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    yield {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "stand-in"}


DIALECTS = (
    (re.compile(r"/messages$"), read_messages, write_messages),
    (re.compile(r"/responses$"), read_responses, write_responses),
    (re.compile(r"/chat/completions$"), read_chat, write_chat),
    (re.compile(r":(stream)?[gG]enerateContent$"), read_gemini, write_gemini),
)


class _Server(ThreadingHTTPServer):
    def __init__(self, model: Model) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # the end of the connection is the end of the stream

    @property
    def _model(self) -> Model:
        assert isinstance(self.server, _Server)
        return self.server.model

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.partition("?")[0]
        self._model.bodies.append((path, body))
        for pattern, read, write in DIALECTS:
            if pattern.search(path):
                self._stream(path, list(write(self._model.answer(read(body)))))
                return
        self._json(200 if path.endswith("count_tokens") else 404, {"input_tokens": 10})

    def do_GET(self) -> None:
        self._json(404, {"error": {"message": "not here"}})

    def do_HEAD(self) -> None:
        self._json(200, {})

    def _stream(self, path: str, events: list[Json]) -> None:
        if path.endswith("generateContent") and "stream" not in path:
            self._json(200, events[0])
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for event in events:
            named = f"event: {event['type']}\n" if "type" in event else ""
            self.wfile.write(f"{named}data: {json.dumps(event)}\n\n".encode())
        if path.endswith("/chat/completions"):
            self.wfile.write(b"data: [DONE]\n\n")

    def _json(self, status: int, body: Json) -> None:
        said = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def model(*calls: Call) -> Iterator[Model]:
    """Serve a model that makes these calls, one after the other."""
    made = Model(calls)
    server = _Server(made)
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
