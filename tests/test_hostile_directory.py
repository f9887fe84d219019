"""A working directory full of traps, and a shell whose paths lead there: no process of this project steps into one."""

import ast
import html
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from admin_mcp.channels.page_process import LOCK_NAME
from admin_mcp.channels.page_server import PageServer
from admin_mcp.cli.host_table import HOSTS
from admin_mcp.cli.main import main
from admin_mcp.cli.snippets import words_of
from admin_mcp.installation import command
from admin_mcp.private_files import FileLock
from tests.gate.questions import Clock, question, records
from tests.platforms import needs_file_modes
from tests.sessions import KEY

pytestmark = needs_file_modes

SECONDS = 60.0
BUILD_BUNDLE = Path(__file__).parents[1] / "scripts" / "build_bundle.py"
PACKAGES = ("admin_mcp", "encodings", "mcp", "anyio", "starlette", "pydantic")
MODULES = {
    *sys.stdlib_module_names,
    *("sitecustomize", "usercustomize", "startup"),
    *("click", "uvicorn", "h11", "httptools", "uvloop", "httpx", "httpcore", "certifi", "idna", "sniffio"),
    *("mcp_types", "pydantic_settings", "pydantic_core", "dotenv", "platformdirs", "cryptography", "typing_extensions"),
}
PROGRAMS = (
    *("python", "python3", "openai-admin-mcp", "env", "uname", "evil"),
    *("xdg-open", "xdg-settings", "gio", "x-www-browser", "www-browser", "sensible-browser", "firefox", "chromium"),
)


class Workspace:
    """The directory. Every import and every program in it leaves a mark; ``sprung`` names those that did."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "workspace"
        self.state = directory / "state"
        self.opened = directory / "opened"
        self._marks = directory / "marks"
        self._marks.mkdir()
        self.path.mkdir()
        for name in MODULES - set(PACKAGES):
            self.module(self.path / f"{name}.py")
        for name in PACKAGES:
            self.module(self.path / name / "__init__.py")
        for name in PROGRAMS:
            self._program(name)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        site = self.path / "lib" / version / "site-packages" / "trap.pth"
        site.parent.mkdir(parents=True)
        site.write_text(f"{self._leave('user-site')}\n", "utf-8")
        self.browser = directory / "browser.py"
        self.browser.write_text(f"import sys\nopen({str(self.opened)!r}, 'a').write(sys.argv[1] + '\\n')\n", "utf-8")

    def _leave(self, name: str) -> str:
        return f"import posix; posix.close(posix.open({str(self._marks / name)!r}, posix.O_CREAT))"  # before `open` is

    def module(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{self._leave(path.parent.name + '.' + path.stem)}\nraise ImportError('a trap')\n", "utf-8")

    def _program(self, name: str) -> None:
        path = self.path / name
        path = path.with_name(f"{name}-program") if path.exists() else path
        path.write_text(f"#!/bin/sh\n: > {shlex.quote(str(self._marks / name))}\nexit 1\n", "utf-8")
        path.chmod(0o755)

    def keep(self, names: set[str]) -> None:
        """Take all traps away but the modules of these names."""
        for path in self.path.iterdir():
            if path.stem in names:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    @property
    def sprung(self) -> list[str]:
        return sorted(path.name for path in self._marks.iterdir())

    def environment(self, shell: Mapping[str, str]) -> dict[str, str]:
        browser = f"{sys.executable} {self.browser} %s"
        return {
            **os.environ,
            "ADMIN_MCP_STATE_DIR": str(self.state),
            "ADMIN_MCP_OPEN_BROWSER": "1",
            "ADMIN_MCP_DESKTOP_NOTIFICATIONS": "0",
            "ADMIN_MCP_APPROVAL_WAIT": "0",
            "DISPLAY": ":99",
            **shell,
            "BROWSER": f"{shell['BROWSER']}{os.pathsep}{browser}" if "BROWSER" in shell else browser,
        }

    def start(self, words: Sequence[str], shell: Mapping[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            words,
            cwd=self.path,
            env=self.environment(shell),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, words: Sequence[str], shell: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        with self.start(words, shell) as process:
            out, err = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def page(self, number: int) -> str:
        """Wait for the n-th file that the browser was given, follow the link in it, and return the page's text."""
        deadline = time.monotonic() + SECONDS
        while not self.opened.exists() or len(self.opened.read_text("utf-8").split()) < number:
            assert time.monotonic() < deadline, f"no page was opened; sprung: {self.sprung}"
            time.sleep(0.05)
        file = Path(self.opened.read_text("utf-8").split()[number - 1].removeprefix("file://"))
        address = html.unescape(file.read_text("utf-8").partition("url=")[2].partition('"')[0])
        with httpx.Client(trust_env=False) as browser:
            forward = re.search(r'<a href="([^"]+)"', browser.get(address).text)
            assert forward
            return browser.get(str(httpx.URL(address).join(html.unescape(forward[1])))).text

    def end(self) -> None:
        """Take the state away, which ends the process that serves the pages."""
        if not self.state.exists():
            return
        shutil.rmtree(self.state / "run", ignore_errors=True)
        for path in self.state.glob("gate.sqlite3*"):
            path.unlink()
        lock = FileLock(self.state / LOCK_NAME)
        lock.acquire(SECONDS)
        lock.release()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path)
    yield made
    made.end()


