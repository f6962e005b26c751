"""The table of families: what each is called, by what its output is recognised, and which rules rank it.

The order decides between families with equal evidence. Shares (`aim`) are those of default answers; `make bench` measures them.
"""

# ruff: noqa: E501 -- a table is read by its rows

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from . import builds, compilers, containers, data, infra, jsondoc, linters, listings, packages, vcs
from .diff import score_diff
from .family import Family as F
from .family import Sign as S
from .generic import score_log, score_text
from .runners_js import JEST, MOCHA, NODE_TEST, TAP, VITEST
from .runners_jvm import GRADLE, MAVEN
from .runners_native import CARGO_TEST, CTEST, DOTNET_TEST, RSPEC, score_go_test
from .runners_python import PYTEST, UNITTEST
from .traces import score_trace

TESTS: Final = 0.1
BUILD: Final = 0.15
LINT: Final = 0.25
GIT: Final = 0.33
LIST: Final = 0.3
LOG: Final = 0.2
DATA: Final = 0.25

TEXT: Final = F("text", score_text)

_RUNNERS: Final = (
    F("pytest", PYTEST, TESTS, ("pytest", "py.test", "tox", "nox"), (
        S("test session starts", r"^=+ test session starts =+", 30),
        S("short test summary info", r"^=+ short test summary info =+", 30),
        S(" in ", r"^=+ \d+ (?:passed|failed|errors?|skipped|deselected)\b.* in [\d.]+s"),
        S(" in ", r"^=* ?\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|warnings?)\b.* in [\d.]+s", 8),
        S("FAILED ", r"^(?:FAILED|ERROR) \S+\.py(?:::| )", 8),
    )),
    F("unittest", UNITTEST, TESTS, ("unittest",), (S("Ran ", r"^Ran \d+ tests? in [\d.]+s", 30), S("FAIL: ", r"^(?:FAIL|ERROR): \w+ \(", 8))),
    F("jest", JEST, TESTS, ("jest", "npm test"), (S("Tests: ", r"^Tests: +\d+ ", 30), S("Test Suites:", r"^Test Suites: ", 30), S("  ● ", r"^  ● .+", 6))),
    F("vitest", VITEST, TESTS, ("vitest",), (S(" RUN  v", r"^\s*RUN\s+v\d"), S("Test Files ", r"^\s*Test Files\s+\d", 30), S(" FAIL  ", r"^ FAIL  ", 8))),
    F("mocha", MOCHA, TESTS, ("mocha",), (S(" passing (", r"^\s+\d+ passing \(", 30), S(" failing", r"^\s+\d+ failing$"))),
    F("tap", TAP, TESTS, ("tap", "prove"), (S("TAP version", r"^TAP version \d", 30), S("ok ", r"^(?:not )?ok \d+ ", 12, lines=4), S("1..", r"^1\.\.\d+$", 4))),
    F("node test", NODE_TEST, TESTS, ("node --test",), (S("ℹ tests ", r"^ℹ tests \d", 30), S("ℹ fail ", r"^ℹ fail \d"), S("Failed tests:", r"^Failed tests:$", 60))),
    F("go test", score_go_test, TESTS, ("go test",), (
        S("=== RUN", r"^=== RUN "), S("--- FAIL: ", r"^\s*--- FAIL: ", 30), S("ok  \t", r"^ok  \t"), S("FAIL\t", r"^FAIL\t", 30),
        S('"Action":"', r'^\{"Time":.*"Action":"(?:run|output|pass|fail|start)"', 40),
    )),
    F("cargo test", CARGO_TEST, TESTS, ("cargo test", "cargo nextest"), (
        S("test result: ", r"^test result: (?:ok|FAILED)\.", 40), S("running ", r"^running \d+ tests?$", 8), S("... ok", r"^test \S+ \.\.\. ok", 8),
    )),
    F("ctest", CTEST, TESTS, ("ctest",), (S("% tests passed", r"^\d+% tests passed", 30), S("Test project ", r"^Test project /", 6), S("Test  #", "", 6))),
    F("dotnet test", DOTNET_TEST, TESTS, ("dotnet test",), (
        S("! ", r"^(?:Failed|Passed)! +- Failed: +\d+, Passed:", 30), S("Total tests: ", r"^Total tests: \d", 30), S("Error Message:", r"^\s+Error Message:", 8),
    )),
    F("rspec", RSPEC, TESTS, ("rspec",), (S(" examples, ", r"^\d+ examples, \d+ failures?", 30), S("rspec ./", r"^rspec \./", 8))),
    F("maven", MAVEN, TESTS, ("mvn", "mvnw"), (
        S("[INFO] Scanning for projects", ""), S("[INFO] BUILD ", "", 40), S("[ERROR] Failed to execute goal", ""), S("[INFO] ", r"^\[INFO\] -{10,}", 6),
    ), aliases=("mvn", "junit", "surefire")),
    F("gradle", GRADLE, TESTS, ("gradle", "gradlew"), (
        S("> Task :", r"^> Task :"), S("BUILD ", r"^BUILD (?:FAILED|SUCCESSFUL) in "), S("* What went wrong:", ""),
    )),
)  # fmt: skip

