"""The job that the demo runs: read, search, compress, evict, restore, and check each promise against the disk."""

import random
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from .demo import MB, DemoResult, Driver

if TYPE_CHECKING:
    from mcp import Client

QUERIES = ("memory pressure eviction", "parse command line arguments", "error handling", "write file to disk", "test fixture")


async def run_job(driver: Driver, client: "Client", root: Path, files: list[str], result: DemoResult, rng: random.Random) -> None:
    """Run everything; broken promises are noted in `result`."""
    tools = await client.list_tools()
    result.promise(len(tools.tools) >= 6, "tools/list shows the tools")
    await driver.call("read", path=".")
    for query in QUERIES:
        text, _, _ = await driver.call("search", query=query)
        result.promise("error" not in text.split(" ", 1)[0], f"search {query!r} answers")
    for name in files:
        await driver.call("read", path=name)
    handles: dict[str, bytes] = {}
    for name in files:
        await _read_exactly(driver, root, name, result)
    await _reread(driver, root, rng.sample(files, min(10, len(files))), result)
    await _compress(driver, root, result)
    for name in rng.sample(files, min(10, len(files))):
        _, parts, _ = await driver.call("evict", targets=name)
        handles.update({part["handle"]: (root / name).read_bytes() for part in parts if part.get("handle")})
    await _restore(driver, handles, result)
    await _status(driver, root, result)


async def _read_exactly(driver: Driver, root: Path, name: str, result: DemoResult) -> None:
    """Read a file page by page and compare the bytes."""
    body, lines = "", ""
    while True:
        arguments: dict[str, Any] = {"view": "lines", "lines": lines} if lines else {"view": "full"}
        text, parts, _ = await driver.call("read", path=name, **arguments)
        body += "".join(text[part["body"][0] : part["body"][1]] for part in parts)
        tail = text.rsplit("\n", 1)[-1]
        if not tail.startswith("next lines="):
            break
        lines = tail.removeprefix("next lines=").split(" ", 1)[0]
    data = (root / name).read_bytes()
    result.promise(
        data in (body.encode(), body.encode("latin-1", "replace"), body.encode("utf-16")), f"{name} is read byte-exact"
    )


async def _reread(driver: Driver, root: Path, names: list[str], result: DemoResult) -> None:
    """Read with the receipt just given, and without it: the first may answer unchanged, the second never."""
    for name in names:
        _, parts, _ = await driver.call("read", path=name, view="full")
        receipt = parts[0].get("receipt") if parts else None
        if receipt:
            _, again, _ = await driver.call("read", path=name, have=receipt)
            result.promise(bool(again) and again[0]["view"] == "unchanged", f"{name} is unchanged since {receipt}")
        _, without, _ = await driver.call("read", path=name, view="full")
        result.promise(not without or without[0]["view"] != "unchanged", f"{name} without a receipt is content")


async def _compress(driver: Driver, root: Path, result: DemoResult) -> None:
    """Compress a long output; what it left out comes back by its handle."""
    command = ["git", "-C", str(root), "log", "--stat", "-n", "60"]
    log = (await anyio.run_process(command, check=False, stdin=subprocess.DEVNULL)).stdout
    output = (
        log.decode("utf-8", "replace")[:200_000] if len(log) > 2000 else "".join(f"line {i}: all is well\n" for i in range(2000))
    )
    _, parts, _ = await driver.call("compress", source=output, budget=400)
    handle = parts[0].get("handle") if parts else None
    if handle:
        await _restore(driver, {str(handle): output.encode()}, result)
    else:
        result.promise(bool(parts) and not parts[0]["lossy"], "a lossy answer has a handle")


async def _restore(driver: Driver, handles: dict[str, bytes], result: DemoResult) -> None:
    for handle, data in handles.items():
        body, lines = "", ""
        while True:
            arguments = {"lines": lines} if lines else {}
            text, parts, _ = await driver.call("restore", handle=handle, **arguments)
            body += "".join(text[part["body"][0] : part["body"][1]] for part in parts)
            tail = text.rsplit("\n", 1)[-1]
            if not tail.startswith("next lines="):
                break
            lines = tail.removeprefix("next lines=").split(" ", 1)[0]
        result.came_back += 1
        result.came_back_bytes += len(data)
        result.promise(data in (body.encode(), body.encode("latin-1", "replace")), f"{handle} comes back byte-exact")


async def _status(driver: Driver, root: Path, result: DemoResult) -> None:
    """Read the machine's status; bring back some of what pressure evicted."""
    _, _, meta = await driver.call("status", detail="full")
    status = meta["penstock/status"]
    result.levels = status["pressure"]["seen"]
    result.evictions = status["evictions"]["last"]
    result.ledger_peak_mb = round(status["ledger"]["peak_bytes"] / MB, 2)
    result.net_tokens = status["savings"]["net"]
    evicted: dict[str, str] = status["evicted"]
    result.left = status["evicted_total"]
    result.promise(status["ledger"]["peak_bytes"] <= status["ledger"]["budget_bytes"], "the ledger stayed within its budget")
    result.promise(result.left > 0, "pressure or a call evicted something")
    if result.text_mb > 2 * result.ledger_mb:  # less text than that fits without any pressure
        result.promise(len(result.levels) > 1, "a pressure level above NORMAL was seen")
    chosen = {handle: (root / name).read_bytes() for handle, name in list(evicted.items())[-10:]}
    await _restore(driver, chosen, result)