SHELLS: dict[str, dict[str, str]] = {
    "plain": {},
    "relative": {
        "PYTHONPATH": f".{os.pathsep}",
        "PYTHONSTARTUP": "startup.py",
        "PYTHONUSERBASE": ".",
        "PYTHONPYCACHEPREFIX": ".",
        "PATH": f".{os.pathsep}{os.pathsep}{os.environ['PATH']}",
        "BROWSER": f"evil %s{os.pathsep}./evil %s",
    },
    "empty": {"PYTHONPATH": ""},
    "another home": {"PYTHONHOME": ".", "PYTHONPLATLIBDIR": "lib"},
}
shells = pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)


class Server:
    """An MCP session, line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
        self._request("initialize", hello)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        result: dict[str, Any] = self._request("tools/call", {"name": tool, "arguments": arguments})
        content: dict[str, Any] = result["structuredContent"]
        return content

    def _send(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _request(self, method: str, params: Mapping[str, object]) -> Any:
        self._send({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read() if self._process.stderr else ""
        return json.loads(line)["result"]


@shells
def test_server_page_opener_and_the_hints_command_take_nothing_from_it(
    shell: dict[str, str], workspace: Workspace
) -> None:
    with workspace.start([*command(), "--sandbox", "--approval", "local"], shell) as process:
        server = Server(process)
        role = next(role["id"] for role in server.call("list_roles")["data"] if not role["predefined_role"])
        error = server.call("update_role", role_id=role, description="new")["error"]
        assert "Change role" in workspace.page(1)
        process.communicate(timeout=SECONDS)
    hinted = shlex.split(re.search(r"run (.*) \(deny", error["hint"])[1])  # type: ignore[index]  # the hint has one
    refused = workspace.run(hinted, shell)
    assert "approving needs a person at a terminal" in refused.stderr
    with workspace.start([*command(), "approvals", "open", hinted[-1]], shell) as process:
        assert "Change role" in workspace.page(2)
        assert workspace.run([*hinted[:-2], "deny", hinted[-1]], shell).returncode == 0
        out, err = process.communicate(timeout=SECONDS)
    assert "It is rejected." in out, err
    assert workspace.sprung == []


@pytest.mark.parametrize("shell", [SHELLS["plain"], SHELLS["relative"]], ids=["plain", "relative"])
def test_sandbox_demo_and_doctor_take_nothing_from_it(shell: dict[str, str], workspace: Workspace) -> None:
    with workspace.start([*command(), "sandbox"], shell) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        assert httpx.get(f"{address}/organization/users", trust_env=False).status_code == 401
        process.terminate()
        process.communicate(timeout=SECONDS)
    told = workspace.run([*command(), "demo"], shell)
    assert "exactly one change was made" in told.stdout, told.stderr
    found = workspace.run([*command(), "--sandbox", "doctor"], shell)
    assert found.returncode == 0, found.stdout + found.stderr
    assert workspace.sprung == []


def printed(host: str) -> list[str]:
    """The words that a host's snippet starts the sandbox's server with."""
    out = CliRunner().invoke(main, ["--sandbox", "config", host]).stdout
    if out.startswith("{") or host == "codex":
        found = tomllib.loads(out) if host == "codex" else json.loads(out)
        (entry,) = next(iter(servers for name, servers in found.items() if name != "inputs")).values()
        return words_of(entry)
    if host == "goose":
        before, _, after = out.partition("    args:\n")
        named = re.search(r"^    cmd: (.*)$", before, re.MULTILINE)
        assert named
        return [json.loads(each) for each in (named[1], *re.findall(r"^      - (.*)$", after, re.MULTILINE))]
    program = re.search(r"""command(?:_or_url)?"?[:=] ?(".*"),""", out)
    arguments = re.search(r"""args"?[:=] ?(\[.*\]),""", out)
    assert program
    assert arguments
    return [ast.literal_eval(program[1]), *ast.literal_eval(arguments[1])]


@pytest.mark.parametrize("host", HOSTS)
def test_what_config_prints_takes_nothing_from_it(host: str, workspace: Workspace) -> None:
    for shell in (SHELLS["plain"], SHELLS["relative"]):
        served = workspace.run(printed(host), shell)
        assert served.returncode == 0
        assert "the sandbox" in served.stderr
    assert workspace.sprung == []


