"""Which calls may pass, which need a person and through which channel, which are refused. Pure.

The rules stand in one ordered list, and the first that matches decides. Reads pass and changes need a person where no
rule says otherwise; read-only refuses changes before all else.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, get_args

from admin_mcp.endpoints.base import Effect

if TYPE_CHECKING:
    from admin_mcp.gate.webhook import Webhook

Decision = Literal["allow", "confirm", "deny"]
Channel = Literal["elicit", "local", "two-step"]
"""How a person is asked: by a form of the MCP client, on this machine, or by a second tool call with a phrase."""

Effects = frozenset[Effect]
"""All that one call does."""

READS: frozenset[Effect] = frozenset(["read"])
CHANGES: frozenset[Effect] = frozenset(get_args(Effect)) - READS
RISKY: frozenset[Effect] = frozenset(["grant", "destroy"])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says about a call, the rule that says it, and the channel it demands (None: the usual one).

    ``reason``: whoever approves must say why.
    """

    decision: Decision
    rule: str
    channel: Channel | None = None
    reason: bool = False

    @property
    def demanding(self) -> bool:
        """Whether a person must be asked even where the operator wants nobody asked."""
        return self.channel is not None or self.reason


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It matches a call if the tool fits a glob, what the call does is listed and, if given, its project is.

    A call may do several things (an update that makes an owner is a grant as well) and be about several projects. A
    rule that allows must list all of them; any other matches if it lists one. With ``steps`` it is about plans alone,
    those of so many steps or more. With ``reason`` whoever approves must say why.
    """

    name: str
    decision: Decision
    tools: tuple[str, ...] = ("*",)
    effects: frozenset[Effect] = READS | CHANGES
    project_ids: frozenset[str] | None = None
    channel: Channel | None = None
    steps: int | None = None
    reason: bool = False

    def mismatch(
        self, tool: str, effects: Effects, projects: Collection[str], *, steps: int | None = None
    ) -> str | None:
        """Return why the rule does not match, in words, or None if it does.

        ``steps`` is how many a plan has; a rule about plans matches nothing else.
        """
        if self.steps is not None and (steps is None or steps < self.steps):
            return f"it is about plans of {self.steps} steps or more"
        if not any(fnmatchcase(tool, glob) for glob in self.tools):
            return f"{tool} fits none of {', '.join(self.tools)}"
        if foreign := self._unlisted(effects, self.effects):
            return f"{' and '.join(foreign)} is not {' or '.join(sorted(self.effects))}"
        return self._other_project(projects)

    def _other_project(self, projects: Collection[str]) -> str | None:
        """Return why the rule does not fit these projects, or None if it does."""
        if self.project_ids is None:
            return None
        if not projects:
            return "the call names no project"
        if foreign := self._unlisted(projects, self.project_ids):
            return f"project {', '.join(foreign)} is not listed"
        return None

    def _unlisted(self, given: Collection[str], listed: Collection[str]) -> list[str]:
        """Return what keeps the rule from matching: what a rule that allows lacks, or all where none is listed."""
        foreign = sorted(set(given) - set(listed))
        return foreign if self.decision == "allow" or len(foreign) == len(set(given)) else []

    @property
    def verdict(self) -> Verdict:
        """What the rule says of a call it matches."""
        return Verdict(self.decision, self.name, self.channel, self.reason)


READ_ONLY = Rule("read-only: this server was started to read only", "deny", effects=CHANGES)
LEFT_OUT = "selection: this server was started without this tool"
"""How the name of each rule begins that refuses what the selection lacks."""
EXCLUDED = "selection: this server was started with --exclude-tools for this tool"
DEFAULT_RULES = (
    Rule("default: reads are allowed", "allow", effects=READS),
    Rule("default: changes need a person's approval", "confirm", effects=CHANGES),
)


@dataclass(frozen=True, slots=True)
class Guardrails:
    """Checks that hold in every approval mode. Each can be switched off by its name."""

    last_owner: bool = True
    own_key: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """An ordered list of rules, and the guardrails. A call that no rule matches is refused."""

    rules: tuple[Rule, ...] = DEFAULT_RULES
    guardrails: Guardrails = field(default_factory=Guardrails)
    excluded: tuple[str, ...] = ()
    """Globs of the tools that the operator excluded by name, which jobs may not use either."""
    webhooks: "tuple[Webhook, ...]" = ()
    """Who is told of questions."""

    @classmethod
    def standard(
        cls,
        *,
        read_only: bool,
        left_out: Iterable[Rule] = (),
        rules: Iterable[Rule] = (),
        guardrails: Guardrails | None = None,
        excluded: tuple[str, ...] = (),
        webhooks: "tuple[Webhook, ...]" = (),
    ) -> "Policy":
        """Return the operator's rules after what the server was started without, and before the defaults."""
        first = (*([READ_ONLY] if read_only else []), *left_out)
        return cls((*first, *rules, *DEFAULT_RULES), guardrails or Guardrails(), excluded, webhooks)

    def of_jobs(self) -> "Policy":
        """Return the policy for what jobs read: what was not selected may be read, and what was excluded may not."""
        chosen = tuple(rule for rule in self.rules if not rule.name.startswith(LEFT_OUT))
        return replace(self, rules=(Rule(EXCLUDED, "deny", tools=self.excluded), *chosen) if self.excluded else chosen)

    def decide(self, tool: str, effects: Effects, projects: Collection[str], *, steps: int | None = None) -> Verdict:
        """Return the verdict of the first rule that matches.

        ``effects`` is all that the call does, ``projects`` are the ids of those it is about, and ``steps`` how many a
        plan has.
        """
        for rule in self.rules:
            if rule.mismatch(tool, effects, projects, steps=steps) is None:
                return rule.verdict
        return Verdict("deny", "no rule matches")

    def decide_tool(self, tool: str, possible: Collection[Effects]) -> Verdict | None:
        """Return the verdict on a tool whatever its arguments are, or None if they matter.

        ``possible`` has what each of its calls may do.
        """
        found = {self._whatever_project(tool, effects) for effects in possible}
        return found.pop() if len(found) == 1 else None

    def project_denial(self, tool: str, possible: Collection[Effects]) -> Rule | None:
        """Return the first rule that would refuse such a call if it were about one of the rule's projects."""
        for rule in self.rules:
            if rule.decision == "deny" and rule.project_ids is not None:
                if any(rule.mismatch(tool, effects, rule.project_ids) is None for effects in possible):
                    return rule
            elif rule.project_ids is None and all(rule.mismatch(tool, effects, ()) is None for effects in possible):
                return None  # whatever comes after it is never asked
        return None

    def _whatever_project(self, tool: str, effects: Effects) -> Verdict | None:
        for rule in self.rules:
            if rule.project_ids is None:
                if rule.mismatch(tool, effects, ()) is None:
                    return rule.verdict
            elif any(rule.mismatch(tool, effects, {project}) is None for project in rule.project_ids):
                return None
        return Verdict("deny", "no rule matches")
