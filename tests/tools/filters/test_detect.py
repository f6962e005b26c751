"""What kind of output a text is."""

import pytest

from penstock.tools.filters.detect import command_words, detect
from penstock.tools.filters.families import FAMILIES, TEXT, find_family, kind_names
from penstock.tools.filters.filter import Document


def kind_of(text: str, *command: str) -> str:
    return detect(Document(text), FAMILIES, TEXT, command=command).family.name


@pytest.mark.parametrize("command", [["cat", "out.txt"], ["pytest"], ["make", "test"]])
def test_content_counts_more_than_the_command(command: list[str]) -> None:
    assert kind_of("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", *command) == "git diff"


def test_a_command_decides_where_the_content_hints() -> None:
    text = "Updating files\n## main\nsomething else\n"
    assert kind_of(text) == "text"
    assert kind_of(text, "git", "-C", "x", "status") == "git status"


def test_a_command_alone_proves_nothing() -> None:
    assert kind_of("nothing known here\nnor here\n", "pytest") == "text"


def test_prose_stays_text() -> None:
    assert kind_of("It was a dark night.\n\nThe error was found: it had failed.\n" * 20) == "text"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["git", "log", "--oneline"], "git log"),
        (["sudo", "/usr/bin/docker", "ps", "-a"], "docker ps"),
        (["CI=1", "npx", "jest", "--ci"], "jest"),
        (["uv", "run", "pytest", "-q", "tests"], "pytest tests"),
        ([], ""),
    ],
)
def test_command_words_name_the_tool(argv: list[str], words: str) -> None:
    assert command_words(argv) == words


def test_every_kind_is_found_by_its_name_in_any_spelling() -> None:
    for name in kind_names():
        family = find_family(name.upper().replace(" ", "-"))
        assert family is not None
        assert family.name == name
    assert find_family("no such kind") is None


def test_the_families_of_the_contract_are_there() -> None:
    wanted = (
        "git status,git diff,git log,git show,git blame,git branch,pytest,unittest,jest,vitest,mocha,go test,cargo test"
        ",cargo build,clippy,junit,maven,gradle,rspec,ctest,tsc,eslint,ruff,mypy,pyright,gcc,clang,rustc,javac,npm,pnpm,yarn"
        ",pip,uv,poetry,go mod,apt,brew,docker build,docker ps,docker logs,docker images,kubectl get,kubectl describe"
        ",kubectl logs,terraform,ansible,helm,make,cmake,ninja,bazel,ls,tree,find,du,ps,df,grep,rg,http,json,ndjson,csv,xml"
        ",html,trace,log,text"
    )
    missing = [kind for kind in wanted.replace("clippy", "cargo clippy").split(",") if find_family(kind) is None]
    assert missing == []
