"""This installation's command, what a child process is given, and that nothing else starts one."""

import ast
import os
import shlex
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

import admin_mcp
from admin_mcp.installation import child_environment, command, command_line, program, python, start_child

PACKAGE = Path(admin_mcp.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_the_command_is_this_python_by_its_full_path_isolated() -> None:
    assert command()[:2] == [sys.executable, "-I"]
    assert shlex.split(command_line("approvals", "approve", "a b"))[-3:] == ["approvals", "approve", "a b"]


def test_a_relative_program_is_made_absolute_and_a_virtual_environments_link_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", "python")
    assert python() == [str(tmp_path / "python"), "-I"]


@pytest.mark.parametrize("unknown", ["", None])
def test_a_python_inside_another_program_starts_nothing(unknown: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", unknown)
    with pytest.raises(OSError, match="does not know its own program"):
        command()


def test_the_packages_name_is_enough_where_python_finds_it_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(PACKAGE.parent)])
    assert program() == ["-m", "admin_mcp"]


def test_elsewhere_it_is_the_path_and_runs_that_very_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `pip install --user` and `--target` leave it: an isolated Python does not look there."""
    monkeypatch.setattr(site, "getsitepackages", list)
    assert program() == [str(PACKAGE / "__main__.py")]
    copy = tmp_path / "packages" / "admin_mcp"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "__init__.py").write_text('__version__ = "9.9"\n', "utf-8")
    words = [*python(), str(copy / "__main__.py"), "--version"]
    done = subprocess.run(words, capture_output=True, check=True, text=True, cwd=tmp_path)
    assert done.stdout == "openai-admin-mcp, version 9.9\n"


@pytest.mark.parametrize("name", ["OPENAI_ADMIN_KEY", "openai_admin_key", "Openai_Admin_Key", "OPENAI_ADMIN_\u212aEY"])
def test_a_child_is_not_given_the_key_however_the_settings_would_find_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "sk-admin-secret")
    assert "sk-admin-secret" not in child_environment().values()


def test_a_child_is_given_no_relative_path_and_nothing_that_steers_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", str(tmp_path), "bin", "../bin", "/usr/bin"]))
    for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("BROWSER", "/usr/bin/firefox")
    given = child_environment()
    assert given["PATH"] == os.pathsep.join([str(tmp_path), "/usr/bin"])
    assert [name for name in given if name.startswith("PYTHON")] == []
    assert given["BROWSER"] == "/usr/bin/firefox"


def test_a_child_works_in_the_directory_it_is_given(tmp_path: Path) -> None:
    child = start_child(["-c", "open('here', 'w').close()"], tmp_path)
    assert child.wait(60) == 0
    assert (tmp_path / "here").exists()


STARTERS = {"subprocess", "webbrowser", "multiprocessing", "pty", "asyncio.subprocess"}
STARTING = {"system", "popen", "startfile", "run_process", "open_process", "create_subprocess_exec"}


def starts_processes(module: Path) -> list[str]:
    """Name what in a module could start a process. `Popen` alone is a type."""
    found = []
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name in STARTERS]
        elif isinstance(node, ast.ImportFrom) and node.module in STARTERS:
            found += [alias.name for alias in node.names if alias.name != "Popen"]
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found += [called] if called in {*STARTING, "Popen"} or called.startswith(("exec", "spawn", "fork")) else []
    return found


def test_one_module_alone_starts_processes() -> None:
    allowed = {"exec_module", "execute", "executemany", "executescript"}
    starting = {
        str(module.relative_to(PACKAGE)): found
        for module in MODULES
        if (found := [name for name in starts_processes(module) if name not in allowed])
    }
    assert starting == {"installation.py": ["subprocess", "Popen"]}


def test_the_demos_server_is_started_with_the_same_command_and_environment() -> None:
    """The SDK's client starts it, as it must own the pipes."""
    (call,) = (
        node
        for node in ast.walk(ast.parse((PACKAGE / "cli" / "demo.py").read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "StdioServerParameters"
    )
    given = {word.arg: ast.unparse(word.value) for word in call.keywords}
    assert (given["env"], given["cwd"]) == ("child_environment()", "directory")
