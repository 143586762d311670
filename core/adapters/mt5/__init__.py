"""Real MetaTrader 5: one agent per terminal, and the gateway that keeps them."""
