"""/audit: whether a chain of the audit holds."""

from bot.i18n import t, tn
from bot.markup import code, esc
from bot.views.message import Message, Voice, marked
from core.domain.answers import AuditSeen


def seen(found: AuditSeen, voice: Voice) -> Message:
    """Sound with its head to keep, or what was tampered with."""
    of = t("the system") if found.name == "system" else t("account {name}", name=esc(found.name))
    if not found.findings:
        lines = [
            f"<b>{marked(voice, t('🔏 Audit of {of}: sound', of=of))}</b>",
            t(
                "{plural}, each under its key and its predecessor.",
                plural=tn("{n} link", "{n} links", found.links),
            ),
            t("Its head, to keep elsewhere: {code}", code=code(found.head)),
            t("What this proves and what not: docs/audit.md"),
        ]
        return Message(html="\n".join(lines))
    lines = [
        f"<b>{marked(voice, t('🔴 Audit of {of}: not sound', of=of))}</b>",
        *(f"• {esc(each, 200)}" for each in found.findings),
    ]
    if found.left_out:
        lines.append(t("• and {left_out} more", left_out=found.left_out))
    lines.append(
        t("Somebody changed the database around Reckoner. Keep a copy of it as it is now.")
    )
    return Message(html="\n".join(lines))
