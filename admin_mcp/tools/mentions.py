"""Takes out of a tool's texts and of errors' hints what they say of tools that are not offered. Pure.

Descriptions send a model from one tool to the next, and a selection may lack the next one. A text is cut between its
clauses, so what is left stands by itself: descriptions are written for that, and a test reads them all.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Any

from admin_mcp.endpoints.schema import META_LOOKUPS, Json

NO_TOOL_FOR_IT = "The tool that would help here is not offered by this server. Tell the user."

_NAME = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")
_EITHER = re.compile(rf"({_NAME.pattern}) or ({_NAME.pattern})")
_ASIDE = re.compile(r" \([^()]*\)")
_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z`]|[a-z]+_)")
_CLAUSE = re.compile(r"(?<=[;:]) ")


def without_mentions(tool: Json, missing: AbstractSet[str]) -> Json:
    """Return the tool, its texts rid of all that names a missing one. Where nothing does, it is the same object."""
    changed = _without(tool, missing)
    lookups = tool["_meta"].get(META_LOOKUPS, [])
    if missing.isdisjoint(lookups):
        return changed
    left = [name for name in lookups if name not in missing]
    meta = {**tool["_meta"], META_LOOKUPS: left}
    return {**changed, "_meta": meta}


def usable_hint(hint: str, missing: AbstractSet[str]) -> str:
    """Return a hint without what it says of missing tools; one that begins with them leads to the person instead."""
    left = cut(hint, missing)
    begins = bool(cut(_SENTENCE.split(hint)[0], missing))
    return left if begins else f"{NO_TOOL_FOR_IT} {left}".strip()


def cut(text: str, missing: AbstractSet[str]) -> str:
    """Return a text without the clauses that name a missing tool, or with the other one where either would do."""
    if not _names(text, missing):
        return text
    text = _EITHER.sub(lambda pair: _either(pair, missing), text)
    text = _ASIDE.sub(lambda aside: "" if _names(aside[0], missing) else aside[0], text)
    first, *others = _SENTENCE.split(text)
    left = (_sentence(first, missing), *(_sentence(_unlabelled(part, missing), missing) for part in others))
    return " ".join(filter(None, left))


def _without(tool: Json, missing: AbstractSet[str]) -> Json:
    parts = {"description": tool["description"], "inputSchema": tool["inputSchema"]}
    cut_parts = {key: _cut_in(value, missing) for key, value in parts.items()}
    return tool if all(cut_parts[key] is parts[key] for key in parts) else {**tool, **cut_parts}


def _cut_in(node: Any, missing: AbstractSet[str]) -> Any:  # noqa: ANN401 - any JSON
    """Cut the texts of a schema, and return the very same object where there is nothing to cut."""
    if isinstance(node, str):
        return cut(node, missing)
    if isinstance(node, dict):
        # Only descriptions are for reading; enum values and names stay.
        cut_parts = {
            key: _cut_in(value, missing) if isinstance(value, dict) or key == "description" else value
            for key, value in node.items()
        }
        if all(cut_parts[key] is node[key] for key in node):
            return node
        return {key: value for key, value in cut_parts.items() if value != ""}
    return node


def _unlabelled(sentence: str, missing: AbstractSet[str]) -> str:
    """Drop a label with the missing tool it leads to: "For one project: get_that"."""
    clauses = _CLAUSE.split(sentence)
    return " ".join(
        clause
        for clause, following in zip(clauses, [*clauses[1:], ""], strict=True)
        if not (clause.endswith(":") and _names(following, missing))
    )


def _sentence(sentence: str, missing: AbstractSet[str]) -> str:
    kept: list[str] = []
    lost_before_colon = False
    for clause in _CLAUSE.split(sentence):
        lost = bool(_names(clause, missing)) or lost_before_colon
        if not lost:
            kept.append(clause)
        lost_before_colon = lost and clause.endswith(":")
    whole = " ".join(kept).rstrip(";:.")
    return f"{whole[0].upper()}{whole[1:]}." if whole else ""


def _either(pair: re.Match[str], missing: AbstractSet[str]) -> str:
    here = [name for name in pair.groups() if name not in missing]
    return here[0] if len(here) == 1 else pair[0]


def _names(text: str, missing: AbstractSet[str]) -> AbstractSet[str]:
    return missing & set(_NAME.findall(text))
