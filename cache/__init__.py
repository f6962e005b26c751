"""What is remembered: file contents, handles, receipts, the index, and the memory they may use.

Nothing here knows about MCP, tools or answers: imports run `server -> tools -> cache`.
"""
