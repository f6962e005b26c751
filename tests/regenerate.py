"""`python -m tests.regenerate`: write the committed tool definitions and the front's static answers from what the SDK answers.

Run it after a wanted change of a definition; the tests compare, they never write.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.pipe import MODERN, PipeClient

ROOT = Path(__file__).parent.parent
SNAPSHOTS = ROOT / "tests" / "server" / "snapshots"
FRONT = ROOT / "server" / "front.json"
HANDSHAKE = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


def sdk_answers(folder: Path) -> dict[str, Any]:
    """Return what the SDK itself answers to the first questions, in both eras."""
    with PipeClient(ROOT, folder, era="legacy", options=["--plain-start"]) as client:
        initialize = {key: value for key, value in client.server.items() if key != "protocolVersion"}
        tools = client.tools()
    with PipeClient(ROOT, folder, era="modern", options=["--plain-start"]) as client:
        discover = client.server
        listed = {key: value for key, value in client.request("tools/list", {})["result"].items() if key != "tools"}
    return {
        "handshake": HANDSHAKE,
        "modern": MODERN,
        "initialize": initialize,
        "discover": discover,
        "list": listed,
        "tools": tools,
    }


def main() -> None:
    """Write everything."""
    if not FRONT.exists():
        FRONT.write_text("{}")
    with tempfile.TemporaryDirectory() as folder:
        answers = sdk_answers(Path(folder))
    FRONT.write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n")
    SNAPSHOTS.mkdir(exist_ok=True)
    for old in SNAPSHOTS.glob("*.json"):
        old.unlink()
    for tool in answers["tools"]:
        (SNAPSHOTS / f"{tool['name']}.json").write_text(json.dumps(tool, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
