"""The admin key in use."""

from pydantic import SecretStr

from admin_mcp.errors import Authentication
from admin_mcp.settings import Settings


def key_in_use(settings: Settings) -> SecretStr | None:
    """Return the admin key that requests carry."""
    if not settings.sandbox:
        return settings.admin_key
    from admin_mcp.sandbox.keys import SANDBOX_KEY  # noqa: PLC0415 - only the sandbox needs it

    return SecretStr(SANDBOX_KEY)


def required(key: SecretStr | None) -> str:
    """Return the key's value.

    Raises:
        Authentication: there is none.

    """
    if key is None:
        raise Authentication(
            "No admin key is set, so nothing was sent.",
            hint="The operator must set OPENAI_ADMIN_KEY in this server's environment (in the host's MCP "
            "configuration, under env) and restart it. To try without a key, start it with --sandbox.",
        )
    return key.get_secret_value()
