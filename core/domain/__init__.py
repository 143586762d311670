"""Pure decisions on values: no clock, log, I/O or await."""
