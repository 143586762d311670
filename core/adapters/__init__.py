"""The engine's hands: storage and terminals. Adapters know ports and domain, never services."""
