import pytest

from penstock.cache.index.kinds import PRIORS, FileKind, kind_of
from penstock.cache.index.values import Prefer


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/app.py", FileKind.SOURCE),
        ("lib/core/Axios.js", FileKind.SOURCE),
        ("tests/test_app.py", FileKind.TEST),
        ("pkg/app_test.go", FileKind.TEST),
        ("src/app.spec.ts", FileKind.TEST),
        ("src/test/java/AppTest.java", FileKind.TEST),
        ("conftest.py", FileKind.TEST),
        ("src/contest.py", FileKind.SOURCE),
        ("README.md", FileKind.DOCS),
        ("docs/conf.py", FileKind.DOCS),
        ("examples/todo/main.rs", FileKind.EXAMPLE),
        ("package.json", FileKind.DATA),
        ("Makefile", FileKind.DATA),
        ("vendor/lib/x.go", FileKind.VENDORED),
        ("dist/bundle.js", FileKind.VENDORED),
        (".github/workflows/ci.yml", FileKind.DATA),
    ],
)
def test_a_path_tells_the_kind_of_file(path: str, kind: FileKind) -> None:
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("prefer", "kind"), [(Prefer.SOURCE, FileKind.SOURCE), (Prefer.TESTS, FileKind.TEST), (Prefer.DOCS, FileKind.DOCS)]
)
def test_the_preferred_kind_has_the_highest_prior(prefer: Prefer, kind: FileKind) -> None:
    priors = PRIORS[prefer]
    assert priors[kind] == 1.0
    assert all(0 < prior < 1 for position, prior in enumerate(priors) if position != kind)


def test_without_a_preference_all_are_alike() -> None:
    assert set(PRIORS[Prefer.ANY]) == {1.0}
