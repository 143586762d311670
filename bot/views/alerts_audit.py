"""The audit's head, for whoever keeps it."""

from bot.i18n import t, tn
from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.message import Message, Voice
from core.domain.alerts_audit import HeadsRecorded


def heads(alert: HeadsRecorded, voice: Voice) -> Message:
    """One line to keep, and how it is held against the audit."""
    head = f"system:{alert.sequence}:{esc(alert.hash)}"
    lines = [
        headline(
            voice,
            tn(
                "🔏 Audit: heads of {n} account recorded",
                "🔏 Audit: heads of {n} accounts recorded",
                alert.accounts,
            ),
        ),
        t("Keep this: <code>{head}</code>", head=head),
        t("It shows later whether anything of the audit was removed or rewritten:"),
        f"<code>python -m bot audit verify --head {head}</code>",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)
