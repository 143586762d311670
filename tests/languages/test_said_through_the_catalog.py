"""Nothing is said past the catalog: with a language of full-width letters, no others are left.

Names, symbols, currencies, commands and what an outsider wrote stay as they are.
"""

import re
from gettext import NullTranslations

import pytest

from bot import i18n
from bot.views.alerts import render
from bot.views.message import Audience, Message, Voice
from core.domain.alerts import Alert
from tests.fakes.alerts import every_alert
from tests.fakes.alerts_rules import rules

KEPT = re.compile(r"(<[^>]*>|\{[^}]*\}|(?<![\w/])/[a-z]+)")
DATA = re.compile(
    r"<[^>]*>|&\w+;|(?<!\w)/[a-z]+(?: [a-z]+)?|\b(?:[A-Z]{2,}[A-Z0-9]*|buy|sell)\b|@\w+|\[DEMO\]"
)
FULL_WIDTH = 0xFEE0
ALERTS = [*every_alert(), *rules()]


def wide(text: str) -> str:
    """The text in full-width letters, but for tags, names in braces and commands."""
    return "".join(
        part
        if KEPT.fullmatch(part)
        else "".join(chr(ord(c) + FULL_WIDTH) if c.isascii() and c.isalpha() else c for c in part)
        for part in KEPT.split(text)
    )


class Wide(NullTranslations):
    """A language of full-width letters."""

    def gettext(self, message: str) -> str:
        return wide(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return wide(msgid1 if n == 1 else msgid2)


def left(message: Message) -> list[str]:
    """Words of a message that came past the catalog."""
    labels = [button.label for row in message.keyboard for button in row]
    text = FROM_OUTSIDE.sub(" ", "\n".join([message.html, *labels]))
    return re.findall(r"[A-Za-z]{2,}", DATA.sub(" ", text))


OUTSIDE = (
    r"\b(?:Reckoner(?:-Demo)?|Demo|Ann|Smith|Bo|Lee|Sam|Olga|Ada|Ben|Brown|Broker-Live|new)\b",
    r"Daily warning|daily warning|Daily loss of &lt;b&gt;eq|two-step|default",
    r"Europe/London|\bPrague\b|Sat 21 Nov|\bNov\b",
    r"US30\.cash|\b(?:ask|bid)\b",
    r"Data feed|Market closed|IPC recv failed|Forbidden: bot was blocked by the user",
    r"GuardBreached|system:412:[0-9a-f]+|python -m bot audit verify --head \S+",
    r"asked for 50001(?: at Sim, the terminal answered for 50002, Sim)?",
)
"""What people, brokers and Telegram wrote in these alerts, or are called."""
FROM_OUTSIDE = re.compile("|".join(OUTSIDE))


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("alert", ALERTS, ids=lambda each: type(each).__name__)
def test_an_alert_is_said_through_the_catalog(
    alert: Alert, audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(i18n, "_catalog", lambda _language: Wide())
    assert left(render(alert, Voice(), audience)) == []
