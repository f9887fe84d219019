"""``python -m admin_mcp``."""

from admin_mcp.cli import main

if __name__ == "__main__":
    main(prog_name="openai-admin-mcp")
