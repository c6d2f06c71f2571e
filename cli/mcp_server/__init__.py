"""`hookstream mcp`: an MCP server over stdio, by which an agent asks what the console and the services know."""
