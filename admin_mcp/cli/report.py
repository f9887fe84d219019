"""``report``: the reports in a terminal or a file, with the key alone and without a model."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from admin_mcp.cli.options import settings_of, storage_of
from admin_mcp.cli.reading import FOUND, explained, installed, put, require_place

if TYPE_CHECKING:
    from admin_mcp.cli.report_view import View
    from admin_mcp.endpoints.schema import Json
    from admin_mcp.jobs.base import Report
    from admin_mcp.jobs.reader import Reader

REPORTS: Final = {
    "access": "review_access",
    "keys": "review_keys",
    "spend": "report_spend",
    "activity": "report_activity",
    "settings": "review_settings",
}
"""The commands, and the jobs behind them."""

_FORMATS: Final = ("table", "json", "csv", "md", "html")
_NARROWING: Final = ("project", "group", "person", "permission")
_BY_ENDING: Final = {"": "table", "txt": "table", "htm": "html", **{name: name for name in _FORMATS if name != "table"}}
_PYGAL: Final = "pygal>=3.1,<4"

_IN_SHORT = {
    "access": "Who may do what, and through what.",
    "keys": "All API keys: owner gone, unused, old, no expiry.",
    "spend": "Spend by project, person or model, and its change.",
    "activity": "Who did what to whom, from the audit log.",
    "settings": "The settings of all active projects, side by side.",
}


class _Reports(click.Group):
    """The commands, made of the jobs' inputs when one of them is asked for: a server that starts needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [*REPORTS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        return _command(cmd_name) if cmd_name in REPORTS else None


@click.group(cls=_Reports, short_help="Report on access, keys, spend, activity or settings.")
def report() -> None:
    """Report on access, keys, spend, activity or settings: as a table, a file to keep, or a check that can fail."""


def _command(name: str) -> click.Command:
    from admin_mcp.cli.report_flags import flags_of  # noqa: PLC0415 - each command loads only what it needs
    from admin_mcp.cli.report_views import FINDINGS  # noqa: PLC0415

    job = _job(name)
    shared = [
        click.Option(["--format", "form"], type=click.Choice(_FORMATS), help="Without it: by FILE's ending, or table."),
        click.Option(
            ["-o", "--output"], type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="For you alone."
        ),
        click.Option(
            ["--fail-on"],
            metavar="FINDING[,FINDING]",
            help=f"End with exit code {FOUND} if there is one of these: {', '.join(FINDINGS[name])}.",
        ),
    ]
    return click.Command(
        name,
        params=[*flags_of(job["inputSchema"]), *shared],
        callback=click.pass_context(lambda context, **given: _run(context, name, given)),
        help=job["description"],
        short_help=_IN_SHORT[name],
    )


def _job(name: str) -> "Json":
    from admin_mcp.jobs import compiled_jobs  # noqa: PLC0415

    return next(job for job in compiled_jobs() if job["name"] == REPORTS[name])


def _run(context: click.Context, name: str, given: dict[str, Any]) -> None:
    """Make one report, write it, and end with the exit code that its findings ask for."""
    import anyio  # noqa: PLC0415

    from admin_mcp.cli.report_flags import wanted_findings  # noqa: PLC0415

    output, fail_on = given.pop("output"), given.pop("fail_on")
    form = given.pop("form") or _form_of(output)
    require_place(output)
    arguments = {key: [*value] if isinstance(value, tuple) else value for key, value in given.items() if value}
    with explained():
        wanted = wanted_findings(name, fail_on)
        _require_charts(form)
        view = anyio.run(_read, context, name, arguments, form == "html")
    _write(view, form, output)
    found = view.has(wanted)
    for finding in found:
        click.echo(f"Found: {finding.name} ({finding.count})", err=True)
    if found:
        sys.exit(FOUND)
    if wanted and view.unreadable:
        click.echo("Not all could be read, so something may be missing; --fail-on unreadable fails then.", err=True)


