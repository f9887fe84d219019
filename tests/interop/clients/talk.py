"""What the clients in Python tell: one JSON object on a line, and then, if a person must decide first, another.

Each client calls the same four things and reports what its own library made of them. A client that shows forms
answers with ``ANSWER``.
"""

import json
import sys

ANSWER = {"decision": "approve"}
COMMAND = sys.argv[1]
ARGUMENTS = sys.argv[2:]


def own_role(roles):
    """Return the first role that can be changed."""
    return next(role["id"] for role in roles["data"] if not role["predefined_role"])


def change(roles, client):
    """Return the arguments of the change every client makes."""
    return {"role_id": own_role(roles), "description": f"changed by {client}"}


def tell(**said):
    """Print what happened."""
    print(json.dumps(said), flush=True)


def wait():
    """Wait until the person has decided elsewhere."""
    sys.stdin.readline()
