"""What JSON messages of tools report: every failure told with its place and message, whatever else the record holds."""

# ruff: noqa: E501 -- a table is read by its rows

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.filter import Document, Focus, Rank
from penstock.tools.filters.findings import findings_of
from tests.tools.filters.conftest import Count, check_whole

PADDING = {f"field_{i}": f"value {i} of no interest" for i in range(30)}


def cargo(level: str, text: str, line: int) -> dict[str, object]:
    span = {
        "file_name": "src/lib.rs",
        "line_start": line,
        "column_start": 9,
        "is_primary": True,
        "text": [{"text": "let x = 1;"}],
    }
    rendered = f"{level}: {text}\n --> src/lib.rs:{line}:9\n"
    message = {
        "rendered": rendered,
        "level": level,
        "message": text,
        "spans": [span],
        "children": [{"level": "help", "message": "no"}],
    }
    return {"reason": "compiler-message", "package_id": "path+file:///x", "target": PADDING, "message": message}


RECORDS: dict[str, tuple[object, list[str]]] = {
    "eslint": (
        [{"filePath": "/p/a.js", "messages": [{"ruleId": "no-undef", "severity": 2, "message": "'x' is not defined.", "line": 3}]}],
        ["error /p/a.js:3 [no-undef]: 'x' is not defined."],
    ),
    "ruff": (
        [{"code": "F821", "message": "Undefined name `x`", "filename": "/p/a.py", "location": {"row": 4, "column": 5}}],
        ["error /p/a.py:4:5 [F821]: Undefined name `x`"],
    ),
    "pyright": (
        {"generalDiagnostics": [{"file": "/p/a.py", "severity": "error", "message": "no", "range": {"start": {"line": 7, "character": 1}}}]},
        ["error /p/a.py:7:1: no"],
    ),
    "jest": (
        {"testResults": [{"name": "/p/a.test.js", "status": "failed", "message": "all of it", "assertionResults": [
            {"fullName": "adds", "status": "failed", "failureMessages": ["Error: 3 != 4\n    at Object.f (/p/a.test.js:9:2)"]},
            {"fullName": "passes", "status": "passed", "failureMessages": []},
        ]}]},
        ["failed /p/a.test.js:9:2 adds: Error: 3 != 4"],
    ),
    "mocha": (
        {"failures": [{"fullTitle": "s adds", "file": "/p/a.js", "err": {"message": "3 != 4", "stack": "at f (/p/a.js:8:1)"}}]},
        ["failed /p/a.js:8:1 s adds: 3 != 4"],
    ),
    "pytest": (
        {"tests": [{"nodeid": "a.py::test_x", "lineno": 3, "outcome": "failed", "call": {
            "outcome": "failed", "crash": {"path": "/p/a.py", "lineno": 5, "message": "assert 1 == 2"}, "longrepr": "def test"}}]},
        ["failed a.py::test_x:3: assert 1 == 2"],
    ),
    "rspec": (
        {"examples": [{"full_description": "adds", "status": "failed", "file_path": "./a.rb", "line_number": 6,
                       "exception": {"class": "E", "message": "expected 1"}}]},
        ["failed ./a.rb:6 adds: expected 1"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("indent", [None, 2])
def test_failures_are_told_with_place_and_message(name: str, indent: int | None) -> None:
    value, expected = RECORDS[name]
    assert [finding.text for finding in findings_of(Document(json.dumps(value, indent=indent)))] == expected


def test_a_record_of_success_reports_nothing() -> None:
    records = [{"level": "info", "message": "0 errors"}, {"status": "passed", "message": "error free", "file": "a.py", "line": 3}]
    assert findings_of(Document("\n".join(map(json.dumps, records)))) == []


def test_warnings_and_errors_without_a_place_are_told_once_for_their_class() -> None:
    records = [{"level": "error", "msg": f"connection {i} refused"} for i in range(9)] + [{"level": "warn", "msg": "slow"}]
    found = findings_of(Document("\n".join(map(json.dumps, records))))
    assert [(finding.rank, finding.text) for finding in found] == [
        (Rank.ERROR, "×9 error: connection 0 refused"),
        (Rank.WARNING, "warning: slow"),
    ]


@pytest.mark.parametrize("budget", [200, 500, 2000])
def test_every_error_in_long_records_survives_or_is_counted(budget: int, count: Count) -> None:
    records = [cargo("warning", f"unused variable `v{i}`", i) for i in range(40)]
    for at, name in ((11, "planted_alpha"), (23, "planted_beta"), (39, "planted_gamma")):
        records.insert(at, cargo("error", f"cannot find `{name}`", 1000 + at))
    text = "".join(json.dumps(record) + "\n" for record in records) + "error: could not compile `x`\n"
    result = compress_text(text, Focus(budget, exit_code=101), count)
    check_whole(result)
    assert count(result.text) <= budget
    assert all(f"cannot find `planted_{name}`" in result.text for name in ("alpha", "beta", "gamma"))
    assert all(f"src/lib.rs:{line}:9" in result.text for line in (1011, 1023, 1039))


def test_findings_that_do_not_fit_are_counted(count: Count) -> None:
    messages = [{"ruleId": f"rule-{i}", "severity": 2, "message": f"thing {i} is wrong here", "line": i + 1} for i in range(200)]
    result = compress_text(json.dumps([{"filePath": "/p/a.js", "messages": messages, "source": "x" * 20_000}]), Focus(500), count)
    listed = sum(line.startswith("error /p/a.js:") for line in result.derived)
    assert 5 < listed < 200
    assert listed + result.left_out[Rank.ERROR] == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "level", "severity", "file", "line", "status", "err", "failures", "spans", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=4), st.sampled_from([None, 1]))
def test_any_json_is_read_without_harm(values: list[object], indent: int | None) -> None:
    text = "\n".join(json.dumps({"level": "error", "v": value}, indent=indent) for value in values)
    for finding in findings_of(Document(text)):
        assert "\n" not in finding.text
        assert 0 <= finding.line <= text.count("\n")
