"""How long ago, and how long still, in words. Pure; times are in seconds."""

from admin_mcp.gate.text import counted

_MINUTE = 60
_HOUR = 60 * _MINUTE


def ago(seconds: float) -> str:
    """Say how long ago something was."""
    if seconds < _MINUTE:
        return "just now"
    return f"{_counted(seconds, _MINUTE, 'minute') if seconds < _HOUR else _counted(seconds, _HOUR, 'hour')} ago"


def left(seconds: float) -> str:
    """Say how much time there still is."""
    return f"{_counted(seconds, _MINUTE, 'minute')} left" if seconds >= _MINUTE else "less than a minute left"


def _counted(seconds: float, unit: int, name: str) -> str:
    return counted(int(seconds // unit), name)
