"""Real coding assistants from npm, each started on a scripted model (`model.py`) with the server installed as users do it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.server.clients.catalogue import Machine
from penstock.server.clients.installer import Dialogue, Installer
from penstock.server.clients.planning import InstallOptions
from penstock.server.clients.records import RecordStore

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
Step = tuple[str, dict[str, object]]


@dataclass
class Run:
    """What a client did with a script."""

    output: str
    results: list[str]
    """The text of each tool result as the model received it."""
    first_tools: list[str]
    """Names of the server's tools in the first request that offers any."""
    first_request_s: float
    """When that request was made, by the clock."""


@dataclass(frozen=True)
class ClientSetup:
    """How one client is started without a network and without a person."""

    package: str
    key: str
    prefix: str
    command: Callable[["Stage"], list[str]]
    variables: Callable[["Stage"], dict[str, str]]
    prepare: Callable[["Stage"], None] = lambda stage: None


SPY = '''#!{python} -IS
"""Passes everything on between a client and the server; notes when the server was started and when its tools were listed."""
import os, subprocess, sys, threading, time

started = time.time()
if sys.argv[1:2] == ["hook"]:
    with open({notes!r}, "a") as file:
        file.write(" ".join(sys.argv[1:]) + "\\n")
    sys.exit()
server = subprocess.Popen([{command!r}, *sys.argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def upstream():
    while data := os.read(0, 65536):
        server.stdin.write(data)
        server.stdin.flush()
    server.stdin.close()


threading.Thread(target=upstream, daemon=True).start()
is_noted = False
for line in server.stdout:
    os.write(1, line)
    if not is_noted and b'"tools":[' in line:
        is_noted = True
        with open({notes!r}, "a") as file:
            file.write(f"{{started}} {{time.time()}}\\n")
'''


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
) -> Iterator[Callable[[str, Sequence[Step]], Run]]:
    """Install the server into a client, start the client on a scripted model, and return what happened.

    With `again`, hooks are installed too, and the client is started a second time with these flags added.
    """
    models: list[subprocess.Popen[str]] = []

    def start_model(prefix: str, steps: Sequence[Step]) -> tuple[str, Path]:
        script, log = tmp_path / f"script-{len(models)}.json", tmp_path / f"requests-{len(models)}.jsonl"
        script.write_text(json.dumps({"prefix": prefix, "steps": steps}), "utf-8")
        command = [sys.executable, str(HERE / "model.py"), str(script), str(log)]
        model = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        models.append(model)
        assert model.stdout
        return f"http://127.0.0.1:{model.stdout.readline().strip()}", log

    def run(client: str, steps: Sequence[Step], command: str = penstock_command, again: Sequence[str] = ()) -> Run:
        setup = CLIENTS[client]
        url, log = start_model(setup.prefix, steps)
        stage = Stage(tmp_path / f"home-{len(models)}", repository, url, npm_bin)
        stage.home.mkdir()
        setup.prepare(stage)
        installer = Installer(
            Machine(stage.home, repository, "linux"),
            RecordStore(stage.home / "data"),
            Dialogue(lambda text: None, lambda question: True),
        )
        assert installer.install(client, InstallOptions(command, with_hooks=bool(again)), yes=True) == 0
        variables = {"PATH": f"{npm_bin}:{os.environ['PATH']}", "HOME": str(stage.home), "TERM": "dumb"}
        output = ""
        for more in ([], list(again)) if again else ([],):
            done = subprocess.run(
                [str(npm_bin / setup.package), *setup.command(stage), *more],
                cwd=repository,
                env={**variables, **setup.variables(stage)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=150,
                check=False,
            )
            output = done.stdout + done.stderr
            assert done.returncode == 0, output[-3000:]
        assert log.exists(), output[-3000:]
        requests = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        offers: list[list[str]] = [request["tools"] for request in requests if request["tools"]]
        ours = [name.removeprefix(setup.prefix) for name in offers[0] if name.startswith(setup.prefix)]
        results = max((request["results"] for request in requests), key=len)
        at = next(float(request["at"]) for request in requests if request["tools"])
        return Run(output, results, ours, at)

    yield run
    for model in models:
        model.terminate()
        model.wait(10)
        if model.stdout:
            model.stdout.close()


@pytest.fixture
def spied_command(tmp_path: Path, penstock_command: str) -> tuple[str, Path]:
    """A program that starts the server and notes times; and the file of its notes: start, tools listed, by the clock."""
    notes, program = tmp_path / "notes", tmp_path / "spied"
    program.write_text(SPY.format(python=sys.executable, command=penstock_command, notes=str(notes)))
    program.chmod(0o755)
    return str(program), notes


FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Add a line to the figures that are printed below the results."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures that the tests reported."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)
