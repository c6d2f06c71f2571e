"""The management listener of a process: its routes, who answers them, its HTTP server and its OpenAPI document."""
