"""One class per use case: read, decide, write."""
