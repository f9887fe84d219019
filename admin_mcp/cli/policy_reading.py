"""What a policy comes to, as values: its rules in order, and which one decides a call. Pure.

The commands print these in words or, with ``--json``, as they are: their keys are for programs and stay.
"""

from collections.abc import Collection, Iterator, Mapping

from admin_mcp.endpoints.schema import Json
from admin_mcp.gate.composition import some
from admin_mcp.gate.policy import DEFAULT_RULES, LEFT_OUT, Effects, Policy, Rule, Verdict
from admin_mcp.gate.policy_file import PolicyFile
from admin_mcp.gate.webhook import Webhook
from admin_mcp.settings import ApprovalMode


def checked(file: PolicyFile, possible: Mapping[str, tuple[Effects, ...]], mode: ApprovalMode) -> Json:
    """Return what each rule does, in the order they are tried, and what holds where none matches."""
    decided: set[tuple[str, Effects]] = set()
    rules: list[Json] = []
    for rule in file.rules:
        fits = {(tool, effects) for tool, each in possible.items() for effects in each if _fits(rule, tool, effects)}
        tools = [tool for tool in possible if any(tool == fitting for fitting, _ in fits)]
        projects = None if rule.project_ids is None else sorted(rule.project_ids)
        never = bool(fits) and fits <= decided
        about = {"tools": tools, "project_ids": projects, "steps": rule.steps, "never_decides": never}
        rules.append({"rule": rule.name, **_outcome(rule.verdict, mode), **about})
        if rule.project_ids is None:
            decided |= fits
    guardrails = {"last_owner": file.guardrails.last_owner, "own_key": file.guardrails.own_key}
    reads, changes = (_outcome(rule.verdict, mode) for rule in DEFAULT_RULES)
    notified = [_told(webhook) for webhook in file.webhooks]
    rest = {"otherwise": {"reads": reads, "changes": changes}, "guardrails": guardrails, "notified": notified}
    return {"approval": mode, "of_tools": len(possible), "rules": rules, **rest}


def explained(policy: Policy, tool: str, effects: Effects, projects: Collection[str], mode: ApprovalMode) -> Json:
    """Return the rule that decides a call, what comes of it, and why the rules before it don't."""
    passed: list[Json] = []
    verdict: Verdict | None = None
    for rule in policy.rules:
        why = rule.mismatch(tool, effects, projects)
        if why is None:
            verdict = rule.verdict
            break
        if not rule.name.startswith(LEFT_OUT):  # which tools those leave out says nothing about one that is here
            passed.append({"rule": rule.name, "why": why})
    verdict = verdict or policy.decide(tool, effects, projects)
    call = {"tool": tool, "effects": sorted(effects), "project_ids": sorted(projects)}
    asks = verdict.decision == "confirm"
    told = [_told(each) for each in policy.webhooks if asks and (not each.effects or each.effects & effects)]
    outcome = {**_outcome(verdict, mode), "approval": mode, "notified": told}
    return {**call, "rule": verdict.rule, **outcome, "passed_over": passed}


def summary(found: Json) -> Iterator[str]:
    """Say in words what ``checked`` returned."""
    for number, rule in enumerate(found["rules"], start=1):
        yield f"{number}. {rule['rule']}: {meaning(rule, found['approval'])}"
        where = f", in {', '.join(rule['project_ids'])}" if rule["project_ids"] else ""
        named = some(rule["tools"]) or "none has one of these effects"
        yield f"   {len(rule['tools'])} of {found['of_tools']} tools{where}: {named}"
        if rule["never_decides"]:
            yield "   Never decides: the rules before it fit all of these."
    yield f"Otherwise reads are allowed; of a change: {meaning(found['otherwise']['changes'], found['approval'])}."
    switches = ", ".join(f"{name} {'on' if on else 'off'}" for name, on in found["guardrails"].items())
    yield f"Guardrails: {switches}."
    yield from map(notice, found["notified"])


def notice(webhook: Json) -> str:
    """Say who is told of questions, without the address, which may be secret."""
    which = f" that {' or '.join(webhook['effects'])}" if webhook["effects"] else ""
    told = f"Told of each {', '.join(webhook['on'])}{which}: {webhook['webhook']}"
    return f"{told}, signed with the secret in {webhook['secret_env']}."


def meaning(rule: Json, mode: ApprovalMode) -> str:
    """Say in words what comes of a call that this rule decides."""
    if rule["decision"] == "allow":
        return "allowed without asking"
    if rule["decision"] == "deny":
        return "refused"
    why = ", and must say why" if rule["reason"] else ""
    if rule["channel"] is not None:
        return f"a person is asked, through {rule['channel']} only{why}"
    if rule["outcome"] == "refused":
        return f"a person must say why, which --approval {mode} can't take: refused"
    if rule["outcome"] == "allowed":
        return f"would be asked about, but --approval {mode} asks nobody: allowed"
    return f"a person is asked (--approval {mode}){why}"


def _told(webhook: Webhook) -> Json:
    shown = {"webhook": str(webhook), "on": sorted(webhook.on), "effects": sorted(webhook.effects or ())}
    return {**shown, "secret_env": webhook.secret_env}


def _outcome(verdict: Verdict, mode: ApprovalMode) -> Json:
    """Return what a rule says, and what comes of it with this way of asking: allowed, refused or asked."""
    outcome = {"allow": "allowed", "deny": "refused", "confirm": "asked"}[verdict.decision]
    if verdict.decision == "confirm" and verdict.channel is None:
        if verdict.reason and mode in {"two-step", "none"}:
            outcome = "refused"
        elif mode == "none":
            outcome = "allowed"
    return {"decision": verdict.decision, "channel": verdict.channel, "reason": verdict.reason, "outcome": outcome}


def _fits(rule: Rule, tool: str, effects: Effects) -> bool:
    return rule.mismatch(tool, effects, rule.project_ids or ()) is None
