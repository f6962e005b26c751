"""Pure: which language or format a file is in, by its name and, failing that, by its first bytes."""

import re
from functools import lru_cache
from typing import Final

from .table import LANGUAGES

_FORMATS: Final = {
    "markdown": (".md", ".markdown", ".mdx", ".mkd", ".rmd", ".qmd"),
    "rst": (".rst",),
    "json": (".json", ".jsonc", ".json5", ".geojson", ".webmanifest", ".sarif", ".har"),
    "ndjson": (".ndjson", ".jsonl"),
    "yaml": (".yaml", ".yml"),
    "toml": (".toml",),
    "ini": (".ini", ".cfg", ".conf", ".properties", ".desktop", ".editorconfig", ".service"),
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "sql": (".sql", ".ddl", ".psql", ".pgsql"),
    "notebook": (".ipynb",),
    "log": (".log",),
    "xml": (".xml", ".xsd", ".xsl", ".xslt", ".svg", ".plist", ".csproj", ".props", ".targets", ".pom", ".rss", ".atom", ".wsdl"),
    "text": (".txt", ".text"),
    "make": (".mk", ".mak"),
    "dart": (".dart",),
    "perl": (".pl", ".pm", ".t"),
    "r": (".r",),
    "vue": (".vue",),
    "svelte": (".svelte",),
    "protobuf": (".proto",),
    "terraform": (".tf", ".tfvars", ".hcl"),
    "graphql": (".graphql", ".gql"),
    "powershell": (".ps1", ".psm1", ".psd1"),
    "latex": (".tex",),
    "less": (".less", ".scss", ".sass", ".styl"),
    "objc": (".m", ".mm"),
    "clojure": (".clj", ".cljs", ".cljc", ".edn"),
    "erlang": (".erl", ".hrl"),
    "fsharp": (".fs", ".fsx", ".fsi"),
    "ocaml": (".ml", ".mli"),
    "nim": (".nim",),
    "groovy": (".groovy", ".gradle"),
    "cmake": (".cmake",),
    "batch": (".bat", ".cmd"),
    "vim": (".vim",),
    "lisp": (".lisp", ".el", ".scm", ".rkt"),
    "fortran": (".f", ".f90", ".f95", ".for"),
    "pascal": (".pas", ".pp", ".dpr"),
    "ada": (".adb", ".ads"),
    "assembly": (".asm", ".s"),
    "nix": (".nix",),
    "solidity": (".sol",),
}
_FORMAT_NAMES: Final = {
    "makefile": "make",
    "gnumakefile": "make",
    "dockerfile": "docker",
    "containerfile": "docker",
    "cmakelists.txt": "cmake",
    "jenkinsfile": "groovy",
    "pipfile": "toml",
    "cargo.lock": "toml",
    "poetry.lock": "toml",
    "uv.lock": "toml",
    ".gitconfig": "ini",
    ".npmrc": "ini",
    ".flake8": "ini",
    ".babelrc": "json",
    ".eslintrc": "json",
    ".prettierrc": "json",
    "composer.lock": "json",
}
_BINARY: Final = frozenset(
    (  # noqa: SIM905 -- one extension a line would hide the module
        "so dylib dll exe bin o a lib class jar war pyc pyo pyd whl egg wasm node rlib rmeta pdb zip gz bz2 xz zst 7z rar tar "
        "png jpg jpeg gif bmp ico webp tiff tif avif heic psd pdf mp3 mp4 m4a avi mov mkv webm ogg wav flac ttf otf woff woff2 "
        "sqlite sqlite3 db parquet feather arrow npy npz pkl pickle h5 hdf5 onnx pt pth safetensors gguf iso dmg deb rpm apk "
        "doc docx xls xlsx ppt pptx odt ods jks keystore mo tgz eot"
    ).split()
)
_PROSE: Final = frozenset(
    ["markdown", "rst", "json", "ndjson", "yaml", "toml", "ini", "csv", "tsv", "notebook", "log", "xml", "text", "html"]
)
_SHEBANG: Final = re.compile(rb"^#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*)?([\w.+-]+)")
_VERSION: Final = re.compile(r"[\d.]+$")
_CPP_MARK: Final = re.compile(
    rb"^\s*(?:class\s+\w+|namespace\s+\w|template\s*<|using\s+\w|public:|private:|#include\s*<\w+>)", re.M
)
_LOG_LINE: Final = re.compile(
    rb"^(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?\d{2}/\w{3}/\d{4}|\w{3} [ \d]\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d[.,]\d|"
    rb"\S+ \S+ \S+ \[\d\d/\w{3}/\d{4}:)"
)


@lru_cache(maxsize=1)
def _by_extension() -> dict[str, str]:
    out = {extension: name for name, extensions in _FORMATS.items() for extension in extensions}
    out |= {extension: language.name for language in LANGUAGES for extension in language.extensions}
    return out


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    return _FORMAT_NAMES | {name.lower(): language.name for language in LANGUAGES for name in language.names}


@lru_cache(maxsize=1)
def _by_shebang() -> dict[str, str]:
    return {shebang: language.name for language in LANGUAGES for shebang in language.shebangs} | {"perl": "perl", "make": "make"}


def language_name(path: str, data: bytes) -> str | None:
    """Name the language or format of the file at `path` with content `data` (its beginning is enough)."""
    base = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
    named = _by_name().get(base)
    if named is not None:
        return named
    if base.startswith(("dockerfile.", "makefile.")):
        return _FORMAT_NAMES[base.partition(".")[0]]
    if base.endswith(".dockerfile"):
        return "docker"
    dot = base.rfind(".")
    known = _by_extension().get(base[dot:]) if dot >= 0 else None
    if known == "c" and base.endswith(".h") and _CPP_MARK.search(data[:20_000]):
        return "cpp"
    if known is not None:
        return known
    return _by_content(data[:4096])


def is_binary_name(path: str) -> bool:
    """Say whether files of this name hold no text, as far as a name tells; most that do not are named otherwise."""
    base = path.rsplit("/", 1)[-1].lower()
    return base.rpartition(".")[2] in _BINARY or ".so." in base


def is_code(language: str | None) -> bool:
    """Say whether an outline of this language is one of code, not of prose or data."""
    return language is not None and language not in _PROSE


def _by_content(head: bytes) -> str | None:
    found = _SHEBANG.match(head)
    if found is not None:
        interpreter = found.group(1).decode("ascii", "replace").lower()
        return _by_shebang().get(interpreter) or _by_shebang().get(_VERSION.sub("", interpreter))
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<?xml", b"<svg")):
        return "xml"
    if start[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "html"
    if start[:1] in {b"{", b"["} and not start.startswith(b"{{") and b'"' in start[:200]:
        return "json"
    dated = sum(1 for line in head.split(b"\n")[:12] if _LOG_LINE.match(line))
    return "log" if dated >= 3 else None
