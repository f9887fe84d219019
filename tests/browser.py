"""A real, headless Chromium, driven over the WebDriver protocol."""

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--window-size=900,1100",
)

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="chromium and chromedriver are missing (apt install chromium-driver)"
)


class Element:
    def __init__(self, browser: "Browser", reference: str) -> None:
        self._browser = browser
        self._path = f"element/{reference}"

    def click(self) -> None:
        self._browser.command("POST", f"{self._path}/click", {})

    def type(self, text: str) -> None:
        self._browser.command("POST", f"{self._path}/value", {"text": text})

    @property
    def text(self) -> str:
        return str(self._browser.command("GET", f"{self._path}/text"))

    @property
    def role(self) -> str:
        return str(self._browser.command("GET", f"{self._path}/computedrole"))

    @property
    def label(self) -> str:
        return str(self._browser.command("GET", f"{self._path}/computedlabel"))


class Browser:
    def __init__(self, http: httpx.Client, profile: Path) -> None:
        self._http = http
        self._session = ""
        options = {"binary": CHROMIUM, "args": [*_ARGUMENTS, f"--user-data-dir={profile}"]}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        made = self._http.post("/session", json=wanted).raise_for_status().json()
        self._session = made["value"]["sessionId"]

    def command(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.request(method, f"/session/{self._session}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def end(self) -> None:
        self._http.delete(f"/session/{self._session}")

    def open(self, address: str) -> None:
        self.command("POST", "url", {"url": address})

    @property
    def address(self) -> str:
        return str(self.command("GET", "url"))

    @property
    def text(self) -> str:
        return self._shown()

    @property
    def source(self) -> str:
        return str(self.command("GET", "source"))

    def find(self, selector: str) -> Element:
        found = self.command("POST", "element", {"using": "css selector", "value": selector})
        return Element(self, found[_ELEMENT])

    def focused(self) -> Element:
        return Element(self, self.command("GET", "element/active")[_ELEMENT])

    def press(self, *keys: str) -> None:
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.command("POST", "actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def wait_for(self, text: str, seconds: float = 20.0) -> str:
        """Return the page's text once it contains this one."""
        deadline = time.monotonic() + seconds
        while True:
            shown = self._shown()
            if text in shown:
                return shown
            assert time.monotonic() < deadline, f"no {text!r} on the page: {shown}"
            time.sleep(0.05)

    def _shown(self) -> str:
        return str(self.run("return document.body ? document.body.innerText : ''"))

    def run(self, script: str) -> Any:
        """Run JavaScript in the page, and return what it returns."""
        return self.command("POST", "execute/sync", {"script": script, "args": []})

    def resize(self, width: int, height: int) -> None:
        """Give the page a window of this size, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": size}
        self.command("POST", "goog/cdp/execute", command)

    def prefer(self, scheme: str) -> None:
        """Have pages believe that the person likes them ``light`` or ``dark``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command(
            "POST", "goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        )

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("GET", "screenshot")))


@contextmanager
def chromium(directory: Path) -> Iterator[Browser]:
    """Start a driver and a browser with an empty profile, and end both."""
    assert DRIVER is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    driver = subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as http:
            _until_ready(http)
            browser = Browser(http, directory / "profile")
            try:
                yield browser
            finally:
                browser.end()
    finally:
        driver.terminate()
        driver.wait()


def _until_ready(http: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if http.get("/status").json()["value"]["ready"]:
                return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "chromedriver did not start"
        time.sleep(0.05)
