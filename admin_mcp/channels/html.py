"""HTML elements whose strings are text, whatever is in them. Pure."""

from xml.etree import ElementTree as ET


def element(tag: str, *content: ET.Element | str, **attributes: str) -> ET.Element:
    """Make an element; strings are text, whatever is in them."""
    made = ET.Element(tag, attributes)
    last: ET.Element | None = None
    for part in content:
        if isinstance(part, ET.Element):
            made.append(part)
            last = part
        elif last is None:
            made.text = (made.text or "") + part
        else:
            last.tail = (last.tail or "") + part
    return made
