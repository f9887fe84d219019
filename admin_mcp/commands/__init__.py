"""The command line's groups, one module each, thin: parse, call, print. Each loads only what it needs."""
