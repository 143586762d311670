"""A local Telegram: the Bot API for the bot, `/sim` and a chat page for the people."""
