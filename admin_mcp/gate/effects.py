"""What a call really does, judged from the call and what was read: an update that makes an owner is a grant. Pure.

Where something can't be told it counts as the graver.
"""

import json
from collections.abc import Iterator

from admin_mcp.endpoints.base import Effect, Endpoint
from admin_mcp.endpoints.schema import META_EFFECT, META_ENDPOINT, Json
from admin_mcp.gate.snapshot import Lookup, Snapshot, body_of, name_of

_RANKS = {"none": 0, "reader": 1, "member": 1}
_OWNER_RANK = 3
"""What a role counts that is an owner's, or that is not known to be less."""

_HARMLESS_ENDINGS = (".read", ".request")
_READING_ONLY = frozenset({"api.all.read"})
_TRUST = frozenset({"attribute_matchers", "attribute_transformations", "audience", "enabled", "issuer", "verification"})
"""What decides which outside workloads are let in."""

_LIFETIME = "expires_in_seconds"
"""A key's new life counts from now, and nothing here knows what time it is: it may be longer than the old one."""

_TRUSTING = "workload_identity_providers"
_UNKNOWN = Snapshot(None, None, {})


def effect_of(call: Endpoint, seen: Snapshot | None = None) -> Effect:
    """Return what a call does; without ``seen`` as it may be at the worst."""
    spec = type(call).SPEC
    if spec.effect not in {"create", "update"}:
        return spec.effect
    seen = seen or _UNKNOWN
    return "grant" if raises_power(call, seen) or _gives_more(call, seen) else spec.effect


def effects_of(call: Endpoint, seen: Snapshot | None = None) -> frozenset[Effect]:
    """Return all that a call does: what its endpoint does, and what it comes to."""
    return frozenset([type(call).SPEC.effect, effect_of(call, seen)])


def possible_effects(tool: Json) -> tuple[frozenset[Effect], ...]:
    """Return what the calls of a tool, given as it is listed, may do, each as ``effects_of`` would say it."""
    effect: Effect = tool["_meta"][META_EFFECT]
    ordinary = frozenset[Effect]([effect])
    return (ordinary, ordinary | {"grant"}) if _may_grant(tool, effect) else (ordinary,)


def _may_grant(tool: Json, effect: Effect) -> bool:
    if effect not in {"create", "update"}:
        return False
    fields = set(tool["inputSchema"].get("properties", {}))
    gives = fields & {"role", "role_id"} or (effect == "update" and fields & {"permissions", "scopes", _LIFETIME})
    return _TRUSTING in tool["_meta"].get(META_ENDPOINT, "") or bool(gives)


def raises_power(call: Endpoint, seen: Snapshot) -> bool:
    """Whether somebody, or something outside, can do more afterwards than an ordinary member or reader may."""
    spec = type(call).SPEC
    if spec.effect == "destroy" or not spec.mutates:
        return False
    body = body_of(call)
    if _TRUSTING in spec.path:
        return any(_opens(name, value, seen) for name, value in body.items())
    if seen.roles is not None:
        return True  # whatever it carries in the organization: in projects it may be owner, which it can't tell
    if any(_is_role(name) and powerful(found) for name, found in seen.names.items()):
        return True
    if spec.effect == "update" and (_LIFETIME in body or widened(body, seen)):
        return True
    return _makes_owner(body, seen)


def widened(body: Json, seen: Snapshot) -> list[str]:
    """Return the permissions or scopes that an update adds, or all of them where the present ones are not known."""
    added: list[str] = []
    for name in ("permissions", "scopes"):
        if isinstance(wanted := body.get(name), list):
            before = seen.before(name)
            present: list[object] | None = before[0] if before and isinstance(before[0], list) else None
            added += _added(name, wanted, present)
    return added


def _added(name: str, wanted: list[object], present: list[object] | None) -> list[str]:
    # A key without scopes may do everything, so it is the empty list that is the widest.
    if name == "scopes" and (not wanted or present == []):
        return [] if present == [] else ["everything (no restriction)"]
    if name == "scopes" and present is None and set(wanted) <= _READING_ONLY:
        return []
    return [str(each) for each in wanted if each not in (present or ())]


def powerful(role: Lookup | None) -> bool:
    """Whether a role lets its holder change things, or can't be told not to."""
    if not isinstance(role, dict):
        return True
    if role.get("predefined_role") is True and role_rank(role.get("name")) < _OWNER_RANK:
        return False
    words = (name_of(role) or "owner").casefold().replace("-", " ").replace("_", " ").split()
    if any(word.startswith(("owner", "admin")) for word in words):
        return True
    permissions = role.get("permissions")
    return not isinstance(permissions, list) or not all(harmless(str(each)) for each in permissions)


def harmless(permission: str) -> bool:
    """Whether a permission changes nothing."""
    return permission.endswith(_HARMLESS_ENDINGS)


def role_rank(role: object) -> int:
    """Return how much a role of the API's own lets somebody do: a number to compare with others."""
    return _RANKS.get(role.strip().casefold(), _OWNER_RANK) if isinstance(role, str) else _OWNER_RANK


def _gives_more(call: Endpoint, seen: Snapshot) -> bool:
    """Whether an update gives a higher role than the present one, however low."""
    body = body_of(call)
    if body.get("role_id") is not None:
        return True
    if body.get("role") is None:
        return False
    before = seen.before("role")
    return before is None or role_rank(body["role"]) > role_rank(before[0])


def _makes_owner(body: Json, seen: Snapshot) -> bool:
    """Whether a body hands out the owner role, or one that isn't known to be less, to somebody who lacks it."""
    before = seen.before("role")
    for depth, role in _roles(body):
        held = before is not None and depth == 0 and isinstance(before[0], str) and role == before[0]
        if role_rank(role) >= _OWNER_RANK and not held and not (depth == 0 and "role" in seen.names):
            return True
    return False


def _roles(value: object, depth: int = 0) -> Iterator[tuple[int, str]]:
    """Yield every role that a body names by the API's own word for it, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "role" and isinstance(inner, str):
                yield depth, inner
            else:
                yield from _roles(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _roles(inner, depth + 1)


def _opens(name: str, value: object, seen: Snapshot) -> bool:
    """Whether setting this field may let in an outside workload that was not let in before."""
    if value is False or name not in {*_TRUST, "permissions", "scopes", "service_account_id"}:
        return False
    before = seen.before(name)
    return before is None or not _no_wider(name, value, before[0])


def _no_wider(name: str, value: object, before: object) -> bool:
    """Whether this lets in nothing that was kept out before: the same, or fewer of the same scopes."""
    if name == "permissions" and isinstance(value, dict) and isinstance(before, dict):
        scopes, present = value.get("scopes"), before.get("scopes")
        if value.get("type") == before.get("type") and isinstance(scopes, list) and isinstance(present, list):
            return all(scope in present for scope in scopes)
    # As JSON, since to Python 1 and true are the same.
    return json.dumps(value, sort_keys=True) == json.dumps(before, sort_keys=True)


def _is_role(name: str) -> bool:
    return name in {"role", "role_id"}
