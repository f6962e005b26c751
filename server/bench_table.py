"""The figures of `penstock bench` as a person reads them. 80 columns are enough."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from .bench import VIEWS, BenchLine, BenchResult, ViewCost

if TYPE_CHECKING:
    from rich.table import Table


def show(result: BenchResult) -> None:
    """Print the tables and the notes to stdout."""
    from rich.console import Console

    console = Console()
    console.print(_views_table(result))
    console.print("tokens of whole answers as a share of the files' own, facts line included; languages: medians", style="dim")
    console.print()
    console.print(_figures_table(result.lines))
    for note in result.notes:
        console.print(f"note: {note}", markup=False, highlight=False)


def _views_table(result: BenchResult) -> "Table":
    from rich import box
    from rich.table import Table

    title = f"penstock bench · {result.folder} · {len(result.sample.files):,} files"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("language", no_wrap=True, max_width=14)
    table.add_column("files", justify="right")
    table.add_column("full tok", justify="right", no_wrap=True)
    for view in VIEWS:
        table.add_column(view if view != "reference" else "ref", justify="right", no_wrap=True)
    for language in dict.fromkeys(cost.language for cost in result.views):
        costs = [cost for cost in result.views if cost.language == language]
        table.add_row(language, *_facts(costs), *_shares(costs, is_total=False))
    if result.views:
        table.add_section()
        table.add_row("median", *_facts(result.views), *_shares(result.views, is_total=False))
        table.add_row("total", "", "", *_shares(result.views, is_total=True))
    return table


def _facts(costs: Sequence[ViewCost]) -> tuple[str, str]:
    first = [cost for cost in costs if cost.view == VIEWS[0]]
    return f"{len(first):,}", f"{sum(cost.raw_tokens for cost in first):,}"


def _shares(costs: Sequence[ViewCost], *, is_total: bool) -> list[str]:
    row: list[str] = []
    for view in VIEWS:
        of_view = [cost for cost in costs if cost.view == view]
        if not of_view:
            row.append("")
        elif is_total:
            row.append(f"{sum(cost.tokens for cost in of_view) / sum(cost.raw_tokens for cost in of_view):.0%}")
        else:
            row.append(f"{median(cost.tokens / cost.raw_tokens for cost in of_view):.0%}")
    return row


def _figures_table(lines: Sequence[BenchLine]) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", overflow="fold")
    table.add_column("against", justify="right", no_wrap=True)
    for line in lines:
        value = f"{line.value:,.0f}" if line.value >= 100 or line.unit == "tokens" else f"{line.value:,.2f}"
        against = f"{line.ratio:.1%} of {line.reference:,.0f}" if line.reference and line.ratio is not None else ""
        table.add_row(line.metric.replace("_", " "), value, line.unit, against)
    return table
