"""What the policy and the guardrails say of a call, and how a change is shown: all that is found out by reading."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from admin_mcp.api.connection import Read
from admin_mcp.api.request import WireRequest
from admin_mcp.catalog import Catalog
from admin_mcp.endpoints.base import Endpoint, EndpointSpec
from admin_mcp.endpoints.schema import Json
from admin_mcp.errors import CallError, NotFound, Permission, PolicyDenied
from admin_mcp.gate.before_image import before_image, reads_for_undo
from admin_mcp.gate.effects import effects_of
from admin_mcp.gate.guardrails import GuardrailChecks
from admin_mcp.gate.policy import READS, Effects, Policy, Verdict
from admin_mcp.gate.preview import Preview, build_preview
from admin_mcp.gate.projects import named_projects, projects_of, projects_read
from admin_mcp.gate.reads import tells_project
from admin_mcp.gate.refusals import policy_denial
from admin_mcp.gate.snapshot import PERSON, Lookup, Snapshot
from admin_mcp.gate.target_reader import TargetReader
from admin_mcp.settings import Target


@dataclass(frozen=True, slots=True)
class Change:
    """One change on its way through the gate; ``key`` is its request's digest."""

    call: Endpoint
    wire: WireRequest
    key: str

    @property
    def spec(self) -> EndpointSpec:
        """The facts of its endpoint."""
        return type(self.call).SPEC

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self.spec.name

    @property
    def request(self) -> str:
        """Method and target, as in the request line."""
        return f"{self.wire.method} {self.wire.target}"


class Assessment:
    """What judging and showing take. ``read`` sends a read of the gate's own.

    ``key`` returns the admin key in use; ``owners_lock`` names a file that all servers of this key share.
    """

    def __init__(
        self,
        *,
        policy: Policy,
        catalog: Catalog,
        target: Target,
        read: Read,
        key: Callable[[], SecretStr | None],
        owners_lock: Callable[[], Path],
    ) -> None:
        self.policy = policy
        self.catalog = catalog
        self.target = target
        self.guardrails = GuardrailChecks(policy.guardrails, catalog, read, key=key, lock=owners_lock)
        self._targets = TargetReader(catalog, read)
        self._read = read
        self._key = key
        self._owners_lock = owners_lock

    @property
    def read(self) -> Read:
        """How it reads."""
        return self._read

    def reading(self, read: Read) -> "Assessment":
        """Return the same over another way to read."""
        return Assessment(
            policy=self.policy,
            catalog=self.catalog,
            target=self.target,
            read=read,
            key=self._key,
            owners_lock=self._owners_lock,
        )

    def require_readable(self, call: Endpoint, projects: Collection[str] | None = None) -> None:
        """Return if the model may make a read that is about these projects: without them, those that it names.

        Raises:
            PolicyDenied: names the rule.

        """
        spec = type(call).SPEC
        verdict = self.policy.decide(spec.name, READS, named_projects(call) if projects is None else projects)
        if verdict.decision == "deny":
            raise policy_denial(spec.name, verdict)

    def require_tellable(self, call: Endpoint, answer: Json) -> None:
        """Return if what a read answered may be passed on, now that it tells which project it is about.

        Raises:
            PolicyDenied: names the rule.

        """
        if PERSON not in type(call).SPEC.path_fields and not isinstance(answer.get("data"), list):
            self.require_readable(call, named_projects(call) | projects_of(answer))

    def may_tell(self, call: Endpoint, answer: Json | None = None) -> bool:
        """Whether the model could make this read by itself, and would be given this answer."""
        try:
            self.require_readable(call)
            if answer is not None:
                self.require_tellable(call, answer)
        except PolicyDenied:
            return False
        return True

    async def snapshot(self, call: Endpoint, *, hide: bool = False) -> Snapshot:
        """Read the present state of all that a change is about.

        Raises:
            CallError: a read failed, but for 403, which is shown.

        """
        return await self._targets.snapshot(call, self.may_tell, hide=hide)

    async def preview(self, change: Change, *, hide: bool = False) -> Preview:
        """Read the present state and put the change into words; with ``hide`` only what the model may be told."""
        return self.shown(change, await self.snapshot(change.call, hide=hide))

    def shown(self, change: Change, seen: Snapshot) -> Preview:
        """Put a change into words."""
        return build_preview(change.call, change.wire, seen, catalog=self.catalog, target=self.target.label)

    async def image(self, change: Change, seen: Snapshot | None) -> Json:
        """Return what the journal keeps of the state that a change replaces, so that it can be undone.

        ``seen`` is what was read of the target at the last look, if it was. What can't be read is said instead.
        """
        try:
            found = seen or await self.snapshot(change.call)
            more = await self.lookups(change.call)
        except CallError as error:
            return {"not_kept": f"the state before it could not be read ({error.kind})"}
        return before_image(change.call, found, more, self.catalog)

    async def lookups(self, call: Endpoint) -> dict[str, Lookup]:
        """Return what else has to be known to undo a call.

        Raises:
            CallError: it can't be read.

        """
        reads = reads_for_undo(call, self.catalog)
        return {label: await self._lookup(read) for label, read in reads.items()}

    async def _lookup(self, call: Endpoint) -> Lookup:
        try:
            return await self._read(call)
        except NotFound:
            return "absent"
        except Permission:
            return "unreadable"

    async def judged(self, change: Change) -> Verdict:
        """Return the policy's verdict on what the call does. Its target is read only where that matters."""
        verdict = self._judged_unread(change)
        return self.judged_seen(change, await self.snapshot(change.call)) if verdict is None else verdict

    def _judged_unread(self, change: Change) -> Verdict | None:
        """Return the verdict if it is the same whatever is there, or None."""
        tool, named = change.tool, named_projects(change.call)
        verdicts = {self.policy.decide(tool, effects, named) for effects in _possible(change)}
        return verdicts.pop() if len(verdicts) == 1 and self._project_rule(change) is None else None

    def judged_seen(self, change: Change, seen: Snapshot) -> Verdict:
        """Return the verdict on a change whose target was read."""
        rule = self._project_rule(change)
        if rule is not None and seen.state == "unreadable":
            return Verdict("deny", f"{rule}: whose project this is can't be read with this key")
        projects = named_projects(change.call) | projects_read(seen)
        return self.policy.decide(change.tool, effects_of(change.call, seen), projects)

    def _project_rule(self, change: Change) -> str | None:
        """Return the name of the rule that refuses the change if its target is in one of the rule's projects."""
        if not tells_project(change.call, self.catalog):
            return None
        rule = self.policy.project_denial(change.tool, _possible(change))
        return rule.name if rule else None


def _possible(change: Change) -> set[Effects]:
    return {frozenset([change.spec.effect]), effects_of(change.call)}


def arguments_of(call: Endpoint) -> Json:
    """Return a call's arguments, as they are asked about and kept."""
    return call.model_dump(mode="json", exclude_unset=True)
