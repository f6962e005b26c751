"""Test suites of named public projects, run for real: as published, and with one line of the project's own code broken.

Sources come through the ordinary package clients (`pip download`, `go mod download`, `cargo vendor`, `npm pack`) into a folder
outside the repository (`BENCH_CACHE`, by default `~/.cache/penstock-bench`) and stay there. A suite whose client is not on the
machine, that cannot be downloaded, or that fails as published, is passed over with a line that says so. With `BENCH_REUSE=1`
the outputs of the last run are read again.

Most of the broken lines make a few tests fail, as an error of an ordinary day does; those at the end of the table make most of
a suite fail, more than a default answer can hold.
"""

# ruff: noqa: E501 -- a table is read by its rows

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

RUN_SECONDS = 240
_PYTHON_TOOLS = (
    "pytest<9 hatchling hatch-vcs hatch-fancy-pypi-readme flit-core setuptools setuptools-scm wheel poetry-core"
    " hypothesis ephemeral-port-reserve freezegun markupsafe pretend trio"
)


@dataclass(frozen=True, slots=True)
class Suite:
    """One project: where it comes from, how its tests are run, and the line that is broken to make some fail."""

    client: str
    project: str
    """`name==version`, `module@version`, `crate@version` or `package@version`."""
    file: str
    old: str
    new: str
    """In `file`, the first `old` becomes `new`: an error of the kind that a developer makes."""
    tests: str = ""
    """What is run, where it is not everything."""
    is_again: bool = False
    """Whether the project stands in the table before: only its broken runs are new."""

    @property
    def slug(self) -> str:
        return self.project.replace("/", "_").replace("==", "-").replace("@", "-")

    @property
    def broken_slug(self) -> str:
        digest = hashlib.sha256(f"{self.file}\0{self.old}\0{self.new}".encode()).hexdigest()
        return f"{self.slug}-broken-{digest[:6]}"


@dataclass(frozen=True, slots=True)
class Output:
    """What one run printed."""

    name: str
    client: str
    text: str
    exit_code: int
    is_broken: bool


SUITES: tuple[Suite, ...] = (
    Suite("pip", "attrs==25.3.0", "src/attr/validators.py", '"<", operator.lt', '"<", operator.le', "tests/test_validators.py tests/test_functional.py"),
    Suite("pip", "click==8.2.1", "src/click/utils.py", r'help.find("\n\n")', r'help.find("\n")'),
    Suite("pip", "jinja2==3.1.6", "src/jinja2/filters.py", "soft_str(s).capitalize()", "soft_str(s).title()"),
    Suite("pip", "packaging==25.0", "src/packaging/version.py", ">= 3 else 0", ">= 3 else 1", "tests/test_version.py tests/test_requirements.py"),
    Suite("pip", "idna==3.10", "idna/core.py", "len(label) > 63", "len(label) > 62"),
    Suite("pip", "more-itertools==10.7.0", "more_itertools/recipes.py", "pred, iterable), default", "pred, iterable), None", "tests/test_recipes.py"),
    Suite("pip", "pluggy==1.6.0", "src/pluggy/_callers.py", '_raise_wrapfail(teardown, "has second yield")', "pass"),
    Suite("pip", "itsdangerous==2.2.0", "src/itsdangerous/timed.py", "if age > max_age:", "if age > max_age + 100:"),
    Suite("pip", "werkzeug==3.1.3", "src/werkzeug/http.py", '"; ".join(segments)', '";".join(segments)', "tests/test_http.py tests/test_wrappers.py tests/test_routing.py"),
    Suite("pip", "tinydb==4.8.2", "tinydb/operations.py", "doc[field] += 1", "doc[field] += 2"),
    Suite("pip", "h11==0.16.0", "h11/_headers.py", "value.lower()", "value"),
    Suite("pip", "cachetools==6.1.0", "src/cachetools/__init__.py", "self.__order.move_to_end(key)", "pass"),
    Suite("pip", "markupsafe==3.0.2", "src/markupsafe/_native.py", "&gt;", "&lt;"),
    Suite("go", "github.com/google/uuid@v1.6.0", "version4.go", "0x40", "0x50"),
    Suite("go", "github.com/spf13/pflag@v1.0.6", "float32.go", "strconv.ParseFloat(s, 32)", 'strconv.ParseFloat(s+"1", 32)'),
    Suite("go", "github.com/gorilla/mux@v1.8.1", "mux.go", 'np += "/"', 'np += ""'),
    Suite("cargo", "semver@1.0.26", "src/display.rs", '"-{}"', '"~{}"'),
    Suite("cargo", "heck@0.5.0", "src/kebab.rs", 'write!(f, "-")', 'write!(f, "_")'),
    Suite("npm", "minimist@1.2.8", "index.js", "key, value, arg", "key, arg, arg"),
    Suite("pip", "click==8.2.1", "src/click/testing.py", "exit_code=exit_code,", "exit_code=exit_code + 1,", is_again=True),
    Suite("pip", "itsdangerous==2.2.0", "src/itsdangerous/signer.py", "value + self.sep", "value + b':'", is_again=True),
)  # fmt: skip


