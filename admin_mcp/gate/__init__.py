"""The only door to a change: policy, preview, a person's approval, and the permit that the client asks for.

Nothing outside this package may issue a permit, and nothing in it builds or sends a change.
"""
