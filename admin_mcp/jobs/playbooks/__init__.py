"""Playbooks: what an admin wants done, as a plan of endpoint calls. Making one reads and sends no change."""
