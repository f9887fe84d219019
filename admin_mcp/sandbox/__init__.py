"""A pretend organization with state, for trying the server without a key and without a network.

``organization`` answers calls; ``gateway`` stands before it with keys and faults, and ``transport`` or ``http`` brings
the requests. What an endpoint takes and returns is read off its
catalog class; only what the catalog can't know (defaults, refusals, derived fields, the seed) is written here.
"""
