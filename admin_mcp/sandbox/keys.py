"""API keys of the pretend organization. A secret is shown once, in the answer that makes it, and kept redacted."""

from typing import Final

from admin_mcp.sandbox.resources import RESOURCES
from admin_mcp.sandbox.store import Row, Store, text

SANDBOX_KEY: Final = "sk-admin-sandbox-0000000000000000"
"""The admin key in use: the seed lists it, redacted, so that what protects the own key can be tried as well."""

_SECRET_LENGTH = 40
_SHOWN_HEAD = 8
_SHOWN_TAIL = 4


def redacted(secret: str) -> str:
    """Return a secret as lists show it."""
    return f"{secret[:_SHOWN_HEAD]}...{secret[-_SHOWN_TAIL:]}"


def new_secret(store: Store, prefix: str) -> str:
    """Return a key that looks like one and opens nothing."""
    return f"{prefix}sandbox-{store.new_token(_SECRET_LENGTH)}"


def add_service_account_key(store: Store, project: str, account: str, asked: Row, now: int) -> Row:
    """Give a service account a key, and return it with its secret. ``project`` is the project's path."""
    place = f"{project}/api_keys"
    owner = store.row(f"{project}/service_accounts", account)
    secret = new_secret(store, "sk-svcacct-")
    item = store.new_id(RESOURCES["projects/api_keys"].prefix)
    row = {
        **RESOURCES["projects/api_keys"].begin(now),
        "name": f"{text(owner, 'name')} key",
        **asked,
        "redacted_value": redacted(secret),
        "service_account_id": account,
        "owner": {"type": "service_account", "service_account": {**owner, "id": account}},
    }
    store.put(place, item, row)
    return {**row, "id": item, "value": secret}


def remove_service_account_keys(store: Store, project: str, account: str) -> None:
    """Revoke the keys of a service account that is gone."""
    place = f"{project}/api_keys"
    for item in [item for item, row in store.rows(place).items() if row.get("service_account_id") == account]:
        store.remove(place, item)
