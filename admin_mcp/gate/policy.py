"""Which calls may pass, which need a person, which are refused. Pure; the rules stand in one ordered list.

The first rule that matches decides. Reads pass, changes need a person; read-only refuses changes before all else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from admin_mcp.endpoint import Spec

Decision = Literal["allow", "confirm", "deny"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says about a call, and the rule that says it."""

    decision: Decision
    rule: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the policy."""

    name: str
    decision: Decision
    matches: Callable[[Spec], bool]


READ_ONLY = Rule("read-only: this server was started to read only", "deny", lambda spec: spec.mutates)
DEFAULT_RULES = (
    Rule("default: reads are allowed", "allow", lambda spec: not spec.mutates),
    Rule("default: changes need a person's approval", "confirm", lambda spec: spec.mutates),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """An ordered list of rules. A call that no rule matches is refused."""

    rules: tuple[Rule, ...] = DEFAULT_RULES

    @classmethod
    def standard(cls, *, read_only: bool) -> "Policy":
        """Return the built-in policy."""
        return cls((READ_ONLY, *DEFAULT_RULES) if read_only else DEFAULT_RULES)

    def decide(self, spec: Spec) -> Verdict:
        """Return the verdict of the first rule that matches."""
        for rule in self.rules:
            if rule.matches(spec):
                return Verdict(rule.decision, rule.name)
        return Verdict("deny", "no rule matches")
