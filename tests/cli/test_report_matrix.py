"""The matrix shows each way to a role once, and says which come only through a group."""

import pytest

from admin_mcp.cli.report_matrix import matrix_of
from admin_mcp.jobs.access import Access, HeldRole, Scope
from admin_mcp.jobs.access_reading import read_access, read_directory
from admin_mcp.jobs.reports.review_access import ReviewAccess
from tests.jobs.pretend import Pretend


def person(number: int) -> dict[str, object]:
    return {"id": f"u{number}", "name": f"P{number}", "email": f"p{number}@example.com"}


def test_owners_come_first_and_a_group_is_named_as_the_way() -> None:
    access = Access(
        people={f"u{number}": person(number) for number in range(3)},
        projects={"p": {"id": "p", "name": "Billing"}},
        members={"g": ["u0", "u1"]},
        held=[
            ("person", "u1", HeldRole("", "member", "p")),
            ("group", "g", HeldRole("r", "member", "p")),
            ("person", "u2", HeldRole("", "owner")),
        ],
    )
    matrix = matrix_of(access)
    assert matrix.columns == ("Organization", "Billing")
    assert dict(matrix.rows) == {
        "P2": (("owner", "high"), ("", None)),
        "P1": (("", None), ("member", "low")),
        "P0": (("", None), ("member (group)", "low")),
    }
    assert matrix.rows[0][0] == "P2"
    assert matrix.left_out == ""


def test_a_matrix_that_is_too_large_says_what_it_leaves_out() -> None:
    access = Access(
        people={f"u{number}": person(number) for number in range(400)},
        projects={f"p{number}": {"id": f"p{number}", "name": "x"} for number in range(50)},
        held=[("person", f"u{number}", HeldRole("", "reader")) for number in range(400)],
    )
    matrix = matrix_of(access)
    assert (len(matrix.rows), len(matrix.columns)) == (300, 40)
    assert matrix.left_out == "Not shown here: 100 more rows and 11 more projects. The tables have them."


@pytest.mark.anyio
async def test_it_costs_no_further_reads_after_the_review() -> None:
    one = Pretend()
    reader = one.reader()
    await ReviewAccess().answer(reader)
    before = len(one.calls)
    access = await read_directory(reader)
    await read_access(reader, access, Scope())
    assert matrix_of(access).rows
    assert len(one.calls) == before == reader.reads
