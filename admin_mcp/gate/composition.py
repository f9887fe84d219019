"""The policy of one server: the operator's file, what the settings leave out, and the defaults, in their order."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from admin_mcp.endpoints.schema import META_EFFECT, Json
from admin_mcp.gate.effects import possible_effects
from admin_mcp.gate.policy import LEFT_OUT, Effects, Policy, Rule
from admin_mcp.gate.policy_file import PolicyFile, read_policy_file, risky_allowances
from admin_mcp.gate.webhook import SHORTEST_SECRET
from admin_mcp.settings import Settings

_NAMED_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class ComposedPolicy:
    """A policy, and what the operator should be told about it whenever it is used."""

    policy: Policy
    warnings: tuple[str, ...]


def compose_policy(settings: Settings, tools: Sequence[Json], left_out: Mapping[str, Sequence[str]]) -> ComposedPolicy:
    """Return the policy that the settings ask for.

    ``tools`` are all there are, as listed. ``left_out`` has those the selection lacks by where they could be had;
    what ``read_only`` takes away has a rule of its own.

    Raises:
        SettingsError: the policy file can't be used.

    """
    effects = {tool["name"]: tool["_meta"][META_EFFECT] for tool in tools}
    file = read_policy_file(settings.config, effects) if settings.config else PolicyFile()
    missing = (
        Rule(f"{LEFT_OUT}, which is in --toolsets {where}", "deny", tools=tuple(names))
        for where, names in left_out.items()
    )
    policy = Policy.standard(
        read_only=settings.read_only,
        left_out=missing,
        rules=file.rules,
        guardrails=file.guardrails,
        webhooks=file.webhooks,
        excluded=tuple(name for part in settings.exclude_tools.split(",") if (name := part.strip())),
    )
    warnings = (*policy_warnings(file, effects_of_tools(tools)), *_unanswerable(file.rules, settings), *_unsigned(file))
    return ComposedPolicy(policy, warnings)


def _unanswerable(rules: Sequence[Rule], settings: Settings) -> Iterator[str]:
    """Yield which rules demand a reason that nobody can give as this server asks."""
    for rule in rules:
        if rule.reason and rule.channel is None and settings.approval in {"two-step", "none"}:
            yield f"{rule.name} demands a reason, which --approval {settings.approval} can't take: that is all refused."


def _unsigned(file: PolicyFile) -> Iterator[str]:
    """Yield which webhooks are told nothing, for want of a secret to sign with."""
    for webhook in file.webhooks:
        if len(os.environ.get(webhook.secret_env, "")) < SHORTEST_SECRET:
            yield (
                f"{webhook} is told NOTHING: {webhook.secret_env} is not set, or shorter than {SHORTEST_SECRET} "
                "characters, in this server's environment."
            )


def effects_of_tools(tools: Sequence[Json]) -> dict[str, tuple[Effects, ...]]:
    """Return, by tool, what each of its calls may do."""
    return {tool["name"]: possible_effects(tool) for tool in tools}


def policy_warnings(file: PolicyFile, possible: Mapping[str, tuple[Effects, ...]]) -> Iterator[str]:
    """Yield what passes without a person, and which checks are off."""
    for rule, allowed in risky_allowances(file.rules, possible).items():
        yield f"{rule} allows WITHOUT asking anyone: {some(allowed)}"
    for guardrail in ("last_owner", "own_key"):
        if not getattr(file.guardrails, guardrail):
            yield f"the guardrail {guardrail} is switched off."


def some(tools: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = len(tools) - _NAMED_AT_ONCE
    return ", ".join(tools[:_NAMED_AT_ONCE]) + (f" and {more} more" if more > 0 else "")