_CHECKERS: Final = (
    F("tsc", compilers.TSC, LINT, ("tsc",), (S("error TS", r"(?:\(\d+,\d+\)|:\d+:\d+).*error TS\d+"),)),
    F("eslint", linters.ESLINT, LINT, ("eslint",), (
        S("problem", r"^✖ \d+ problems?"), S("  error  ", r"^\s+\d+:\d+\s+(?:error|warning)\s{2,}.*\s{2,}\S+$", 8),
    )),
    F("ruff", linters.RUFF, LINT, ("ruff",), (
        S("Found ", r"^Found \d+ errors?", 5), S(" --> ", r"^\s+--> \S+:\d+:\d+", 3), S("[*]", r"\[\*\]", 5),
        S(": ", r"^\S+\.pyi?:\d+:\d+: [A-Z]+\d+ ", 5),
    )),
    F("mypy", linters.MYPY, LINT, ("mypy",), (S(": error: ", r"^\S+\.pyi?:\d+(?::\d+)?: error: "), S("Success: no issues", ""), S("Found ", r"^Found \d+ errors? in \d+ file", 8))),
    F("pyright", linters.PYRIGHT, LINT, ("pyright", "basedpyright"), (S(" - error: ", r"^\s+\S+:\d+:\d+ - (?:error|warning): "), S("informations", r"^\d+ errors?, \d+ warnings?", 8))),
    F("cargo build", compilers.CARGO_BUILD, BUILD, ("cargo", "rustc"), (
        S("   Compiling ", r"^\s+(?:Compiling|Checking) \S+ v\d"), S(" --> ", r"^\s+--> \S+\.rs:\d+:\d+"), S("error[E", r"^error\[E\d+\]"),
        S("Finished `", r"^\s+Finished `", 8),
    ), aliases=("cargo clippy", "cargo check", "rustc", "clippy")),
    F("gcc", compilers.GCC, BUILD, ("gcc", "g++", "clang", "clang++", "cc", "c++"), (
        S("error: ", r"^\S+\.(?:c|cc|cpp|cxx|h|hh|hpp|m|mm|cu):\d+:\d+: (?:fatal )?error: "), S("warning: ", r"^\S+\.(?:c|cc|cpp|cxx|h|hpp):\d+:\d+: warning: "),
        S("undefined reference to", ""), S("ld returned", ""),
    ), aliases=("clang",)),
    F("javac", compilers.JAVAC, BUILD, ("javac", "kotlinc", "scalac"), (S(".java:", r"^\S+\.java:\d+: (?:error|warning)"),)),
    F("go build", compilers.GO_BUILD, BUILD, ("go build", "go vet", "go run", "golangci-lint"), (S(".go:", r"^(?:vet: )?(?:\./)?[\w./-]+\.go:\d+:\d+: "),), aliases=("go vet",)),
    F("lint", linters.LINT, LINT, ("flake8", "pylint", "prettier", "yamllint", "shellcheck", "hadolint", "rubocop"), (
        S("rated at", r"Your code has been rated"), S("[warn] ", r"^\[warn\] \S"),
    ), shape=r"\S+:\d+:\d+:? \S", share=0.7, aliases=("flake8", "pylint", "prettier")),
)  # fmt: skip

