"""Start-up, wire cost and definition size, against a bare server of the same SDK in the same run."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

BARE = """
from mcp.server import MCPServer
app = MCPServer("bare")
@app.tool()
async def ping(text: str) -> str:
    return "pong"
app.run()
"""
ROUNDS = 9
CALLS = 600
TURN = 30
"""Calls of one server before it is the other's turn: few, so that both see the same machine."""


class Probe:
    """One server process, spoken to by hand."""

    def __init__(self, command: list[str]) -> None:
        self.spawned = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.id = 0

    def send(self, message: dict[str, object]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: dict[str, object]) -> dict[str, dict[str, object]]:
        assert self.process.stdout is not None
        self.id += 1
        self.send({"id": self.id, "method": method, "params": params})
        return json.loads(self.process.stdout.readline())

    def list_tools(self, client_name: str = "bench") -> tuple[float, int, dict[str, dict[str, object]]]:
        """Return (ms from spawn to tools/list answered, RSS in bytes then, the answer)."""
        client = {"name": client_name, "version": "1"}
        self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client})
        self.send({"method": "notifications/initialized"})
        answer = self.ask("tools/list", {})
        elapsed = (time.perf_counter() - self.spawned) * 1000
        rss = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096
        return elapsed, rss, answer

    def call_ms(self, tool: str, arguments: Mapping[str, object], calls: int) -> list[float]:
        """Return the milliseconds of so many calls, one after the other."""
        times: list[float] = []
        for _ in range(calls):
            start = time.perf_counter()
            self.ask("tools/call", {"name": tool, "arguments": arguments})
            times.append((time.perf_counter() - start) * 1000)
        return times

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def report(metric: str, value: float, unit: str, reference: float | None) -> None:
    line = {
        "bench": "startup",
        "metric": metric,
        "value": round(value, 3),
        "unit": unit,
        "reference": reference and round(reference, 3),
    }
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 3)}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Alternate the two servers, so that a busy machine is busy for both."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "bare.py").write_text(BARE)
        root = scratch / "root"
        root.mkdir()
        (root / "small.py").write_text("".join(f"def f{i}(x: int) -> int:\n    return x + {i}\n" for i in range(50)))
        bare = [sys.executable, str(scratch / "bare.py")]
        ours = [sys.executable, "-m", "penstock.server", "serve", "--root", str(root), "--data-dir", str(scratch / "data")]
        tools: dict[str, dict[str, object]] = {}
        rows: dict[str, list[tuple[float, int]]] = {"bare": [], "ours": []}
        for turn in range(ROUNDS + 1):
            for name, command in (("bare", bare), ("ours", ours)):
                probe = Probe(command)
                elapsed, rss, answer = probe.list_tools()
                probe.close()
                if turn:  # the first round compiles bytecode
                    rows[name].append((elapsed, rss))
                if name == "ours":
                    tools = answer
        times = {name: statistics.median(row[0] for row in found) for name, found in rows.items()}
        memory = {name: statistics.median(row[1] for row in found) / 2**20 for name, found in rows.items()}
        report("spawn_to_tools_list", times["ours"], "ms", times["bare"])
        report("rss_at_tools_list", memory["ours"], "MB", memory["bare"])
        report("rss_above_bare", memory["ours"] - memory["bare"], "MB", None)
        report_tokens(tools)
        probes = {name: Probe(command) for name, command in (("bare", bare), ("ours", ours))}
        for probe in probes.values():
            probe.list_tools()
        warm: dict[str, list[float]] = {"bare": [], "ours": []}
        for turn in range(CALLS // TURN):
            for name, tool, arguments in (("bare", "ping", {"text": "x"}), ("ours", "read", {"path": "small.py"})):
                found = probes[name].call_ms(tool, arguments, TURN)
                warm[name] += found if turn else []  # the first calls fill caches
        report("warm_read_p50", statistics.median(warm["ours"]), "ms", statistics.median(warm["bare"]))
        for probe in probes.values():
            probe.close()


def report_tokens(tools: dict[str, dict[str, object]]) -> None:
    from penstock.server.toolset import INSTRUCTIONS
    from penstock.server.vocabulary import vocabulary

    counter = vocabulary()
    listed = json.dumps(tools["result"]["tools"], separators=(",", ":"))
    report("tools_list_and_instructions", counter.count(listed).tokens + counter.count(INSTRUCTIONS).tokens, "tokens", 1500)


if __name__ == "__main__":
    main()
