"""``plans``: make, look at, strike out, export and apply plans in a terminal."""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from admin_mcp.cli.folding import folded
from admin_mcp.cli.hints import explained
from admin_mcp.cli.options import json_option, line_for, settings_of, storage_of
from admin_mcp.cli.times import utc_time
from admin_mcp.errors import CallError

if TYPE_CHECKING:
    from admin_mcp.gate.plan import Plan
    from admin_mcp.gate.plans import Progress
    from admin_mcp.gate.storage import GateStorage
    from admin_mcp.settings import Settings
    from admin_mcp.tools.plan_tools import PlanChanges, Planner

_FORMATS = click.Choice(["text", "md", "json"])
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
    with explained(context):
        rows = [
            {
                "id": plan.id,
                "made_at": utc_time(plan.made),
                "state": state_of(plan, storage.plans.progress(plan)),
                "risk": risk_of([effect for step in plan.live for effect in step.effects]),
                "title": plan.title,
                "what": f"{plan.called}: {totals(plan.live)}",
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
        # A given title stands in quotation marks there, so that it can't seem to be the mark of a system.
        Column("What", lambda row: marked(row["what"], row["target"])),
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
    if form != "text":
        click.echo(_written(context, plan_id, form))
        return
    click.echo(folded(_written(context, plan_id, form)))
    _put_next(context, plan_id)


@plans.command(short_help="Write a plan to a file, to be reviewed.")
@click.argument("plan_id", metavar="ID")
@click.option("--format", "form", type=_FORMATS, default="json", help="As JSON, Markdown or text.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file; without it, the screen.")
@click.pass_context
def export(context: click.Context, /, plan_id: str, form: str, output: Path | None) -> None:
    """Write a plan to a file, to be reviewed; as JSON it can be made again with `plans make`."""
    text = _written(context, plan_id, form)
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

    with explained(context, plan_id):
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


@plans.command(short_help="Make a plan that undoes what was made of a plan.")
@click.argument("plan_id", metavar="ID")
@click.pass_context
def undo(context: click.Context, /, plan_id: str) -> None:
    """Make a plan that undoes what was made of the plan ID, as `journal undo` does. Sends nothing."""
    make_undo(context, plan_id)


def make_undo(context: click.Context, name: str) -> None:
    """Make a plan that undoes one change, or what was made of a plan, and show it."""

    async def made(planner: "Planner") -> "Plan":
        return await planner.undo_of(name)

    _make(context, made, name)


def _make(context: click.Context, made: Callable[["Planner"], Awaitable["Plan"]], about: str = "ID") -> None:
    """Keep the plan that is made, show it, and say how it is applied."""
    import anyio  # noqa: PLC0415

    async def kept() -> "Plan":
        async with _planner(settings_of(context), storage_of(context)) as planner:
            plan = await made(planner)
            planner.gate.storage.plans.save(plan)
            return plan

    with explained(context, about):
        plan = anyio.run(kept)
    click.echo(folded(_written(context, plan.id, "text")))
    _put_next(context, plan.id)


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
        click.echo(folded(f"[{int(done) + 1}/{int(total or 0)}] {message}"))

    async def applied() -> None:
        async with _planner(settings_of(context), storage_of(context)) as planner:
            approvals = planner.gate.storage.approvals
            here = TerminalChannel(approvals, lambda text: click.echo(folded(text)), _prompted)
            done = await PlanApplying(planner.gate, planner.api).apply(plan_id, here, report, lambda: None)
            if done.stopped is not None:
                raise done.stopped

    try:
        with explained(context, plan_id):
            anyio.run(applied)
    finally:
        if storage_of(context).database.exists:
            _put_states(context, plan_id)


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


def _written(context: click.Context, plan_id: str, form: str) -> str:
    """Return a plan as text, Markdown or JSON."""
    from admin_mcp.cli import plan_texts  # noqa: PLC0415

    plan, progress = _found(context, plan_id)
    match form:
        case "json":
            return plan_texts.as_json(plan)
        case "md":
            return plan_texts.as_markdown(plan, progress)
        case _:
            return plan_texts.as_text(plan, progress)


def _put_states(context: click.Context, plan_id: str) -> None:
    """Print how far each step has come, and what can be done about it."""
    from admin_mcp.cli.plan_texts import states  # noqa: PLC0415

    plan, progress = _found(context, plan_id)
    click.echo(folded(states(plan, progress)))
    _put_next(context, plan_id)


def _put_next(context: click.Context, plan_id: str) -> None:
    """Print which commands a plan can be applied or undone with, as it stands now."""
    from admin_mcp.cli.plan_texts import left_to_do  # noqa: PLC0415

    plan, progress = _found(context, plan_id)
    lines = []
    if left_to_do(plan, progress) and not storage_of(context).plans.expired(plan):
        lines.append(f"Apply it with: {line_for(context, 'plans', 'apply', plan.id)}")
    if any(each.state == "done" for each in progress.values()):
        lines.append(f"Undo what was made with: {line_for(context, 'journal', 'undo', plan.id)}")
    if lines:
        click.echo("\n" + "\n".join(lines))


def _found(context: click.Context, plan_id: str) -> "tuple[Plan, Mapping[int, Progress]]":
    storage = storage_of(context)
    with explained(context, plan_id):
        plan = storage.plans.get(plan_id)
        return plan, storage.plans.progress(plan)