_BUILDS: Final = (
    F("cmake", builds.CMAKE, BUILD, ("cmake",), (S("CMake Error", ""), S("-- Configuring", r"^-- Configuring (?:done|incomplete)"), S("-- The C", r"^-- The \w+ compiler ident"))),
    F("ninja", builds.NINJA, BUILD, ("ninja",), (S("ninja: ", r"^ninja: "), S("[1/", r"^\[1/\d+\] ", 6), S("FAILED: ", r"^FAILED: \S", 5))),
    F("make", builds.MAKE, BUILD, ("make", "gmake"), (S("make: ", r"^g?make: ", 30), S("make[", r"^g?make\[\d+\]: "), S("%] B", r"^\[ *\d+%\] Buil", 8))),
    F("bazel", builds.BAZEL, BUILD, ("bazel", "bazelisk"), (S("INFO: Elapsed time", ""), S("INFO: Analyzed ", ""), S("bazel-", "", 3))),
    F("build", builds.BUNDLER, BUILD, ("webpack", "vite", "esbuild", "rollup", "next build"), (
        S("webpack ", r"^webpack \d\S* compiled"), S("built in ", r"^✓ built in"), S("✘ [ERROR]", ""), S("ERROR in ", r"^ERROR in \./", 8),
    ), aliases=("webpack", "vite", "esbuild", "rollup")),
)  # fmt: skip

_PACKAGES: Final = (
    F("npm", packages.NPM, BUILD, ("npm",), (
        S("npm error", r"^npm error"), S("npm ERR!", ""), S("npm warn", r"^npm (?:warn|WARN) "), S("added ", r"^(?:added|removed|changed) \d+ packages?"),
        S("packages are looking for funding", ""), S("@", r"^[├└]─[┬─] \S+@\d", 30),
    )),
    F("pnpm", packages.PNPM, BUILD, ("pnpm",), (S("Progress: resolved ", ""), S("ERR_PNPM", ""), S("pnpm v", "", 8))),
    F("yarn", packages.YARN, BUILD, ("yarn",), (S("➤ YN", ""), S("yarn install v", ""), S("[1/4] Resolving", ""))),
    F("pip", packages.PIP, BUILD, ("pip", "pip3"), (
        S("Collecting ", r"^Collecting \S+"), S("Requirement already satisfied", ""), S("Successfully installed ", ""), S("No matching distribution", ""),
        S("subprocess-exited-with-error", ""),
    )),
    F("uv", packages.UV, BUILD, ("uv",), (S("Resolved ", r"^Resolved \d+ packages? in"), S("Installed ", r"^Installed \d+ packages? in"), S("No solution found", ""))),
    F("poetry", packages.POETRY, BUILD, ("poetry",), (S("Package operations: ", ""), S("Resolving dependencies...", "", 8), S("Because ", r"^Because .* depends on", 8))),
    F("go mod", packages.GO_MOD, BUILD, ("go mod", "go get"), (S("go: ", r"^go: (?:downloading|finding|found|upgraded|added)"),)),
    F("apt", packages.APT, BUILD, ("apt", "apt-get", "dpkg"), (S("Reading package lists", ""), S("E: ", r"^E: (?:Unable|Package|Could)"), S("Setting up ", r"^Setting up \S+ \("))),
    F("brew", packages.BREW, BUILD, ("brew",), (S("==> ", r"^==> (?:Downloading|Fetching|Installing|Pouring|Summary|Upgrading|Caveats|Auto-updat)"), S("🍺", "", 8))),
)  # fmt: skip