def _form_of(output: Path | None) -> str:
    ending = output.suffix.removeprefix(".").lower() if output else ""
    if ending not in _BY_ENDING:
        known = ", ".join(f".{name}" for name in _BY_ENDING if name)
        raise click.UsageError(f"no format goes with the ending .{ending}: there are {known}; or give --format")
    return _BY_ENDING[ending]


def _require_charts(form: str) -> None:
    from admin_mcp.cli.report_charts import can_draw  # noqa: PLC0415

    if form == "html" and not can_draw():
        from admin_mcp.installation import typed  # noqa: PLC0415

        raise click.ClickException(
            "an HTML report needs the library pygal for its charts (the extra [reports]): install it with "
            f"`{typed(sys.executable, '-m', 'pip', 'install', _PYGAL)}`, or choose another --format"
        )


async def _read(context: click.Context, name: str, arguments: dict[str, Any], pictures: bool) -> "View":
    """Return the report as a view; with ``pictures`` also with what only charts need."""
    from admin_mcp.cli.report_terminal import progress  # noqa: PLC0415
    from admin_mcp.cli.report_views import view_of  # noqa: PLC0415
    from admin_mcp.tools.job_tool import reader, report_job  # noqa: PLC0415

    settings = settings_of(context)
    async with installed(settings, storage_of(context)) as server, progress() as tell:
        reading = reader(server, tell)
        job = report_job(_job(name), arguments, server)
        answer = await _whole(job, reading)
        _require_something(reading)
        more: dict[str, Any] = {}
        if pictures and name == "spend":
            more["days"] = await report_job(_job(name), _by_day(arguments), server).answer(reading)
        if pictures and name == "access" and not any(arguments.get(key) for key in _NARROWING):
            more["matrix"] = await _matrix(reading)
        return view_of(name, answer, settings.target.label, **more)


def _by_day(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "by": "day", "compare": "none", "top": 1000}


async def _whole(job: "Report", reader: "Reader") -> "Json":
    """Return an answer with all its rows: what a model gets in pieces is put together."""
    answer = await job.in_one().answer(reader)
    answer.pop("text", None)
    if hasattr(job, "top") or not hasattr(job, "skip"):
        return answer
    part = answer
    skip = 0
    while "more" in part:
        lists = _lists(part)
        skip += max(len(rows) for rows in lists.values())
        part = await job.model_copy(update={"skip": skip}).answer(reader)
        for key, rows in _lists(part).items():
            answer[key] += rows
    answer.pop("more", None)
    return answer


def _lists(answer: "Json") -> "dict[str, list[Json]]":
    return {key: rows for key, rows in answer.items() if isinstance(rows, list) and key not in _ASIDE}


_ASIDE: Final = frozenset({"findings", "unreadable"})


def _require_something(reader: "Reader") -> None:
    """Fail if nothing at all could be read."""
    if reader.reads == 0 and reader.unread:
        first = reader.unread[0]
        raise click.ClickException(f"nothing could be read. {first.what}: {first.why}")


async def _matrix(reader: "Reader") -> Any:  # noqa: ANN401 - handed on as it is
    from admin_mcp.cli.report_matrix import matrix_of  # noqa: PLC0415
    from admin_mcp.jobs.access import Scope  # noqa: PLC0415
    from admin_mcp.jobs.access_reading import read_access, read_directory  # noqa: PLC0415

    access = await read_directory(reader)  # from memory: the report has just read all of it
    await read_access(reader, access, Scope())
    return matrix_of(access)


def _write(view: "View", form: str, output: Path | None) -> None:
    from admin_mcp.cli import report_terminal, report_text  # noqa: PLC0415

    if form == "table" and output is None:
        report_terminal.print_table(view)
        return
    if form == "html":
        from admin_mcp.cli.report_charts import svg_of  # noqa: PLC0415
        from admin_mcp.cli.report_page import page_of  # noqa: PLC0415

        put(page_of(view, svg_of), output)
        return
    writers = {
        "table": report_terminal.table_text,
        "json": report_text.json_text,
        "csv": report_text.csv_text,
        "md": report_text.markdown_text,
    }
    put(writers[form](view), output)