def cache_folder() -> Path:
    """Return where sources and outputs are kept."""
    return Path(os.environ.get("BENCH_CACHE") or Path.home() / ".cache" / "penstock-bench")


def outputs(passed_over: list[str]) -> Iterator[Output]:
    """Run every suite in its variants and yield what they printed; append to `passed_over` a line for those that cannot be."""
    cache = cache_folder()
    for suite in SUITES:
        if shutil.which(_PROGRAMS[suite.client]) is None:
            passed_over.append(f"{suite.project}: no {_PROGRAMS[suite.client]} on this machine")
            continue
        try:
            yield from _runs_of(suite, cache)
        except (OSError, subprocess.SubprocessError) as error:
            passed_over.append(f"{suite.project}: {type(error).__name__}: {str(error)[-200:]}")


def _runs_of(suite: Suite, cache: Path) -> Iterator[Output]:
    source = cache / "sources" / suite.slug
    if not source.exists():
        _DOWNLOADS[suite.client](suite, cache)
    for is_broken in (False, True):
        slug = suite.broken_slug if is_broken else suite.slug
        folder = cache / "work" / slug
        _prepare(suite, source, folder, is_broken)
        for style, command in _commands(suite, cache, is_broken):
            name = f"{suite.project} {style}{f', {suite.file} broken' if is_broken else ''}"
            kept = cache / "outputs" / f"{slug}-{style.replace(' ', '')}.txt"
            if not (os.environ.get("BENCH_REUSE") and kept.exists()):
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_text(_run(command, folder, cache), "utf-8")
            code, _, text = kept.read_text("utf-8").partition("\n")
            if bool(int(code)) is not is_broken:
                last = (text.strip().splitlines() or [""])[-1]
                raise OSError(f"{'does not fail when broken' if is_broken else 'fails as published'}: {last[:120]}")
            if is_broken or not suite.is_again:
                yield Output(name, suite.client, text, int(code), is_broken)


def _prepare(suite: Suite, source: Path, folder: Path, is_broken: bool) -> None:
    if folder.exists():
        return
    shutil.copytree(source, folder, symlinks=True)
    if is_broken:
        path = folder / suite.file
        text = path.read_text("utf-8")
        if suite.old not in text:
            raise OSError(f"{suite.file} has no {suite.old!r}")
        path.write_text(text.replace(suite.old, suite.new, 1), "utf-8")


