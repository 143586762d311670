"""One conversation per file; a handler parses, calls one service, gives one answer."""
