"""What the journal has on one change, or on one plan, in words. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from admin_mcp.cli.journal_rows import name_of, step_of, thing_of
from admin_mcp.cli.report_view import shown
from admin_mcp.cli.times import local_time_of
from admin_mcp.gate.journal import Record
from admin_mcp.gate.text import unhidden, visible
from admin_mcp.gate.undoing import plan_meant

_LEFT_OUT = frozenset({"by", "hash", "plan", "step", "steps"})
"""What stands elsewhere in words; and the names by which processes and journals know each other, which tell nobody."""

_LABELS: Mapping[str, str] = {
    "does": "what it does",
    "preview": "shown to the person",
    "target": "system",
    "os_user": "user of this machine",
    "policy": "policy file, by its digest",
    "made": "what the API answered",
    "before": "what was there before",
    "client": "program that asked",
    "via": "decided through",
}


def about(name: str, records: Iterable[Record]) -> list[Record]:
    """Return the records of a change; of a plan also those of its steps and of its approvals."""
    found: list[Record] = []
    approvals: set[str] = set()
    for record in records:
        given = (record.fields.get("plan"), record.fields.get("request"))  # of any type: a record may be odd
        of_plan = name in given or record.change in approvals
        if record.change == name or (is_plan(name) and of_plan):
            found.append(record)
            if record.kind == "asked":
                approvals.add(record.change)
    return found


def is_plan(name: str) -> bool:
    """Whether this is the id of a whole plan."""
    return plan_meant(name, []) is not None


def lines_of(records: Iterable[Record]) -> Iterator[str]:
    """Yield each record with all its fields."""
    for record in records:
        yield f"{shown(local_time_of(record.at))}  {shown(record.kind)}  (record {record.seq})"
        if place := step_of(record.fields):
            yield f"    this is: {shown(place)}"
        elif "plan" in record.fields:
            yield f"    plan: {shown(record.fields['plan'])}"
        for name, value in record.fields.items():
            if name not in _LEFT_OUT and value not in ({}, []):
                first, *others = _in_words(value)
                yield f"    {shown(_LABELS.get(name, name.replace('_', ' ')))}: {first}"
                yield from (f"        {line}" for line in others)


def _in_words(value: object) -> list[str]:
    """Return a value in lines of text that hide nothing; what has parts is JSON."""
    text = value if isinstance(value, str) else _as_json(value)
    return [unhidden(line) for line in text.splitlines()] or [""]


def _as_json(value: object) -> str:
    """Return JSON in which everything can be seen: in ASCII where something in it hides or runs from right to left."""
    text = json.dumps(value, ensure_ascii=False)
    return text if visible(text, len(text)) == text else json.dumps(value)


def of_plan(plan: str, records: Sequence[Record]) -> Iterator[str]:
    """Yield what a plan is called, what was decided about it, and its steps with their ids and what became of each."""
    by_change: dict[str, list[Record]] = {}
    for record in records:
        by_change.setdefault(record.change, []).append(record)
    named = next((name_of(record) for record in records if record.kind == "asked"), "")
    yield f"{plan}: {shown(named)}" if named else plan
    width = max(len(change) for change in by_change)
    for change, of_change in sorted(by_change.items(), key=lambda item: item[1][0].seq):
        step = of_change[0].fields.get("step") is not None
        what = shown(thing_of(of_change[0])) if step else shown(f"about the whole plan{_message(of_change)}")
        yield f"  {change.ljust(width)}  {_fate(of_change):<15}  {what}"


def _message(records: Sequence[Record]) -> str:
    told = next((record.fields.get("message") for record in reversed(records) if record.kind == "refused"), None)
    return f": {told}" if told else ""


def _fate(records: Sequence[Record]) -> str:
    """Return what became of a change, in a word or two."""
    last = records[-1]
    said = last.fields.get("outcome") if last.kind == "outcome" else last.fields.get("decision")
    return shown(said) if said else {"sending": "being sent"}.get(last.kind, last.kind)


def next_of(name: str, records: Sequence[Record]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what can be done next, and the words of the command for it."""
    plan = plan_meant(name, [*records])
    step = next((record.change for record in records if record.fields.get("step") is not None), None)
    if plan not in {None, name}:
        yield "See its steps with", ("journal", "show", str(plan))
    elif plan is not None and step is not None:
        yield "See all of a step with", ("journal", "show", step)
    made = [record for record in records if record.kind == "outcome" and record.fields.get("outcome") == "done"]
    if made:
        yield "Undo what was made with", ("journal", "undo", plan or name)
