"""The engine: reads, reconciles, guards, closes and proves. Knows no Telegram and no timer."""