def test_what_install_writes_is_what_config_prints(tmp_path: Path) -> None:
    file = tmp_path / "claude_desktop_config.json"
    CliRunner().invoke(main, ["--sandbox", "install", "claude-desktop", "--yes", "--file", str(file)])
    (entry,) = json.loads(file.read_text("utf-8"))["mcpServers"].values()
    assert [entry["command"], *entry["args"]] == printed("claude-desktop")


def test_what_the_bundle_has_uv_run_takes_nothing_from_it(workspace: Workspace, tmp_path: Path) -> None:
    """uv itself goes to the bundle's own directory first; from there on it is the Python of its environment."""
    subprocess.run([sys.executable, str(BUILD_BUNDLE), str(tmp_path / "bundle")], check=True)
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text("utf-8"))
    arguments: list[str] = manifest["server"]["mcp_config"]["args"]
    assert arguments[arguments.index("--directory") + 1] == "${__dirname}"
    words = [sys.executable, *arguments[arguments.index("python") + 1 :], "--sandbox"]
    for shell in (SHELLS["plain"], SHELLS["relative"]):
        served = workspace.run(words, shell)
        assert "the sandbox" in served.stderr
    assert workspace.sprung == []


CONSOLE_SCRIPT = Path(sys.executable).with_name("openai-admin-mcp")

needs_console_script = pytest.mark.skipif(
    not CONSOLE_SCRIPT.exists(), reason="the console script is missing beside this interpreter: pip install -e ."
)


@needs_console_script
def test_the_command_as_typed_takes_nothing_from_it(workspace: Workspace) -> None:
    found = workspace.run([str(CONSOLE_SCRIPT), "--sandbox", "doctor"], SHELLS["plain"])
    assert found.returncode == 0, found.stdout + found.stderr
    assert workspace.sprung == []


@needs_console_script
def test_the_command_as_typed_leaves_relative_entries_out_and_says_so(workspace: Workspace) -> None:
    """What Python itself and the script's own first lines import is out of its hands: those traps are taken away."""
    workspace.keep({"click", "uvicorn", "anyio", "starlette", "platformdirs", "sqlite3", "webbrowser", "httpx"})
    found = workspace.run([str(CONSOLE_SCRIPT), "--sandbox", "doctor"], SHELLS["relative"])
    assert found.returncode == 0, found.stdout + found.stderr
    assert "WARNING: PYTHONPATH has relative entries" in found.stderr
    assert workspace.sprung == []


@pytest.mark.parametrize("words", [["-c", "import click"], ["-m", "admin_mcp"], ["-P", "-c", "import sys"]])
def test_the_traps_go_off_under_a_python_that_looks_there(words: list[str], workspace: Workspace) -> None:
    workspace.run([sys.executable, *words], SHELLS["relative"])
    assert workspace.sprung != []


@pytest.mark.skipif(sys.platform != "linux", reason="a browser that is looked up in PATH is missing on this platform")
def test_a_browser_is_not_looked_up_on_a_relative_path(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(workspace.browser))} "$1"\n'
    (programs / "xdg-open").write_text(script, "utf-8")
    (programs / "xdg-open").chmod(0o755)
    for name, value in {"PATH": f".{os.pathsep}{os.pathsep}{programs}", "DISPLAY": ":99"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("BROWSER", raising=False)
    monkeypatch.chdir(workspace.path)
    kept = records(workspace.state, Clock())
    approval = kept.approvals.open(question(), "local")[0]
    page = PageServer(kept.approvals, kept.plans, workspace.state, Clock())
    page.start()
    try:
        page.open_browser(approval.id)
        assert "Delete role" in workspace.page(1)
        assert page._opener
        page._opener.wait(SECONDS)
    finally:
        page.stop()
    assert workspace.sprung == []


@pytest.mark.parametrize("name", ["OPENAI_ADMIN_KEY", "openai_admin_key", "OpenAI_Admin_Key"])
def test_the_opener_is_not_given_the_key_however_it_is_spelled(
    name: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.browser.write_text(f"import os\nopen({str(workspace.opened)!r}, 'w').write(repr(dict(os.environ)))\n")
    monkeypatch.setenv(name, KEY)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {workspace.browser} %s")
    kept = records(workspace.state, Clock())
    page = PageServer(kept.approvals, kept.plans, workspace.state, Clock())
    try:
        page.open_browser(kept.approvals.open(question(), "local")[0].id)
        deadline = time.monotonic() + SECONDS
        while not (workspace.opened.exists() and workspace.opened.read_text("utf-8")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert page._opener
        page._opener.wait(SECONDS)
    finally:
        page.stop()
    assert KEY not in workspace.opened.read_text("utf-8")
