"""Reading files above the whole-file cap: the asked lines, streamed, whatever the file's size."""

from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from ..cache.workspace.ranges import parse_ranges
from ..cache.workspace.text import decode
from .answer import Part, facts_line
from .call import Call
from .deliver import Delivery
from .paging import Room

DEFAULT_LINES = "1-400"


def read_large(workspace: Workspace, call: Call, path: str, lines: str, room: Room, delivery: Delivery) -> list[Part]:
    """Return one part for each run of lines, as many bytes as the answer has room for.

    No receipt is given: nothing is known of the rest of the file, so no later call can prove that it is unchanged.
    """
    wanted = parse_ranges(lines or DEFAULT_LINES)
    most = max(1000, min(room.chars, room.bytes, room.json_chars * 3 // 4))
    window = workspace.read_window(path, wanted, max_bytes=most, deadline=call.deadline)
    parts: list[Part] = []
    shown = printable(window.rel)
    total = f"of {window.total_lines:,} lines" if window.total_lines is not None else "(end of file not reached)"
    for piece in window.parts:
        decoded = decode(piece.data, window.encoding)
        if not room.take(decoded.text, decoded.text.count("\n") + 1) and parts:
            break
        span = f"{piece.first}:{piece.column}-" if piece.column > 1 else f"{piece.first:,}-{piece.last:,}"
        facts = facts_line(
            shown, f"lines {span} {total}", f"file of {window.stat.size:,} bytes", "line cut" if piece.is_cut else ""
        )
        tokens = delivery.memo.tokens(decoded.text)
        lossless = (piece.first, piece.last) if piece.first > 0 else None
        raw = round(window.stat.size / max(1, len(piece.data)) * tokens)
        parts.append(
            Part(
                window.rel,
                "lines",
                decoded.text,
                facts,
                lines=lossless,
                of_lines=window.total_lines,
                tokens=tokens,
                raw_tokens=max(raw, tokens),
            )
        )
    if parts and window.next_lines:
        last = parts[-1]
        parts[-1] = Part(
            last.path, last.view, last.body, last.facts, f"next lines={window.next_lines}", last.lines, last.of_lines,
            tokens=last.tokens, raw_tokens=last.raw_tokens,
        )  # fmt: skip
    return parts
