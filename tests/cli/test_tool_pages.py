"""The page of tools: for each that changes something, whether that can be undone."""

import re

from admin_mcp.cli.tool_pages import markdown
from admin_mcp.gate.undoable import undoable
from admin_mcp.tools.definitions import every_definition
from tests.contract.cases import CASES
from tests.gate.undoing import CATALOG

PAGE = markdown(every_definition())


def test_every_row_says_whether_the_change_can_be_undone_and_a_read_says_nothing() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| \w+ \| (\w*) \| `(?:GET|POST|DELETE) ", PAGE, re.MULTILINE))
    expected = {
        case.name: undoable(case.implemented, CATALOG).kind if case.implemented.SPEC.mutates else "" for case in CASES
    }
    assert rows == expected


def test_whatever_is_not_exact_is_listed_once_with_its_reason() -> None:
    _, _, section = PAGE.partition("## Where undo is not exact")
    for case in CASES:
        if not case.implemented.SPEC.mutates:
            continue
        undo = undoable(case.implemented, CATALOG)
        lines = [line for line in section.splitlines() if f"`{case.name}`" in line]
        if undo.kind == "exact":
            assert lines == []
        else:
            (line,) = lines
            assert line.startswith(f"- *{undo.kind}*: ")
            assert line.endswith(f". {undo.reason}")


def test_without_a_changing_tool_there_is_no_section_on_undo() -> None:
    reads = [tool for tool in every_definition() if tool["annotations"]["readOnlyHint"]]
    assert "## Where undo is not exact" not in markdown(reads)
