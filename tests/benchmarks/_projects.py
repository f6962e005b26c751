"""Named public projects at fixed versions, brought by the package managers that this machine has: npm, go, cargo, mvn.

A manager that is missing, or a package that cannot be had, is said on stderr and left out; nothing is ever built or run.
"""

import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

NPM = ("express@4.21.2", "lodash@4.17.21", "commander@12.1.0", "axios@1.7.9", "rxjs@7.8.2")
GO = ("github.com/gin-gonic/gin@v1.10.0", "github.com/spf13/cobra@v1.8.1")
CRATES = (("serde_json", "1.0.149"), ("regex-automata", "0.4.13"), ("libz-sys", "1.1.23"))
"""The last holds the C sources of zlib and zlib-ng."""
MAVEN = ("com.google.code.gson:gson:2.11.0", "org.apache.commons:commons-lang3:3.17.0")
TIMEOUT_S = 180


def projects(scratch: Path) -> Iterator[tuple[str, Path]]:
    """Yield (name, folder) of every project that can be had; everything is kept below `scratch`."""
    for tool, names, bring in (("npm", NPM, _npm), ("go", GO, _go), ("cargo", CRATES, _crate), ("mvn", MAVEN, _maven)):
        if shutil.which(tool) is None:
            sys.stderr.write(f"no {tool}: {len(names)} projects left out\n")
            continue
        for name in names:
            folder = scratch / tool / str(len(list(scratch.glob(f"{tool}/*"))))
            folder.mkdir(parents=True)
            try:
                yield bring(name, folder)
            except (subprocess.SubprocessError, OSError, KeyError, ValueError, IndexError) as error:
                sys.stderr.write(f"{name}: left out ({type(error).__name__})\n")


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
    )
    return done.stdout


def _npm(name: object, folder: Path) -> tuple[str, Path]:
    _run("npm", "pack", "--silent", "--ignore-scripts", str(name), cwd=folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return str(name).split("@")[0], next(path for path in folder.iterdir() if path.is_dir())


def _go(name: object, folder: Path) -> tuple[str, Path]:
    found = json.loads(_run("go", "mod", "download", "-json", str(name), cwd=folder))
    return str(name).split("@")[0].rsplit("/", 1)[-1], Path(found["Dir"])


def _crate(crate: object, folder: Path) -> tuple[str, Path]:
    name, version = crate if isinstance(crate, tuple) else ("", "")
    (folder / "src").mkdir()
    (folder / "src" / "lib.rs").write_text("")
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "bench"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n{name} = "={version}"\n'
    )
    found = json.loads(_run("cargo", "metadata", "--format-version", "1", "--quiet", cwd=folder))
    manifest = next(one["manifest_path"] for one in found["packages"] if one["name"] == name)
    return str(name), Path(manifest).parent


def _maven(name: object, folder: Path) -> tuple[str, Path]:
    copy = ("-B", "-q", "dependency:copy", f"-Dartifact={name}:jar:sources", f"-DoutputDirectory={folder}")
    _run("mvn", *copy, cwd=folder)
    shutil.unpack_archive(next(folder.glob("*.jar")), folder / "src", "zip")
    return str(name).split(":")[1], folder / "src"
