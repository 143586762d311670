"""Buttons under the list of API tokens."""

from collections.abc import Sequence

from bot.callbacks import TokenPress
from bot.i18n import t
from bot.views.message import Button, Keyboard
from core.domain.answers import ApiToken


def revoke(tokens: Sequence[ApiToken], asker: int) -> Keyboard:
    """One button for each token: it ends it."""
    return tuple(
        (
            Button(
                t("End {name}", name=token.label),
                TokenPress(asker=asker, token_id=token.token_id).pack(),
                "danger",
            ),
        )
        for token in tokens
    )
