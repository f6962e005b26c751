"""The edge: the MCP server, its process, its configuration and its command line."""
