"""A scripted model on loopback: `python model.py SCRIPT LOG` prints its port and serves until it is ended.

It speaks just enough of four interfaces (Anthropic messages, OpenAI responses and chat completions, Gemini) to make a coding
assistant list the tools of its servers and call those of the script. SCRIPT is JSON: `prefix` of the tools' names, and `steps`
of [tool, arguments]. A value {"from": i, "pattern": p, "default": d} stands for the first group that p finds in the i-th tool
result so far. LOG gets a JSON line a request: when it came, the tools it offers, the tool results in it, as the model sees
them.
"""

import itertools
import json
import re
import sys
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Body = dict[str, Any]


class ScriptedModel:
    """Calls the tools of a script in turn, then ends the conversation."""

    def __init__(self, script: Path, log: Path) -> None:
        loaded = json.loads(script.read_text("utf-8"))
        self.prefix: str = loaded["prefix"]
        self.steps: list[tuple[str, Body]] = loaded["steps"]
        self.log = log
        self.ids = itertools.count(1)

    def answer(self, path: str, body: Body) -> tuple[str, str]:
        """The text of the answer to one request, and its content type."""
        if "count_tokens" in path or "countTokens" in path:
            size = len(json.dumps(body)) // 4
            return json.dumps({"input_tokens": size, "totalTokens": size}), "application/json"
        results = results_of(body)
        note = {"at": time.time(), "tools": tools_of(body), "results": results}
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        step = self.step(results) if body.get("tools") else None
        if path.startswith("/v1/messages"):
            events = _anthropic(self, body, step)
        elif path.endswith("/responses"):
            events = _responses(self, step)
        elif path.endswith("/chat/completions"):
            events = _chat(self, body, step)
        else:
            events = _gemini(step)
        return "".join(events), "application/json" if len(events) == 1 and events[0].startswith("{") else "text/event-stream"

    def step(self, results: Sequence[str]) -> tuple[str, Body] | None:
        """The next call of the script, or None to end."""
        if len(results) >= len(self.steps):
            return None
        tool, arguments = self.steps[len(results)]
        return tool, {name: _filled(value, results) for name, value in arguments.items()}


def _filled(value: Any, results: Sequence[str]) -> Any:
    if not isinstance(value, dict):
        return value
    pattern, place, default = str(value["pattern"]), int(value["from"]), str(value["default"])
    found = re.search(pattern, results[place])
    return found.group(1) if found else default


def _event(kind: str, value: Body) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **value})}\n\n"


Step = tuple[str, Body] | None


def _anthropic(model: ScriptedModel, body: Body, step: Step) -> list[str]:
    block: Body = {"type": "text", "text": ""}
    delta: Body = {"type": "text_delta", "text": "done"}
    if step:
        block = {"type": "tool_use", "id": f"toolu_{next(model.ids):04d}", "name": model.prefix + step[0], "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(step[1])}
    stop = "tool_use" if step else "end_turn"
    message: Body = {"id": f"msg_{next(model.ids)}", "type": "message", "role": "assistant", "model": body.get("model", "x")}
    message |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 1}}
    events = [
        _event("message_start", {"message": message}),
        _event("content_block_start", {"index": 0, "content_block": block}),
        _event("content_block_delta", {"index": 0, "delta": delta}),
        _event("content_block_stop", {"index": 0}),
        _event("message_delta", {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 5}}),
        _event("message_stop", {}),
    ]
    if body.get("stream"):
        return events
    whole = {**block, "input": step[1]} if step else {"type": "text", "text": "done"}
    return [json.dumps({**message, "content": [whole], "stop_reason": stop})]


