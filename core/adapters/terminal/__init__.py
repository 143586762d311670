"""The way to a MetaTrader 5 terminal: JSON over loopback, one verb a call."""
