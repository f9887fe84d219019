"""``plans``: make, look at, strike out, export and apply plans in a terminal."""

import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from admin_mcp.cli.options import json_option, settings_of, storage_of
from admin_mcp.cli.times import utc_time
from admin_mcp.errors import CallError
from admin_mcp.gate.text import quoted, visible

if TYPE_CHECKING:
    from admin_mcp.gate.plan import Plan
    from admin_mcp.gate.plans import Progress
    from admin_mcp.gate.storage import GateStorage
    from admin_mcp.settings import Settings
    from admin_mcp.tools.plan_tools import PlanChanges, Planner

_FORMATS = click.Choice(["text", "md", "json"])
_COMMANDS = {
    "list_plans": "`plans list`",
    "get_plan": "`plans show`",
    "apply_plan": "`plans apply`",
    "list_changes": "`journal list`",
}
"""What does at a terminal what a hint would have a model do with a tool."""

_TOOLS = re.compile(rf"\b({'|'.join(_COMMANDS)})\b")
_SHAPE = '{"title": "...", "steps": [{"tool": "...", "arguments": {...}, "why": "..."}]}'


@click.group()
def plans() -> None:
    """Make, look at and apply plans: many changes, one approval."""


@plans.command("list")
@json_option
@click.pass_context
def list_all(context: click.Context, /, *, as_json: bool) -> None:
    """List the plans of the last month, the newest first."""
    from admin_mcp.cli.systems import marked  # noqa: PLC0415
    from admin_mcp.cli.tables import Column, field, moment, print_list  # noqa: PLC0415
    from admin_mcp.gate.plan_preview import risk_of, totals  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.tools.plan_tools import state_of  # noqa: PLC0415

    storage = storage_of(context)
    with _explained():
        rows = [
            {
                "id": plan.id,
                "made_at": utc_time(plan.made),
                "state": state_of(plan, storage.plans.progress(plan)),
                "risk": risk_of([effect for step in plan.live for effect in step.effects]),
                "title": plan.title,
                "steps": len(plan.live),
                "totals": totals(plan.live),
                "target": plan.target,
            }
            for plan in (storage.plans.all() if storage.database.exists else [])
        ]
    columns = (
        Column("ID", field("id")),
        moment("Made", "made_at"),
        Column("State", field("state")),
        Column("Risk", field("risk")),
        # The title is its maker's words: in quotation marks it can't seem to be the mark of a system.
        Column("What", lambda row: marked(f"{quoted(row['title'])}: {row['totals']}", row["target"])),
    )
    if rows or as_json:
        print_list(columns, rows, json=as_json)
    if not rows:
        click.echo(f"No plans in {storage.database.directory}.", err=True)


@plans.command()
@click.argument("plan_id", metavar="ID")
@click.option("--format", "form", type=_FORMATS, default="text", help="As text, Markdown, or JSON.")
@click.pass_context
def show(context: click.Context, /, plan_id: str, form: str) -> None:
    """Show one plan whole, and how far each step has come."""
    click.echo(_written(storage_of(context), plan_id, form))


@plans.command(short_help="Write a plan to a file, to be reviewed.")
@click.argument("plan_id", metavar="ID")
@click.option("--format", "form", type=_FORMATS, default="json", help="As JSON, Markdown or text.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file; without it, the screen.")
@click.pass_context
def export(context: click.Context, /, plan_id: str, form: str, output: Path | None) -> None:
    """Write a plan to a file, to be reviewed; as JSON it can be made again with `plans make`."""
    text = _written(storage_of(context), plan_id, form)
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {output}.")


