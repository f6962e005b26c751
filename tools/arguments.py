"""The arguments of every tool, as the model sees and sends them: names, types and descriptions of the tool contract.

Descriptions are part of the tools/list budget; they are as short as they can be and still teach the call.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MAX_QUERY_CHARS: Final = 4096
View = Literal["auto", "full", "lines", "outline", "map", "diff", "focus", "dense", "compact", "reference"]


def _list_in_string(value: object) -> object:
    """Accept a JSON array sent as a string: some clients flatten union types."""
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        import json

        try:
            parsed: object = json.loads(value)
        except ValueError:
            return value
        if isinstance(parsed, list):
            return parsed  # pyright: ignore[reportUnknownVariableType]
    return value


Names = Annotated[str | list[str], BeforeValidator(_list_in_string)]


class Arguments(BaseModel):
    """Base of all tool arguments: nothing unknown is accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReadArguments(Arguments):
    """`read`."""

    path: Annotated[Names, Field(description="file or directory; a list reads several")]
    view: Annotated[View, Field(description="full and lines are exact; auto picks the cheapest true view")] = "auto"
    lines: Annotated[str | None, Field(description='ranges "10-40,80-", last 20: "-20"')] = None
    query: Annotated[str | None, Field(description="what to look for (focus)")] = None
    budget: Annotated[int | None, Field(ge=1, description="max tokens")] = None
    have: Annotated[str | None, Field(description="receipt of text you can still see: answers unchanged, or the diff")] = None
    fresh: Annotated[bool, Field(description="bypass caches and receipts")] = False


class SearchArguments(Arguments):
    """`search`."""

    query: str
    scope: Literal["workspace", "session", "memory"] = "workspace"
    path: Annotated[str | None, Field(description="glob, e.g. src/**/*.py")] = None
    prefer: Literal["source", "tests", "docs", "any"] | None = None
    k: Annotated[int | None, Field(ge=1, le=200, description="hits")] = None
    budget: Annotated[int | None, Field(ge=1)] = None


class CompressArguments(Arguments):
    """`compress`."""

    source: Annotated[str, Field(description="handle, path, or the text itself")]
    budget: Annotated[int | None, Field(ge=1)] = None
    query: Annotated[str | None, Field(description="lines that must stay")] = None
    kind: Annotated[str | None, Field(description="e.g. pytest, git diff, json, log; default: detected")] = None


class EvictArguments(Arguments):
    """`evict`."""

    targets: Annotated[Names | None, Field(description="paths, handles or receipts")] = None
    to_tokens: Annotated[int | None, Field(ge=0, description="evict coldest first down to this")] = None
    pin: Annotated[Names | None, Field(description="paths never evicted")] = None
    unpin: Names | None = None
    dry_run: bool = False


class RestoreArguments(Arguments):
    """`restore`."""

    handle: str
    lines: str | None = None
    query: str | None = None
    budget: Annotated[int | None, Field(ge=1)] = None


class SessionArguments(Arguments):
    """`session`."""

    action: Literal["save", "list", "restore", "clear", "summary", "handoff"]
    id: Annotated[str | None, Field(description="session id or name")] = None
    keep: Annotated[float | None, Field(ge=0, le=1, description="importance kept by clear")] = None
    note: Annotated[str | None, Field(description="goal, decision or name to record")] = None


class MemoryArguments(Arguments):
    """`memory`."""

    action: Literal["remember", "recall", "list", "forget"]
    topic: str | None = None
    fact: str | None = None
    evidence: Annotated[Names | None, Field(description='"path:10-20" that proves it')] = None
    query: str | None = None


class StatusArguments(Arguments):
    """`status`."""

    detail: Literal["short", "full"] = "short"


def input_schema(model: type[Arguments]) -> dict[str, Any]:
    """Return the JSON schema of `model`, without titles, null branches and null defaults."""
    schema = model.model_json_schema()
    properties: dict[str, Any] = {name: _slim(entry) for name, entry in schema["properties"].items()}
    slim: dict[str, Any] = {"type": "object", "properties": properties}
    slim["required"] = schema.get("required", [])
    slim["additionalProperties"] = False
    return slim


def _slim(entry: dict[str, Any]) -> dict[str, Any]:
    entry = {key: value for key, value in entry.items() if key != "title" and (key, value) != ("default", None)}
    branches = [branch for branch in entry.pop("anyOf", []) if branch.get("type") != "null"]
    if len(branches) == 1:
        entry = {**branches[0], **entry}
    elif branches:
        entry["anyOf"] = branches
    return entry
