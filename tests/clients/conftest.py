"""Real coding assistants from npm, each driven by a scripted model on loopback.

The model endpoint speaks just enough of four interfaces (Anthropic messages, OpenAI responses and chat completions, Gemini) to
make a client start its MCP servers, list their tools and call the ones of a script. It keeps every request, so that
tests see exactly what a model would see.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from penstock.server.clients.catalogue import Machine
from penstock.server.clients.installer import Dialogue, Installer
from penstock.server.clients.planning import InstallOptions
from penstock.server.clients.records import RecordStore

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
Arguments = Callable[[Sequence[str]], dict[str, object]]
Body = dict[str, Any]


@dataclass
class Run:
    """What a client did with a script."""

    exit_code: int
    output: str
    results: list[str]
    """The text of each tool result as the model received it."""
    first_tools: list[str]
    """Names of the server's tools in the first request that offers any."""
    requests: list[Body]
    faults: list[str]


class ScriptedModel:
    """A model endpoint that calls the tools of a script in turn, then ends."""

    def __init__(self, script: Sequence[tuple[str, Arguments]], name_of: Callable[[str], str]) -> None:
        self.script = script
        self.name_of = name_of
        self.requests: list[Body] = []
        self.faults: list[str] = []
        self.ids = itertools.count(1)
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

            def do_HEAD(self) -> None:
                self.answer(b"", "text/plain")

            def do_GET(self) -> None:
                self.answer(json.dumps({"object": "list", "data": [{"id": "fake", "object": "model"}], "models": []}).encode())

            def do_POST(self) -> None:
                body: Body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
                model.serve(self, self.path, body)

            def answer(self, data: bytes, kind: str = "application/json") -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.handler = Handler
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def serve(self, handler: Any, path: str, body: Body) -> None:
        """Answer one request in the interface that its path belongs to."""
        if "count_tokens" in path or "countTokens" in path:
            size = len(json.dumps(body)) // 4
            handler.answer(json.dumps({"input_tokens": size, "totalTokens": size}).encode())
            return
        self.requests.append({"path": path, "at": time.time(), "body": body})
        if path.startswith("/v1/messages"):
            events = _anthropic(self, body)
        elif path.endswith("/responses"):
            events = _responses(self, body)
        elif path.endswith("/chat/completions"):
            events = _chat(self, body)
        else:
            events = _gemini(self, body)
        if body.get("stream") is False or (":generateContent" in path):
            handler.answer(events[-1].encode())
            return
        handler.answer("".join(events).encode(), "text/event-stream")

    def step(self, results: Sequence[str], *, offered: bool) -> tuple[str, dict[str, object]] | None:
        """The next call of the script, or None to end."""
        if not offered or len(results) >= len(self.script):
            return None
        tool, arguments = self.script[len(results)]
        try:
            return tool, arguments(results)
        except Exception as error:  # boundary: a faulty script ends the conversation, and the test says why
            self.faults.append(repr(error))
            return None

    def final_results(self) -> list[str]:
        found = [results_of(request["body"]) for request in self.requests]
        return max(found, key=len, default=[])


def _event(kind: str, value: Body) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **value})}\n\n"


def _anthropic(model: ScriptedModel, body: Body) -> list[str]:
    step = model.step(results_of(body), offered=bool(body.get("tools")))
    block: Body = {"type": "text", "text": ""}
    delta: Body = {"type": "text_delta", "text": "done"}
    if step:
        block = {"type": "tool_use", "id": f"toolu_{next(model.ids):04d}", "name": model.name_of(step[0]), "input": {}}
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
    body["stream"] = False
    return [json.dumps({**message, "content": [whole], "stop_reason": stop})]


def _responses(model: ScriptedModel, body: Body) -> list[str]:
    step = model.step(results_of(body), offered=bool(body.get("tools")))
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


def _chat(model: ScriptedModel, body: Body) -> list[str]:
    step = model.step(results_of(body), offered=bool(body.get("tools")))
    delta: Body = {"role": "assistant", "content": "done"}
    if step:
        call = {"name": model.name_of(step[0]), "arguments": json.dumps(step[1])}
        delta = {"role": "assistant", "content": None}
        delta["tool_calls"] = [{"index": 0, "id": f"call_{next(model.ids)}", "type": "function", "function": call}]
    finish = "tool_calls" if step else "stop"
    base: Body = {"id": f"chatcmpl-{next(model.ids)}", "created": 1, "model": "fake"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    if not body.get("stream"):
        body["stream"] = False
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


def _gemini(model: ScriptedModel, body: Body) -> list[str]:
    step = model.step(results_of(body), offered=bool(body.get("tools")))
    part: Body = {"text": "done"}
    if step:
        part = {"functionCall": {"name": model.name_of(step[0]), "args": step[1]}, "thoughtSignature": "AA=="}
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


@dataclass(frozen=True)
class ClientSetup:
    """How one client is started without a network and without a person."""

    package: str
    key: str
    prefix: str
    command: Callable[["Stage"], list[str]]
    variables: Callable[["Stage"], dict[str, str]]
    prepare: Callable[["Stage"], None] = lambda stage: None


@dataclass
class Stage:
    """Folders and address of one run."""

    home: Path
    project: Path
    url: str
    bin: Path


def _prepare_codex(stage: Stage) -> None:
    folder = stage.home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(
        'model = "fake"\nmodel_provider = "fake"\napproval_policy = "never"\nsandbox_mode = "read-only"\n'
        f'check_for_update_on_startup = false\n\n[model_providers.fake]\nname = "fake"\nbase_url = "{stage.url}/v1"\n'
        'wire_api = "responses"\nenv_key = "FAKE_KEY"\nrequest_max_retries = 0\nstream_max_retries = 0\n\n'
        "[analytics]\nenabled = false\n"
    )


def _prepare_gemini(stage: Stage) -> None:
    folder = stage.home / ".gemini"
    folder.mkdir()
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    (folder / "settings.json").write_text(json.dumps(settings))


def _prepare_opencode(stage: Stage) -> None:
    folder = stage.home / ".config" / "opencode"
    folder.mkdir(parents=True)
    model = {"name": "Fake", "limit": {"context": 128_000, "output": 8_000}}
    options = {"baseURL": f"{stage.url}/v1", "apiKey": "x"}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "Fake", "options": options, "models": {"fake-model": model}}
    settings: dict[str, object] = {"model": "fake/fake-model", "small_model": "fake/fake-model", "autoupdate": False}
    (folder / "opencode.json").write_text(json.dumps({**settings, "share": "disabled", "provider": {"fake": provider}}))