@plans.command()
@click.argument("plan_id", metavar="ID")
@click.argument("numbers", metavar="STEP...", type=int, nargs=-1, required=True)
@click.pass_context
def strike(context: click.Context, /, plan_id: str, numbers: tuple[int, ...]) -> None:
    """Strike steps out of a plan that is not approved yet. What waits for approval is the smaller plan from then on."""
    from admin_mcp.gate.plan_preview import totals  # noqa: PLC0415

    with _explained():
        smaller = storage_of(context).plans.strike(plan_id, numbers, via="terminal")
    click.echo(f"Struck out. What is left of {smaller.id}: {totals(smaller.live)}.")


@plans.command(short_help="Make a plan from a JSON file.")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def make(context: click.Context, /, file: Path) -> None:
    """Make a plan from a JSON FILE: {"title": "...", "steps": [{"tool": "...", "arguments": {...}}]}. Sends nothing."""
    given = _read(file)

    async def made(planner: "Planner") -> "Plan":
        return await planner.making.made(given.title, given.steps)

    _make(context, made)


def make_undo(context: click.Context, change: str) -> None:
    """Make a plan that undoes one change, and show it."""
    from admin_mcp.gate.undoing import Undoing  # noqa: PLC0415

    async def made(planner: "Planner") -> "Plan":
        undone = await Undoing(planner.gate).of_change(change)
        return await planner.making.made(f"Undo {change}", undone.steps, undone.notes)

    _make(context, made)


def _make(context: click.Context, made: Callable[["Planner"], Awaitable["Plan"]]) -> None:
    """Keep the plan that is made, show it, and say how it is applied."""
    import anyio  # noqa: PLC0415

    async def kept() -> "Plan":
        async with _planner(settings_of(context), storage_of(context)) as planner:
            plan = await made(planner)
            planner.gate.storage.plans.save(plan)
            return plan

    with _explained():
        plan = anyio.run(kept)
    click.echo(_written(storage_of(context), plan.id, "text"))
    click.echo(f"\nApply it with: openai-admin-mcp plans apply {plan.id}")


@plans.command(short_help="Approve a plan in this terminal and send its steps.")
@click.argument("plan_id", metavar="ID")
@click.pass_context
def apply(context: click.Context, /, plan_id: str) -> None:
    """Apply a plan from this terminal: shows it whole, has you type what approves it, and sends its steps in order."""
    import anyio  # noqa: PLC0415

    from admin_mcp.channels.terminal import TerminalChannel  # noqa: PLC0415
    from admin_mcp.gate.plan_applying import PlanApplying  # noqa: PLC0415

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.ClickException("applying needs a person at a terminal: run it yourself in a terminal")

    async def report(done: float, total: float | None, message: str) -> None:
        click.echo(f"[{int(done) + 1}/{int(total or 0)}] {message}")

    async def applied() -> None:
        async with _planner(settings_of(context), storage_of(context)) as planner:
            approvals = planner.gate.storage.approvals
            here = TerminalChannel(approvals, click.echo, _prompted)
            done = await PlanApplying(planner.gate, planner.api).apply(plan_id, here, report, lambda: None)
            if done.stopped is not None:
                raise done.stopped

    try:
        with _explained():
            anyio.run(applied)
    finally:
        if storage_of(context).database.exists:
            click.echo(_states(storage_of(context), plan_id))


def _prompted(text: str) -> str:
    """Return what was typed. Ctrl-C ends it at once: the event loop's own handler would wait for the line's end."""
    import signal  # noqa: PLC0415

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer: str = click.prompt(f"\n{text}", default="", show_default=False)
    except click.Abort:
        click.echo()  # what is told next begins a line of its own
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    return answer


@asynccontextmanager
async def _planner(settings: "Settings", storage: "GateStorage") -> "AsyncIterator[Planner]":
    """Yield what makes and applies plans, as a server with these settings would."""
    import time  # noqa: PLC0415

    from admin_mcp.api.connection import connected  # noqa: PLC0415
    from admin_mcp.catalog import compiled_catalog  # noqa: PLC0415
    from admin_mcp.cli.policy import operator_policy  # noqa: PLC0415
    from admin_mcp.gate.gate import open_gate  # noqa: PLC0415
    from admin_mcp.tools.plan_tools import Planner  # noqa: PLC0415

    catalog = compiled_catalog()
    async with connected(settings, catalog) as api:
        yield Planner(open_gate(settings, operator_policy(settings), catalog, api, storage), api, time.time)


