"""Moments as a person reads them in a terminal: this machine's time, with its zone."""

from datetime import UTC, datetime


def local_time(seconds: float) -> str:
    """Return a moment, in unix seconds, as local time with the zone's offset."""
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(sep=" ", timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return "an unreadable time"


def local_time_of(text: str) -> str:
    """Return a moment that was written down as ISO 8601 as local time; what is none stays as it is."""
    try:
        return local_time(datetime.fromisoformat(text).timestamp())
    except (OverflowError, ValueError, OSError):
        return text


def brief_time_of(text: str) -> str:
    """Return such a moment to the minute and without a zone, for a list in which it is one of many."""
    try:
        return f"{datetime.fromisoformat(text).astimezone():%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError, OSError):
        return text


def utc_time(seconds: float) -> str:
    """Return a moment as programs read it: ISO 8601, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