def _responses(model: ScriptedModel, step: Step) -> list[str]:
    item: Body = {"type": "message", "id": f"msg_{next(model.ids)}", "role": "assistant", "status": "completed"}
    item["content"] = [{"type": "output_text", "text": "done", "annotations": []}]
    if step:
        item = {
            "type": "function_call",
            "id": f"fc_{next(model.ids)}",
            "call_id": f"call_{next(model.ids)}",
            "status": "completed",
        }
        item |= {"namespace": "mcp__penstock", "name": step[0], "arguments": json.dumps(step[1])}
    base: Body = {"id": f"resp_{next(model.ids)}", "object": "response", "created_at": 1, "model": "fake"}
    usage = {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5, "total_tokens": 15}
    usage["output_tokens_details"] = {"reasoning_tokens": 0}
    whole: Body = {"status": "completed", "output": [item], "usage": usage}
    return [
        _event("response.created", {"sequence_number": 0, "response": {**base, "status": "in_progress", "output": []}}),
        _event("response.output_item.added", {"sequence_number": 1, "output_index": 0, "item": item}),
        _event("response.output_item.done", {"sequence_number": 2, "output_index": 0, "item": item}),
        _event("response.completed", {"sequence_number": 3, "response": {**base, **whole}}),
    ]


def _chat(model: ScriptedModel, body: Body, step: Step) -> list[str]:
    delta: Body = {"role": "assistant", "content": "done"}
    if step:
        call = {"name": model.prefix + step[0], "arguments": json.dumps(step[1])}
        delta = {"role": "assistant", "content": None}
        delta["tool_calls"] = [{"index": 0, "id": f"call_{next(model.ids)}", "type": "function", "function": call}]
    finish = "tool_calls" if step else "stop"
    base: Body = {"id": f"chatcmpl-{next(model.ids)}", "created": 1, "model": "fake"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    if not body.get("stream"):
        choice = {"index": 0, "message": delta, "finish_reason": finish}
        return [json.dumps({**base, "object": "chat.completion", "choices": [choice], "usage": usage})]
    chunks: list[Body] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        {"choices": [], "usage": usage},
    ]
    return [
        *(f"data: {json.dumps({**base, 'object': 'chat.completion.chunk', **one})}\n\n" for one in chunks),
        "data: [DONE]\n\n",
    ]


def _gemini(step: Step) -> list[str]:
    part: Body = {"text": "done"}
    if step:
        part = {"functionCall": {"name": "mcp_penstock_" + step[0], "args": step[1]}, "thoughtSignature": "AA=="}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    return ["data: " + json.dumps({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake"}) + "\r\n\r\n"]


def results_of(body: Body) -> list[str]:
    """The tool results in a request, in their order, as text."""
    found: list[str] = []
    for message in body.get("messages", []):
        if message.get("role") == "tool":
            found.append(_text(message["content"]))
        elif isinstance(message.get("content"), list):
            found.extend(_text(block["content"]) for block in message["content"] if block.get("type") == "tool_result")
    items = body.get("input", []) if isinstance(body.get("input"), list) else []
    found.extend(_text(item["output"]) for item in items if item.get("type") == "function_call_output")
    for content in body.get("contents", []):
        found.extend(_gemini_text(part["functionResponse"]) for part in content.get("parts", []) if "functionResponse" in part)
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(block.get("text", "")) for block in content)


def _gemini_text(response: Any) -> str:
    value = response["response"]
    return str(value["output"]) if isinstance(value.get("output"), str) else json.dumps(value)


def tools_of(body: Body) -> list[str]:
    """Every tool name that a request offers."""
    names: list[str] = []
    for tool in body.get("tools", []):
        if tool.get("type") == "namespace":
            names.extend(f"{tool['name']}.{inner['name']}" for inner in tool["tools"])
        elif "functionDeclarations" in tool:
            names.extend(str(one["name"]) for one in tool["functionDeclarations"])
        else:
            names.append(str(tool.get("name") or tool.get("function", {}).get("name", "")))
    return names


def main() -> None:
    model = ScriptedModel(Path(sys.argv[1]), Path(sys.argv[2]))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

        def do_HEAD(self) -> None:
            self.reply("", "text/plain")

        def do_GET(self) -> None:
            self.reply(
                json.dumps({"object": "list", "data": [{"id": "fake", "object": "model"}], "models": []}), "application/json"
            )

        def do_POST(self) -> None:
            body: Body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            self.reply(*model.answer(self.path, body))

        def reply(self, text: str, kind: str) -> None:
            data = text.encode()
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
