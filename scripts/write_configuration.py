"""Prints docs/configuration.md, made from the settings, the toolsets and the sample policy: ``make catalog``."""

from typing import get_args

from admin_mcp.cli.tool_pages import cost
from admin_mcp.gate.policy_file import sample_policy
from admin_mcp.settings import FLAGS, Settings, variable
from admin_mcp.tools.definitions import every_definition
from admin_mcp.tools.search import search_tools
from admin_mcp.tools.selection import Selection
from admin_mcp.tools.toolsets import PRESETS

NO_DEFAULT = {
    "admin_key": "none",
    "config": "none",
    "approval_wait": "45 or 4",
    "state_dir": "the platform's place for state",
}


def value(name: str) -> str:
    """Return what a setting may be, and its default, in words."""
    field = Settings.model_fields[name]
    choices = ", ".join(f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str))
    if field.annotation is bool:
        choices = "`1`, `0`"
    default = NO_DEFAULT.get(name) or (
        f"`{int(field.default)}`" if isinstance(field.default, bool) else f"`{field.default}`"
    )
    return (f"{choices}; " if choices else "") + ("empty" if default == "``" else default)


def row(name: str) -> str:
    """Return a setting as a row of the table."""
    flag = f"`--{name.replace('_', '-')}`" if name in FLAGS else ""
    return f"| `{variable(name)}` | {flag} | {value(name)} | {Settings.model_fields[name].description} |"


def page() -> str:
    """Return the whole page."""
    tools = every_definition()
    settings = "\n".join(map(row, Settings.model_fields))
    presets = "\n".join(preset(name, globs) for name, globs in PRESETS.items())
    return f"""\
# Configuration

<!-- Made by `make catalog` from the settings themselves; edit those. -->

Each setting is an environment variable, and most are flags as well; a flag wins. Flags stand before the command
(`openai-admin-mcp --toolsets people doctor`). No `.env` file and nothing in the working directory is read. A wrong
setting ends every command with exit code 2 and names the setting. Exit codes: 0 done, 1 failure, 2 wrong settings or
usage, 3 something that `--fail-on` names was found.

| Variable | Flag | Values; default | Meaning |
|---|---|---|---|
{settings}

`openai-admin-mcp doctor` shows what the settings come to.

For programs, with the same exit codes: `doctor --json` prints `well` and `findings` (each with a `level`, `ok`, `note`
or `fail`, `what` and `detail`), and without a HOST also `hosts`; `policy check --json` prints `rules` in order,
`otherwise`, `guardrails` and `warnings`; `policy explain --json` the deciding `rule` and those `passed_over`. An
`outcome` is `allowed`, `refused` or `asked`, as the `approval` mode has it.

With the usual settings and no journal yet, what a host asks first (`initialize`, the lists) is answered without loading
the server; `ADMIN_MCP_FRONT=0` loads it at the start. Nothing else differs: the answers are the same ones.

## Toolsets

A model pays for each tool it is shown, and some hosts take only so many. Choose with `--toolsets` and `--tools`, and
take away with `--exclude-tools`; what is left out can't be called either. `--read-only` takes away all changes.
A toolset brings along the lists that the ids it takes come from, also those to filter by (`costs` lists the projects
and their keys, for one, so that who spent it has a name), and nothing else from outside; `--tools` brings exactly what
it names. Descriptions name only tools that are there.

| `--toolsets` | Cost | Resources |
|---|---|---|
| `all` (default) | {cost(tools)} | every resource |
| `read` | {cost(Selection("read").of(tools))} | every resource, reading only |
{presets}

A resource is a toolset too: `openai-admin-mcp tools` lists them all with what each costs. Join several with commas.

`--search` shows {cost(search_tools())}, whatever is selected: one finds tools, one describes them, and two
call them, one for reads and one for changes. Policy, previews and approvals are about the tool inside.

## Policy file

Given by its full path. It must be yours, and nobody else may be able to write it. A wrong key, tool or value ends the
start and names its line; so does a project's name or a pattern where its id belongs. `openai-admin-mcp policy init
FILE` writes one to begin with, and `openai-admin-mcp policy check FILE` says what a file comes to. This is what `init`
writes, the same as [config/policy.toml](../config/policy.toml):

```toml
{sample_policy().strip()}
```"""


def preset(name: str, globs: tuple[str, ...]) -> str:
    """Return a preset as a row of the table."""
    tools = Selection(name).of(every_definition())
    return f"| `{name}` | {cost(tools)} | {', '.join(f'`{glob}`' for glob in globs)} |"


if __name__ == "__main__":
    print(page())
