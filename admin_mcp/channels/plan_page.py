"""The steps of a plan on the approval page: by risk, each whole, what can be struck out, how far each is. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from xml.etree import ElementTree as ET

from admin_mcp.channels.html import element
from admin_mcp.gate.preview import Preview, ShownStep

STRUCK = "step"
"""The field with the number of the step that is to be struck out."""

_GRAVE = ("-", "!")
"""The marks of steps that take something away or give access."""

_STATES = {
    "sending": "being sent",
    "done": "made",
    "refused": "not made",
    "outcome_unknown": "nobody knows whether it was made",
}


def plan_steps(preview: Preview, states: Mapping[int, str], strike: Mapping[str, str] | None) -> Iterable[ET.Element]:
    """Yield all steps, the gravest first.

    ``states`` tells how far each has come. ``strike`` are the address and the token of the form that strikes one out,
    or None where nothing can be.
    """
    begun = any(states.get(step.number, "open") != "open" for step in preview.steps)
    for section, steps in groupby(preview.steps, key=lambda step: step.section):
        yield element("h2", section, **{"class": "risk"})
        for step in steps:
            state = _STATES.get(states.get(step.number, "open"), "not sent" if begun else "")
            yield _step(step, state, states.get(step.number, "open"), strike if len(preview.steps) > 1 else None)
    order = ", ".join(str(step.number) for step in sorted(preview.steps, key=lambda step: step.number))
    yield element("p", f"They are sent in this order: {order}. It stops at the first that fails.", **{"class": "quiet"})


def _step(step: ShownStep, told: str, state: str, strike: Mapping[str, str] | None) -> ET.Element:
    shown = step.preview
    parts = [element("h3", element("span", step.mark, **{"class": "mark"}), f" {step.number}. {shown.title}")]
    if told:
        parts.append(element("p", told, **{"class": f"state {state}"}))
    if step.why:
        by = "" if step.own_why else ", says the assistant"
        parts.append(element("p", f"Why{by}: {step.why}", **{"class": "quiet"}))
    parts.append(element("dl", *_facts(shown)))
    parts.append(element("pre", shown.request))
    if strike is not None:
        parts.append(_strike(step, strike))
    return element("section", *parts, **{"class": "step grave" if step.mark in _GRAVE else "step"})


def _facts(preview: Preview) -> Iterator[ET.Element]:
    for label, value in {**preview.facts, **preview.passing}.items():
        yield element("dt", label)
        yield element("dd", value, **{"class": "affected"} if label.startswith("Affects") else {"class": "plain"})
    if preview.final:
        yield element("dt", "Undo")
        yield element("dd", preview.undo, **{"class": "final"})


def _strike(step: ShownStep, strike: Mapping[str, str]) -> ET.Element:
    return element(
        "form",
        element("input", type="hidden", name="csrf", value=strike["csrf"]),
        element("button", f"Strike out step {step.number}", type="submit", name=STRUCK, value=str(step.number)),
        method="post",
        action=strike["address"],
        autocomplete="off",
        **{"aria-label": f"Step {step.number}", "class": "bare"},
    )
