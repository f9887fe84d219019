"""What people install, installed: wheel and source distribution in clean environments, the bundle through uv."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from admin_mcp import __version__
from tests.interop.test_clients import BIN, FRAMEWORKS, NAMES
from tests.test_hostile_directory import Workspace

ROOT = Path(__file__).parents[2]
MCPB = ROOT / "scripts" / "mcpb" / "node_modules" / ".bin" / "mcpb"
UV = ROOT / ".venv-tools" / "bin" / "uv"
pytestmark = pytest.mark.anyio


def run(*words: str | Path, **more: str) -> str:
    environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": os.environ["HOME"], **PIP, **more}
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


PIP = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
PIP |= {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}  # pip trusts the system's certificates by itself, uv when told


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("dist")
    run(FRAMEWORKS, "-m", "build", "--outdir", directory, ROOT)
    return directory


def package_in(directory: Path, kind: str) -> Path:
    (package,) = directory.glob(f"*{kind}")
    return package


def run_uv(*words: str | Path, home: Path) -> None:
    """Run what needs uv, and through it the package index."""
    environment = {**PIP, "PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, text=True, env=environment)
    if "Failed to fetch" in done.stderr:
        pytest.skip("uv reaches no package index from here")
    assert done.returncode == 0, done.stderr


def build_bundle(directory: Path) -> None:
    run_uv(sys.executable, ROOT / "scripts" / "build_bundle.py", directory, UV, home=directory.parent)


def prepare(uv: str, home: Path) -> None:
    """Let uv make the bundle's environment from its lock, which must fit, as a host's first start does."""
    run_uv(uv, "sync", "--quiet", "--locked", "--no-dev", "--directory", home / "installed", home=home)


async def tools_of(program: str, arguments: list[str], env: dict[str, str], cwd: Path | None = None) -> list[str]:
    """The tools a stdio session lists, after one read."""
    server = StdioServerParameters(command=program, args=arguments, env=env, cwd=cwd)
    with open(os.devnull, "w", encoding="utf-8") as quiet:  # noqa: ASYNC230, PTH123 - opening the null device can't block
        async with Client(stdio_client(server, errlog=quiet)) as client:
            read: Any = await client.call_tool("list_users", {})
            assert read.structured_content["data"]
            return [tool.name for tool in (await client.list_tools()).tools]


@pytest.mark.parametrize("kind", [".whl", ".tar.gz"])
async def test_a_clean_environment_has_all_it_needs(kind: str, built: Path, tmp_path: Path) -> None:
    package = package_in(built, kind)
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    binary = tmp_path / "venv" / "bin"
    run(binary / "python", "-m", "pip", "install", "--quiet", package)
    program, home = binary / "openai-admin-mcp", {"HOME": str(tmp_path)}
    assert run(program, "--version") == f"openai-admin-mcp, version {__version__}\n"
    assert "FAIL" not in run(program, "doctor", "--sandbox", **home)
    shown = run(program, "install", "claude-desktop", "--dry-run", **home)
    assert str(binary / "python") in shown
    assert "nothing was written" in shown
    assert await tools_of(str(program), ["--sandbox"], home) == NAMES


def test_the_packages_hold_what_belongs_to_them(built: Path) -> None:
    names = zipfile.ZipFile(package_in(built, ".whl")).namelist()
    assert {
        "admin_mcp/catalog/tools.json",
        "admin_mcp/gate/policy.toml",
        "admin_mcp/channels/page.css",
        "admin_mcp/py.typed",
    } <= set(names)
    assert all(name.startswith(("admin_mcp/", f"openai_admin_mcp-{__version__}.dist-info/")) for name in names)
    with tarfile.open(package_in(built, ".tar.gz")) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "Makefile", "config/policy.toml", "tests/server/test_app.py"} <= inside
    assert not any("node_modules" in name or ".venv" in name for name in inside)


async def test_the_bundle_is_valid_unpacks_and_runs_as_a_host_would_start_it(tmp_path: Path) -> None:
    build_bundle(tmp_path / "contents")
    run(MCPB, "validate", tmp_path / "contents" / "manifest.json")
    run(MCPB, "pack", tmp_path / "contents", tmp_path / "admin.mcpb")
    run(MCPB, "unpack", tmp_path / "admin.mcpb", tmp_path / "installed")
    assert (tmp_path / "installed" / "uv.lock").read_bytes() == (tmp_path / "contents" / "uv.lock").read_bytes()
    manifest = json.loads((tmp_path / "installed" / "manifest.json").read_text("utf-8"))
    assert manifest["user_config"]["admin_key"]["sensitive"] is True
    assert manifest["version"] == __version__
    assert [tool["name"] for tool in manifest["tools"]] == NAMES
    launch = manifest["server"]["mcp_config"]
    chosen = {name: str(option["default"]).lower() for name, option in manifest["user_config"].items()}
    words = {f"${{user_config.{name}}}": value for name, value in {**chosen, "sandbox": "true"}.items()}
    environment = {name: words[value] for name, value in launch["env"].items()}
    arguments = [argument.replace("${__dirname}", str(tmp_path / "installed")) for argument in launch["args"]]
    uv = str(Path(FRAMEWORKS).with_name(launch["command"]))
    prepare(uv, tmp_path)
    workspace = Workspace(tmp_path)
    given = {**PIP, **environment, "HOME": str(tmp_path), "PYTHONPATH": "."}
    assert await tools_of(uv, arguments, given, workspace.path) == NAMES
    assert workspace.sprung == []
