"""The program's start, as ``openai-admin-mcp``, as ``python -m admin_mcp``, and as this file's path.

Before anything else is imported it settles where modules come from; so what is imported here is part of every Python
that runs, and can't be looked up elsewhere.
"""

import gc
import os
import site
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib is not loaded yet


def main() -> None:
    """Run the command line."""
    try:
        _run()
    except KeyboardInterrupt:  # while modules are loaded: what is loaded sees to it itself
        sys.exit(130)


def _run() -> None:
    _leave_out_relative()
    _find_package()
    # Importing makes much and drops nothing: looking for garbage meanwhile takes a tenth of the start.
    gc.disable()
    from admin_mcp import __version__  # noqa: PLC0415 - only now is it certain which one
    from admin_mcp.server.front import serve_front  # noqa: PLC0415

    handed = serve_front(sys.argv[1:], __version__)
    from admin_mcp.cli.main import main as command  # noqa: PLC0415

    gc.enable()
    command(prog_name="openai-admin-mcp", obj=handed)


def _leave_out_relative() -> None:
    """Take the directories off the search path that PYTHONPATH names by a relative path."""
    given = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    relative = [entry for entry in given.split(os.pathsep) if not os.path.isabs(entry)] if given else []  # noqa: PTH117
    if not relative:
        return
    wrong = {os.path.abspath(entry) for entry in relative}  # noqa: PTH100 - as Python itself has made them absolute
    sys.path[:] = [entry for entry in sys.path if entry not in wrong]
    sys.stderr.write(
        "openai-admin-mcp: WARNING: PYTHONPATH has relative entries. They are left out here, but Python may have run "
        "code of the working directory before this program began: take them out of PYTHONPATH.\n"
    )


def _find_package() -> None:
    """Have this file's package found, and what was installed beside it, where it was started by its path."""
    if __name__ == "__main__" and not sys.flags.safe_path:
        del sys.path[0]  # the working directory, or the inside of this package
    if _ROOT in sys.path:
        return
    end = len(sys.path)
    site.addsitedir(_ROOT)
    added = sys.path[end:]
    del sys.path[end:]
    first = min((sys.path.index(entry) for entry in site.getsitepackages() if entry in sys.path), default=end)
    sys.path[first:first] = added


if __name__ == "__main__":
    main()
