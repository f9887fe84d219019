"""What a change of a limit, a policy, a certificate or a name comes to. Pure."""

from collections.abc import Callable

from admin_mcp.gate.described_change import DescribedChange, listed, money
from admin_mcp.gate.snapshot import described
from admin_mcp.gate.text import quoted, visible


def _update_limit(change: DescribedChange) -> str:
    limit, before = change.body.get("threshold_amount"), change.before("threshold_amount")
    if not isinstance(before, int) or not isinstance(limit, int):
        known = " (no limit now)" if change.seen.state == "absent" else ""
        return f"Limit the spending of {change.whole} to {money(limit)} a month{known}"
    verb = "Raise" if limit > before else "Lower"
    return f"{verb} the monthly spend limit of {change.whole} from {money(before)} to {money(limit)}"


def _delete_limit(change: DescribedChange) -> str:
    before = change.before("threshold_amount")
    known = f" (now limited to {money(before)} a month)" if isinstance(before, int) else ""
    return f"Let {change.whole} spend without a limit{known}"


def _update_models(change: DescribedChange) -> str:
    body = change.body
    models = listed([str(each) for each in body.get("model_ids") or []]) or "none"
    which = f"only these models: {models}" if body.get("mode") == "allow_list" else f"all models except: {models}"
    known = " (not restricted now)" if change.seen.state == "absent" else ""
    return f"Let {change.whole} use {which}{known}"


def _delete_models(change: DescribedChange) -> str:
    models, mode = change.before("model_ids"), change.before("mode")
    words = {"allow_list": "only", "deny_list": "all except"}.get(str(mode))
    known = f" (now {words} {listed([str(each) for each in models])})" if words and isinstance(models, list) else ""
    return f"Lift the model restriction of {change.whole}{known}"


def _update_retention(change: DescribedChange) -> str:
    before = change.before("retention_type")
    known = f" from {visible(before)}" if isinstance(before, str) else ""
    return f"Change the data retention of {change.whole}{known} to {visible(str(change.body.get('retention_type')))}"


def _activate(change: DescribedChange) -> str:
    return f"Activate {_certificates(change)} for {change.whole}"


def _deactivate(change: DescribedChange) -> str:
    return f"Deactivate {_certificates(change)} for {change.whole}: clients that use them are refused"


def _certificates(change: DescribedChange) -> str:
    ids = [str(each) for each in change.body.get("certificate_ids") or []]
    found = change.seen.names
    names = [described("certificate_id", each, found.get(f"certificate_ids[{at}]")) for at, each in enumerate(ids)]
    return f"certificate{'s' if len(names) != 1 else ''} {', '.join(names)}"


def _archive_project(change: DescribedChange) -> str:
    affected = ", ".join(f"{kind}: {count}" for kind, count in change.seen.affected.items())
    return f"Archive project {change.thing('project_id')} for good{f'; it has {affected}' if affected else ''}"


def _update_project(change: DescribedChange) -> str:
    project = f"project {change.thing('project_id')}"
    if "external_key_id" not in change.body:
        return _rename(change, project)
    key = change.value("external_key_id")
    renamed = f", and rename it to {quoted(change.value('name') or '')}" if change.value("name") else ""
    if key is None:
        return f"Take the external encryption key off {project}{renamed}"
    return f"Set the external encryption key {change.thing('external_key_id')} for {project}{renamed}"


def _update_group(change: DescribedChange) -> str:
    return _rename(change, f"group {change.thing('group_id')}")


def _rename(change: DescribedChange, thing: str) -> str:
    return f"Rename {thing} to {quoted(change.value('name') or '')}"


SENTENCES: dict[str, Callable[[DescribedChange], str]] = {
    "update_organization_spend_limit": _update_limit,
    "update_project_spend_limit": _update_limit,
    "delete_organization_spend_limit": _delete_limit,
    "delete_project_spend_limit": _delete_limit,
    "update_project_model_permissions": _update_models,
    "delete_project_model_permissions": _delete_models,
    "update_organization_data_retention": _update_retention,
    "update_project_data_retention": _update_retention,
    "activate_certificates": _activate,
    "activate_project_certificates": _activate,
    "deactivate_certificates": _deactivate,
    "deactivate_project_certificates": _deactivate,
    "archive_project": _archive_project,
    "update_project": _update_project,
    "update_group": _update_group,
}
"""By tool."""
