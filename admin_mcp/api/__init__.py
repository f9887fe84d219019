"""All that is HTTP: a call's one request, the permit it needs, the way it takes, and what its answer means."""