def _commands(suite: Suite, cache: Path, is_broken: bool) -> Sequence[tuple[str, list[str]]]:
    """Return what is run, by name; the short form of a run in which all passes says too little to be of interest."""
    if suite.client == "pip":
        pytest = [str(_python(cache)), "-m", "pytest", "-p", "no:cacheprovider", *suite.tests.split()]
        verbose = ("pytest -v", [*pytest, "-v"])
        return [verbose, ("pytest", pytest)] if is_broken else [verbose]
    if suite.client == "go":
        return [("go test -v", ["go", "test", "-v", "-count=1", "./..."])]
    if suite.client == "cargo":
        return [("cargo test", ["cargo", "test", "--offline", "--no-fail-fast"])]
    return [("tape", ["npx", "--offline", "tape", "test/*.js"])]


def _run(command: Sequence[str], folder: Path, cache: Path) -> str:
    """Return the exit status on a line, then what the command printed, stderr in its place."""
    path = os.pathsep.join(str(part) for part in (folder / "src", folder) if part.is_dir())
    env = {**os.environ, "PYTHONPATH": path, "GOMODCACHE": str(cache / "go")}
    env.pop("CARGO_TARGET_DIR", None)
    env.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=RUN_SECONDS, check=False,
    )  # fmt: skip
    return f"{done.returncode}\n{done.stdout.decode('utf-8', 'replace')}"


def _python(cache: Path) -> Path:
    """Return the interpreter that the Python projects are built and tested with, made on first use and whenever its list changes."""
    folder = cache / f"venv-{hashlib.sha256(_PYTHON_TOOLS.encode()).hexdigest()[:6]}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    ready = folder / "ready"
    if not ready.exists():
        _quiet([sys.executable, "-m", "venv", "--clear", str(folder)], cache)
        _quiet([str(python), "-m", "pip", "install", "-q", *_PYTHON_TOOLS.split()], cache)
        ready.touch()
    return python


def _quiet(command: Sequence[str], folder: Path, **env: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, check=True, timeout=RUN_SECONDS)


def _pip(suite: Suite, cache: Path) -> None:
    python = _python(cache)
    options = ["-q", "--no-build-isolation", "--no-deps", "--no-binary", ":all:", "-d", "sdists"]
    _quiet([str(python), "-m", "pip", "download", *options, suite.project], cache)
    stem = suite.project.split("==")[0].replace("-", "_")
    archive = next(path for path in (cache / "sdists").iterdir() if path.name.replace("-", "_").startswith(f"{stem}_"))
    _unpack(archive, cache / "sources" / suite.slug)


def _go(suite: Suite, cache: Path) -> None:
    _quiet(["go", "mod", "download", suite.project], cache / "sources", GOMODCACHE=str(cache / "go"), GOFLAGS="-modcacherw")
    shutil.copytree(cache / "go" / suite.project, cache / "sources" / suite.slug)


def _cargo(suite: Suite, cache: Path) -> None:
    name, _, version = suite.project.partition("@")
    folder = cache / "vendor" / suite.slug
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "lib.rs").touch()
    manifest = f'[package]\nname = "vendor"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n{name} = "={version}"\n'
    (folder / "Cargo.toml").write_text(manifest, "utf-8")
    _quiet(["cargo", "vendor", "-q"], folder)
    source = cache / "sources" / suite.slug
    shutil.copytree(folder / "vendor" / name, source)
    with (source / "Cargo.toml").open("a", encoding="utf-8") as file:
        file.write("\n[workspace]\n")
    _quiet(["cargo", "fetch", "-q"], source)


def _npm(suite: Suite, cache: Path) -> None:
    folder = cache / "npm"
    _quiet(["npm", "pack", "--silent", suite.project], folder)
    source = cache / "sources" / suite.slug
    _unpack(folder / f"{suite.project.replace('@', '-')}.tgz", source)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _quiet(["npm", "install", *quiet], source)


def _unpack(archive: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(beside, filter="data")
    (inner,) = beside.iterdir()
    inner.rename(target)
    beside.rmdir()


_PROGRAMS = {"pip": sys.executable, "go": "go", "cargo": "cargo", "npm": "npm"}
_DOWNLOADS = {"pip": _pip, "go": _go, "cargo": _cargo, "npm": _npm}
