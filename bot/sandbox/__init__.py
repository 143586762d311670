"""The world outside: a local Telegram Bot API with a person's side, a broker and a chat page.

Nothing here imports aiogram, so that the world starts in a fraction of a second.
"""