def _read(file: Path) -> "PlanChanges":
    """Return what a file asks for, checked as the same arguments of the tool would be."""
    from admin_mcp.endpoints.arguments import parse_arguments  # noqa: PLC0415
    from admin_mcp.tools.plan_tools import PlanChanges  # noqa: PLC0415

    try:
        value = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise click.ClickException(f"{file} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"{file} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.ClickException(f"{file}: it must hold one object: {_SHAPE}")
    try:
        return parse_arguments(PlanChanges, value)
    except CallError as error:
        raise click.ClickException(f"{file}: {error.message}. It must hold {_SHAPE}") from None


def _written(storage: "GateStorage", plan_id: str, form: str) -> str:
    """Return a plan as text, Markdown or JSON."""
    from admin_mcp.gate.plan_preview import plan_preview  # noqa: PLC0415

    with _explained():
        plan = storage.plans.get(plan_id)
        progress = storage.plans.progress(plan)
    if form == "json":
        return json.dumps(_exported(plan), indent=2, ensure_ascii=False)
    if form == "md":
        return "\n".join(_markdown(plan, progress))
    return f"{plan_preview(plan).text}\n\n{_states_of(plan, progress)}"


def _exported(plan: "Plan") -> dict[str, Any]:
    """Return what makes the same plan again. Steps count from 1 there, so what refers to one has its new number."""
    from admin_mcp.gate.plan import renumbered  # noqa: PLC0415

    numbers = {step.number: number for number, step in enumerate(plan.live, 1)}
    steps = [
        {"tool": step.tool, "arguments": renumbered(step.arguments, numbers), "why": step.why} for step in plan.live
    ]
    return {"title": plan.title, "steps": steps}


def _markdown(plan: "Plan", progress: "Mapping[int, Progress]") -> Iterator[str]:
    from admin_mcp.gate.plan_preview import mark, risk_of, totals  # noqa: PLC0415

    yield from (f"# {_as_text(visible(plan.title))}", "", f"{totals(plan.live)}. In: {_as_text(plan.target)}.", "")
    yield from ("| Step | | What it does | Request | State |", "|---|---|---|---|---|")
    for step in plan.steps:
        cells = (_as_text(step.preview.title), _as_code(step.preview.request), _as_text(progress[step.number].state))
        yield f"| {step.number} | {mark(risk_of(step.effects))} | {' | '.join(cells)} |"
    for note in plan.notes:
        yield from ("", f"- {_as_text(visible(note, 1000))}")


def _as_text(text: str) -> str:
    """Return Markdown that shows just this: a name from the API must be no link, image or heading there."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", text)


def _as_code(text: str) -> str:
    """Return Markdown, for a cell of a table, that shows this as code."""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    padded = f" {text} " if "`" in text else text
    return f"{fence}{padded}{fence}".replace("|", "\\|")


def _states(storage: "GateStorage", plan_id: str) -> str:
    with _explained():
        plan = storage.plans.get(plan_id)
        return _states_of(plan, storage.plans.progress(plan))


def _states_of(plan: "Plan", progress: "Mapping[int, Progress]") -> str:
    """Return how far each step has come, a line each, in the order in which they are sent."""
    lines = []
    for step in plan.steps:
        each = progress[step.number]
        told = f": {visible(each.message, 500)}" if each.message and each.state != "done" else ""
        lines.append(f"{step.number:>3}. {each.state:<15} {step.preview.title}{told}")
    return "\n".join(lines)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except CallError as error:
        told = _TOOLS.sub(lambda found: _COMMANDS[found[0]], error.told_to_operator)
        raise click.ClickException(told) from None