_OPERATIONS: Final = (
    F("docker build", containers.DOCKER_BUILD, BUILD, ("docker build", "docker buildx", "docker compose", "podman build"), (
        S("#1 [", r"^#\d+ \["), S("Step 1/", r"^Step \d+/\d+ : "), S("Sending build context", ""), S("[+] Building", ""),
    )),
    F("docker ps", containers.DOCKER_TABLE, LIST, ("docker ps", "docker images", "docker volume", "docker network"), (
        S("CONTAINER ID", r"^CONTAINER ID +IMAGE"), S("REPOSITORY", r"^REPOSITORY +TAG"), S("NETWORK ID", r"^NETWORK ID"),
    ), aliases=("docker images", "docker")),
    F("kubectl describe", containers.KUBECTL_DESCRIBE, LIST, ("kubectl describe",), (S("Namespace: ", r"^Namespace: {2,}"), S("Events:", r"^Events:", 4))),
    F("kubectl get", containers.KUBECTL_TABLE, LIST, ("kubectl get", "kubectl top", "oc get"), (
        S("NAME ", r"^(?:NAMESPACE +)?NAME +(?:READY|STATUS|TYPE|DESIRED|COMPLETIONS|AGE|CLASS|DATA|REFERENCE|CPU|CAPACITY)"), S("LAST SEEN", r"^(?:NAMESPACE +)?LAST SEEN"),
        S("Error from server", ""),
    ), aliases=("kubectl", "k8s")),
    F("helm", containers.HELM, LIST, ("helm",), (S("LAST DEPLOYED: ", ""), S("# Source: ", r"^# Source: \S+/templates/"), S("chart(s) linted", ""), S("INSTALLATION FAILED", ""))),
    F("terraform", infra.TERRAFORM, BUILD, ("terraform", "tofu"), (
        S("Terraform ", r"^Terraform (?:will perform|used the selected|has been)", 30), S("Plan: ", r"^Plan: \d+ to add"), S("Refreshing state...", ""),
        S("Error: ", r"^(?:[╷│] ?)?Error: ", 5), S(" on ", r"^\W*on \S+\.tf line \d+", 8), S("complete! Resources:", ""),
    )),
    F("ansible", infra.ANSIBLE, BUILD, ("ansible-playbook", "ansible"), (S("PLAY RECAP", r"^PLAY RECAP \*+", 30), S("TASK [", r"^TASK \[.*\] \*+"), S("[ERROR]: ", "", 6))),
)  # fmt: skip

