"""/audit: whether a chain of the audit holds."""

from bot.markup import code, esc
from bot.views.message import Message, Voice, marked
from bot.views.words import plural
from core.domain.answers import AuditSeen


def seen(found: AuditSeen, voice: Voice) -> Message:
    """Sound with its head to keep, or what was tampered with."""
    of = "the system" if found.name == "system" else f"account {esc(found.name)}"
    if not found.findings:
        lines = [
            f"<b>{marked(voice, f'🔏 Audit of {of}: sound')}</b>",
            f"{plural(found.links, 'link')}, each under its key and its predecessor.",
            f"Its head, to keep elsewhere: {code(found.head)}",
            "What this proves and what not: docs/audit.md",
        ]
        return Message(html="\n".join(lines))
    lines = [
        f"<b>{marked(voice, f'🔴 Audit of {of}: not sound')}</b>",
        *(f"• {esc(each, 200)}" for each in found.findings),
    ]
    if found.left_out:
        lines.append(f"• and {found.left_out} more")
    lines.append("Somebody changed the database around Reckoner. Keep a copy of it as it is now.")
    return Message(html="\n".join(lines))
