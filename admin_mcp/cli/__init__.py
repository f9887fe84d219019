"""All that an operator types: a module a group of commands, what they print, and the snippets for hosts."""
