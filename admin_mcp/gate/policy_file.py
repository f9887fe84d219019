"""Reads the operator's policy file: TOML -> rules and guardrails, or one error that names the line and the key.

``policy.toml`` beside this module is the sample to start from.
"""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from admin_mcp.endpoints.base import Effect
from admin_mcp.errors import SettingsError
from admin_mcp.gate.policy import CHANGES, READS, RISKY, Decision, Effects, Guardrails, Rule
from admin_mcp.gate.webhook import MOMENTS, Moment, Webhook
from admin_mcp.settings import is_loopback

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROJECT_ID = re.compile(r"proj_[A-Za-z0-9_\-.:~]+")

_Some = Annotated[list[str], Field(min_length=1)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    decision: Decision
    name: str | None = None
    tools: _Some | None = None
    effects: Annotated[list[Effect], Field(min_length=1)] | None = None
    project_ids: _Some | None = None
    channel: Literal["elicit", "local"] | None = None
    plan_steps: Annotated[int, Field(ge=1, le=50)] | None = None
    reason: bool | None = None


class _Guardrails(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    last_owner: bool = True
    own_key: bool = True


class _Notify(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    url: Annotated[str, Field(max_length=2048)]
    secret_env: str
    on: Annotated[list[Moment], Field(min_length=1)] | None = None
    effects: Annotated[list[Effect], Field(min_length=1)] | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    rules: list[_Rule] = []
    guardrails: _Guardrails = _Guardrails()
    notify: Annotated[list[_Notify], Field(max_length=10)] = []


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What a policy file says."""

    rules: tuple[Rule, ...] = ()
    guardrails: Guardrails = field(default_factory=Guardrails)
    webhooks: tuple[Webhook, ...] = ()


def read_policy_file(path: Path, effects: Mapping[str, Effect]) -> PolicyFile:
    """Read and check a policy file. ``effects`` has every tool's effect.

    Raises:
        SettingsError: what is wrong with it, and where.

    """
    text = _read(path)
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not only its own: numbers and nesting have Python's bounds
        raise SettingsError(f"{path}: not TOML: {error}") from None
    try:
        parsed = _File.model_validate(value)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(path, text, item["loc"], item) for item in error.errors())) from None
    rules = tuple(_rule(path, text, number, rule, effects) for number, rule in enumerate(parsed.rules))
    webhooks = tuple(_webhook(path, text, number, notify) for number, notify in enumerate(parsed.notify))
    return PolicyFile(rules, Guardrails(**parsed.guardrails.model_dump()), webhooks)


def sample_policy() -> str:
    """Return the commented sample, a policy file as it stands."""
    return resources.files(__package__).joinpath("policy.toml").read_text("utf-8")


def risky_allowances(rules: Sequence[Rule], possible: Mapping[str, Collection[Effects]]) -> dict[str, list[str]]:
    """Return, for each rule that lets grants or destruction pass unasked, the tools it does that for.

    ``possible`` has, by tool, what each of its calls may do.
    """
    found = {
        rule.name: [
            tool
            for tool, each in possible.items()
            if any(effects & RISKY and rule.mismatch(tool, effects, rule.project_ids or ()) is None for effects in each)
        ]
        for rule in rules
        if rule.decision == "allow"
    }
    return {name: tools for name, tools in found.items() if tools}


def _read(path: Path) -> str:
    try:
        found = path.stat()
        if os.name == "posix" and (stat.S_IMODE(found.st_mode) & 0o022 or found.st_uid not in {0, os.geteuid()}):
            raise SettingsError(
                f"{path}: other users can write this file, so it is not read; own it yourself and run chmod go-w {path}"
            )
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: the policy file can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: the policy file is not UTF-8 text") from None


def _rule(path: Path, text: str, number: int, rule: _Rule, tools: Mapping[str, Effect]) -> Rule:
    for glob in rule.tools or ():
        if not any(fnmatchcase(tool, glob) for tool in tools):
            near = difflib.get_close_matches(glob, tools, n=1)
            line = _line(text, ("rules", number, "tools"))
            raise SettingsError(
                f"{path}, line {line}: tools: no tool fits {glob!r}" + (f"; did you mean {near[0]}?" if near else "")
            )
    for project in rule.project_ids or ():
        if not _PROJECT_ID.fullmatch(project):
            line = _line(text, ("rules", number, "project_ids"))
            raise SettingsError(
                f"{path}, line {line}: project_ids: {project!r} is no project's id, and neither a name nor a pattern "
                "fits any call; give the id, which begins with proj_ (list_projects shows it)"
            )
    if rule.channel and rule.decision != "confirm":
        line = _line(text, ("rules", number, "channel"))
        raise SettingsError(f'{path}, line {line}: channel: only a rule with decision = "confirm" has a channel')
    if rule.reason and (senseless := _senseless_reason(rule, tools)):
        raise SettingsError(f"{path}, line {_line(text, ('rules', number, 'reason'))}: reason: {senseless}")
    place = f"{path.name} line {_line(text, ('rules', number))}"
    return Rule(
        name=f"{rule.name} ({place})" if rule.name else f"rule {number + 1} ({place})",
        decision=rule.decision,
        tools=tuple(rule.tools or ["*"]),
        effects=frozenset(rule.effects) if rule.effects else READS | CHANGES,
        project_ids=frozenset(rule.project_ids) if rule.project_ids else None,
        channel=rule.channel,
        steps=rule.plan_steps,
        reason=bool(rule.reason),
    )


def _webhook(path: Path, text: str, number: int, notify: _Notify) -> Webhook:
    wrong = {"url": _unusable_url(notify.url), "secret_env": _unusable_variable(notify.secret_env)}
    for key, problem in wrong.items():
        if problem:
            raise SettingsError(f"{path}, line {_line(text, ('notify', number, key))}: {key}: {problem}")
    return Webhook(
        url=notify.url,
        host=str(urlsplit(notify.url).hostname),
        secret_env=notify.secret_env,
        place=f"{path.name} line {_line(text, ('notify', number))}",
        on=frozenset(notify.on) if notify.on else MOMENTS,
        effects=frozenset(notify.effects) if notify.effects else None,
    )


def _unusable_url(url: str) -> str | None:
    """Say what is wrong with a webhook's address, without repeating it: it may be a secret."""
    import httpx  # noqa: PLC0415 - most files name no webhook

    try:
        parts = urlsplit(str(httpx.URL(url)) and url)
        host, _ = parts.hostname, parts.port
    except (ValueError, httpx.InvalidURL):
        return "is no URL; give one such as https://example.com/hook"
    if not host or parts.scheme not in {"https", "http"} or not (url.isascii() and url.isprintable()) or " " in url:
        return "must be an https:// URL such as https://example.com/hook"
    if parts.scheme == "http" and not is_loopback(host):
        return "plain http is only for loopback addresses; use https://"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "must have no user, password or fragment in it; the receiver checks the signature instead"
    return None


def _unusable_variable(name: str) -> str | None:
    if not _VARIABLE.fullmatch(name):
        return "must be the name of an environment variable that has the secret, such as NOTIFY_SECRET, not the secret"
    if name.upper() == "OPENAI_ADMIN_KEY":
        return "is the admin key's; make another secret, which the receiver may know"
    return None


def _senseless_reason(rule: _Rule, tools: Mapping[str, Effect]) -> str | None:
    """Say why nobody could ever be asked for a reason by this rule, or return None."""
    if rule.decision != "confirm":
        return 'only a rule with decision = "confirm" can demand one: nobody is asked by any other'
    fitting = {effect for tool, effect in tools.items() if any(fnmatchcase(tool, glob) for glob in rule.tools or ["*"])}
    if (rule.effects and READS.issuperset(rule.effects)) or READS.issuperset(fitting):
        return "the rule is about reads alone, and nobody is asked about those"
    return None


_KNOWN_KEYS: dict[tuple[str, ...], type[BaseModel]] = {
    (): _File,
    ("rules",): _Rule,
    ("guardrails",): _Guardrails,
    ("notify",): _Notify,
}


def _explain(path: Path, text: str, place: tuple[int | str, ...], item: Mapping[str, object]) -> str:
    names = [str(part) for part in place if isinstance(part, str)]
    problem = str(item["msg"])
    if item["type"] == "extra_forbidden":
        model = _KNOWN_KEYS.get(tuple(names[:-1]))
        known = list(model.model_fields) if model else []
        problem = f"no such key; the keys here are {', '.join(known)}"
    elif item["type"] == "missing":
        problem = "is missing"
    return f"{path}, line {_line(text, place)}: {names[-1] if names else 'file'}: {problem}"


def _line(text: str, place: tuple[int | str, ...]) -> int:
    """Return the line of a key, or of the table it should be in; TOML's parser keeps no lines."""
    lines = text.splitlines()
    start = 0
    if place and place[0] in {"rules", "notify"} and len(place) > 1 and isinstance(place[1], int):
        header = re.compile(rf"\s*\[\[\s*{place[0]}\s*\]\]")
        headers = [number for number, line in enumerate(lines) if header.match(line)]
        start = headers[place[1]] if place[1] < len(headers) else 0
    elif place and place[0] == "guardrails":
        start = next((number for number, line in enumerate(lines) if re.match(r"\s*\[\s*guardrails", line)), 0)
    key = next((part for part in reversed(place) if isinstance(part, str)), "")
    pattern = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*(=|\]|\.)")
    for number in range(start, len(lines)):
        if pattern.match(lines[number]):
            return number + 1
        if number > start and lines[number].lstrip().startswith("["):
            break
    return start + 1
