"""`read view=map` through a real stdio client: the neighbours come from the index that search has loaded."""

from pathlib import Path

from tests.conftest import Connect


def test_a_map_names_the_neighbours_once_a_search_has_loaded_the_index(connect: Connect, root: Path) -> None:
    (root / "shop").mkdir()
    (root / "shop/money.py").write_text("def round_half_up(n: int) -> int:\n    return n\n")
    (root / "shop/basket.py").write_text(
        "from .money import round_half_up\n\n\ndef total() -> int:\n    return round_half_up(3)\n"
    )
    client = connect()
    assert "neighbours" not in client.text("read", path="shop/money.py", view="map")
    client.text("search", query="round_half_up")
    known = client.text("read", path="shop/money.py", view="map")
    assert "  imported by: shop/basket.py\n  called by: shop/basket.py (round_half_up)\n" in known
    assert "  imports: shop/money.py\n" in client.text("read", path="shop/basket.py", view="map")
    assert client.text("read", path="shop/money.py", view="map") == known
    (root / "shop/basket.py").write_text("def total() -> int:\n    return 3\n")
    assert "neighbours" not in client.text("read", path="shop/money.py", view="map"), "what has changed is not named"