CLIENTS = {
    "claude-code": ClientSetup(
        "claude",
        "claude-code",
        "mcp__penstock__",
        lambda stage: ["-p", "please look", "--allowedTools", "mcp__penstock__*", "--output-format", "json"],
        lambda stage: {
            "ANTHROPIC_BASE_URL": stage.url,
            "ANTHROPIC_API_KEY": "sk-ant-dummy",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "ENABLE_TOOL_SEARCH": "false",
        },
    ),
    "codex": ClientSetup(
        "codex",
        "codex",
        "mcp__penstock.",
        lambda stage: [
            *["exec", "--skip-git-repo-check", "--json"],
            *["-c", 'mcp_servers.penstock.default_tools_approval_mode="approve"', "please look"],
        ],
        lambda stage: {"CODEX_HOME": str(stage.home / ".codex"), "FAKE_KEY": "x"},
        _prepare_codex,
    ),
    "gemini-cli": ClientSetup(
        "gemini",
        "gemini-cli",
        "mcp_penstock_",
        lambda stage: ["-y", "--skip-trust", "-m", "gemini-2.5-flash", "-p", "please look"],
        lambda stage: {"GEMINI_API_KEY": "dummy", "GOOGLE_GEMINI_BASE_URL": stage.url, "GEMINI_TELEMETRY_ENABLED": "false"},
        _prepare_gemini,
    ),
    "opencode": ClientSetup(
        "opencode",
        "opencode",
        "penstock_",
        lambda stage: ["run", "please look"],
        lambda stage: {
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        },
        _prepare_opencode,
    ),
}


@pytest.fixture(scope="session")
def npm_bin() -> Path:
    """The folder of the clients' commands, made by `make clients`."""
    folder = Path(os.environ.get("MCP_CLIENTS_DIR", HERE)) / "node_modules" / ".bin"
    if not folder.is_dir():
        pytest.fail("the clients are not installed: run `make clients`")
    return folder


@pytest.fixture(scope="session")
def penstock_command() -> str:
    """The program as users start it."""
    command = Path(sys.executable).with_name("penstock")
    return str(command) if command.exists() else str(shutil.which("penstock"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A real repository: this project's own sources."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in ("cache", "tools", "server", "configs"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "vocab"))
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "all"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def run_client(
    tmp_path: Path, npm_bin: Path, penstock_command: str, repository: Path
) -> Iterator[Callable[[str, Sequence[tuple[str, Arguments]]], Run]]:
    """Install the server into a client the way users do, start the client on a scripted model, and return what happened."""
    models: list[ScriptedModel] = []

    def run(client: str, script: Sequence[tuple[str, Arguments]], extra: Mapping[str, str] | None = None) -> Run:
        setup = CLIENTS[client]
        model = ScriptedModel(script, lambda tool: setup.prefix + tool)
        models.append(model)
        stage = Stage(tmp_path / f"home-{len(models)}", repository, model.url, npm_bin)
        stage.home.mkdir()
        setup.prepare(stage)
        machine = Machine(stage.home, repository, "linux")
        installer = Installer(machine, RecordStore(stage.home / "data"), Dialogue(lambda text: None, lambda question: True))
        assert installer.install(client, InstallOptions(penstock_command), yes=True) == 0
        variables = {"PATH": f"{npm_bin}:{os.environ['PATH']}", "HOME": str(stage.home), "TERM": "dumb"}
        done = subprocess.run(
            [str(npm_bin / setup.package), *setup.command(stage)],
            cwd=repository,
            env={**variables, **setup.variables(stage), **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        offers = [tools_of(request["body"]) for request in model.requests if request["body"].get("tools")]
        ours = [name.removeprefix(setup.prefix) for name in (offers[0] if offers else []) if name.startswith(setup.prefix)]
        return Run(done.returncode, done.stdout + done.stderr, model.final_results(), ours, model.requests, model.faults)

    yield run
    for model in models:
        model.close()
