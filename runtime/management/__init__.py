"""The management listener of a process: its routes, router, HTTP server and OpenAPI document."""