_VCS: Final = (
    F("git blame", vcs.score_blame, GIT, ("git blame", "git annotate"), (), shape=r"\^?[0-9a-f]{7,40} (?:\S+ +)?\(.+? \d{4}-\d\d-\d\d ", share=0.9),
    F("git log", vcs.score_log, GIT, ("git log", "git reflog"), (S("commit ", r"^[*|\\/ ]*commit [0-9a-f]{40}", 60, lines=2),), shape=r"[*|\\/ ]*[0-9a-f]{7,12} (?:\([^)]*\) )?\S", share=0.9),
    F("git show", vcs.score_show, GIT, ("git show",), (S("commit ", r"^commit [0-9a-f]{40}", 50),)),
    F("git diff", score_diff, GIT, ("git diff", "diff", "git format-patch"), (
        S("diff --git ", r"^diff --git "), S("diff --cc ", r"^diff --cc "), S("@@ -", r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@"), S("--- ", r"^--- \S", 3), S(" files changed", r"^ \d+ files? changed", 10),
    ), shape=r"[MADRCT]\d*\t\S", share=0.9, aliases=("diff", "patch")),
    F("git status", vcs.STATUS, GIT, ("git",), (
        S("On branch ", r"^On branch \S"), S("## ", r"^## \S+(?:\.\.\.|$)", 6), S("Changes not staged", ""), S("CONFLICT (", r"^CONFLICT \("),
        S("! [rejected]", ""), S("Cloning into", r"^Cloning into '"), S("pathspec '", r"^error: pathspec"),
    ), shape=r"(?:[ MADRCU?!]{2} |## )\S", share=0.95),
    F("git branch", vcs.BRANCH, GIT, ("git branch",), (), shape=r"[* ] (?:remotes/)?\S+ +[0-9a-f]{7,12} ", share=0.9),
)  # fmt: skip

_DATA: Final = (
    F("http", data.score_http, DATA, ("curl", "http", "https", "wget"), (S("HTTP/", r"^(?:< )?HTTP/[\d.]+ \d{3}", 30), S("curl: (", r"curl: \(\d+\)"))),
    F("xml", data.score_markup, DATA, (), (S("<?xml ", r"^\s*<\?xml "), S("<testsuite", r"^\s*<testsuites?\b", 30), S("<project", r"^<project\b", 8))),
    F("html", data.score_markup, DATA, (), (S("<!DOCTYPE html", ""), S("<html", r"^\s*<html\b"), S("<!doctype html", ""))),
    F("json", jsondoc.score_json, DATA, ("jq",), probe=jsondoc.is_json),
    F("ndjson", jsondoc.score_ndjson, DATA, (), (), shape=r"\{\".*\}\s*$", share=0.9, aliases=("jsonl", "json lines")),
    F("csv", data.score_csv, DATA, probe=data.is_csv, aliases=("tsv",)),
)  # fmt: skip

_LISTS: Final = (
    F("ps", listings.PS, LIST, ("ps", "top"), (S(" PID ", r"^\s*(?:USER|UID|F S UID)? +PID .*(?:CMD|COMMAND)"),)),
    F("df", listings.DF, LIST, ("df",), (S("Filesystem", r"^Filesystem +.*(?:Use%|Capacity|IUse%)"),)),
    F("tree", listings.score_listing, LIST, ("tree",), (S("├── ", r"^[│ \u00a0]*├── "), S(" directories, ", r"^\d+ director(?:y|ies), \d+ files?", 8))),
    F("ls", listings.score_listing, LIST, ("ls", "ll", "dir"), (S("total ", r"^total \d+", 5),), shape=r"(?:[-dlcbps][-rwxsStT]{9}[.+@]? +\d+ \S|total \d)", share=0.8),
    F("du", listings.score_listing, LIST, ("du",), (), shape=r"[\d.,]+[KMGTPB]?\t\S", share=0.9),
    F("grep", listings.score_matches, LIST, ("grep", "rg", "ag", "ack", "git grep"), (), shape=r"[^\s:,;]*[./][^\s:,;]*(?:[:-]\d+[:-]|:\d+$)|--$", share=0.8, aliases=("rg", "ripgrep")),
    F("find", listings.score_listing, LIST, ("find", "fd", "git ls-files"), (), shape=r"(?:\.{0,2}/)?[\w.@+-]+(?:/[\w.@+ -]+)+/?$", share=0.9, aliases=("fd",)),
    F("grep", listings.score_matches, LIST, (), (), shape=r"\d+[:-](?!\d\d[:. T-])|--$|/?[\w@+.-]+(?:/[\w@+.-]+)+$", share=0.95),
)  # fmt: skip

_LOGS: Final = (
    F("trace", score_trace, DATA, (), (
        S("Traceback (most recent call last)", ""), S("Exception in thread ", r"^Exception in thread "), S("panicked at", r"^thread '.*panicked at"),
        S("goroutine ", r"^goroutine \d+ \["), S("    at ", r"^\s+at .*[(/\\ ]\S+:\d+(?::\d+)?\)?$"), S("\tat ", r"^\tat \S+\(.*\)$"), S("   at ", r"^\s+at .* in \S+:line \d+$"), S("PHP Fatal", ""),
        S("Sanitizer: ", r"==\d+==ERROR: "), S("Memcheck", r"^==\d+== Memcheck"), S("Stack trace:", ""), S("\tfrom ", r"^\s+from \S+:\d+:in "), S(" called at ", r"called at \S+ line \d+"),
    ), aliases=("stack trace", "traceback")),
    F("log", score_log, LOG, ("journalctl", "docker logs", "kubectl logs", "tail"), (), shape=(
        r"\[?\d{4}[-/.]\d\d[-/.]\d\d[T \]]|\[?\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d |\[?(?:DEBUG|INFO|WARN|ERROR|TRACE)\b"
        r"|\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}|[IWEF]\d{4} |(?:time|ts|level)=|\[ *\d+\.\d+\] |\d{10}|[\w.-]+ +\| "
    ), aliases=("logs", "docker logs", "kubectl logs", "journal")),
)  # fmt: skip

_WHOLE: Final = tuple(replace(family, is_part=False) for family in (*_VCS, *_DATA, *_LISTS))

FAMILIES: Final[Sequence[F]] = (*_RUNNERS, *_CHECKERS, *_BUILDS, *_PACKAGES, *_OPERATIONS, *_WHOLE, *_LOGS)


def find_family(kind: str) -> F | None:
    """Return the family that `kind` names, or None."""
    name = " ".join(kind.lower().replace("_", " ").replace("-", " ").split())
    return next((family for family in (*FAMILIES, TEXT) if name == family.name or name in family.aliases), None)


def kind_names() -> list[str]:
    """Return the names that `kind` may have."""
    return [family.name for family in (*FAMILIES, TEXT)]
