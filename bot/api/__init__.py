"""The public HTTP API: a listener of its own, off unless `API_PORT` is set."""
