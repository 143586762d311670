"""The audit's head, for whoever keeps it."""

from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.message import Message, Voice
from bot.views.words import plural
from core.domain.alerts_audit import HeadsRecorded


def heads(alert: HeadsRecorded, voice: Voice) -> Message:
    """One line to keep, and how it is held against the audit."""
    head = f"system:{alert.sequence}:{esc(alert.hash)}"
    lines = [
        headline(voice, f"🔏 Audit: heads of {plural(alert.accounts, 'account')} recorded"),
        f"Keep this: <code>{head}</code>",
        "It shows later whether anything of the audit was removed or rewritten:",
        f"<code>python -m bot audit verify --head {head}</code>",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)
