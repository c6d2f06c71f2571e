"""`hookstream mcp`: an MCP server over stdio, with tools that read the console and the services, or retry events."""
