"""The demo's result as a person reads it."""

from typing import Final

from .demo import DemoResult, median

MAX_ROWS: Final = 8


def show(result: DemoResult) -> None:
    """Print the tables and the verdict."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(
        title=f"penstock demo · {result.folder} · {result.files} files · {result.ledger_mb} MB budget", title_justify="left"
    )
    table.add_column("tool")
    for name in ("calls", "raw tok", "sent tok", "sent", "p50 ms", "max ms"):
        table.add_column(name, justify="right")
    for name, row in result.tools.items():
        share = f"{row.sent_tokens / row.raw_tokens:.0%}" if row.raw_tokens else ""
        slowest = f"{max(row.times_ms):.0f}" if row.times_ms else ""
        table.add_row(
            name, f"{row.calls:,}", f"{row.raw_tokens:,}", f"{row.sent_tokens:,}", share, f"{median(row.times_ms)}", slowest
        )
    console.print(table)
    levels = ", ".join(result.levels) or "none"
    levels = ", ".join(result.levels) or "none"
    console.print(f"pressure levels seen: {levels}; ledger peak {result.ledger_peak_mb} of {result.ledger_mb} MB")
    if result.evictions:
        evictions = Table(title="what pressure made leave (last rounds)", title_justify="left", box=None)
        for name in ("level", "action", "what", "freed", "helped"):
            evictions.add_column(name, overflow="fold")
        for each in result.evictions[-MAX_ROWS:]:
            freed = f"{each['freed_bytes'] / 1024:,.0f} KB"
            evictions.add_row(each["level"], each["action"], str(each["what"]), freed, "yes" if each["helped"] else "no")
        console.print(evictions)
    console.print(
        f"left: {result.left} items, brought back: {result.came_back} ({result.came_back_bytes:,} bytes compared, byte for byte)"
    )
    console.print(f"net tokens saved after all own costs: {result.net_tokens:+,}")
    for what in result.broken[:20]:
        console.print(f"[red]broken:[/red] {what}", markup=True, highlight=False)
    console.print(
        "[green]every promise held[/green]" if not result.broken else f"[red]{len(result.broken)} promises broken[/red]"
    )
