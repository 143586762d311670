"""/audit: whether a chain of the audit holds."""

from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views.message import Message, Voice, marked
from core.domain.answers import AuditSeen
from core.domain.audit_check import TamperFinding, Tampering

SYSTEM = "system"
TEXT_CHARS_MAX = 150
FINDINGS = {
    Tampering.CHANGED: later("link {sequence} was changed, or put there without the key"),
    Tampering.INSERTED: later("link {sequence} was put there without the key"),
    Tampering.MISSING: later("links {sequence} to {other} are missing"),
    Tampering.MOVED: later("link {sequence} was made as number {other}"),
    Tampering.UNLINKED: later("link {sequence} was made after another one than stands before it"),
    Tampering.KEY_UNKNOWN: later(
        "link {sequence} and others are under key {text}, which is not in audit.keys: their "
        "content cannot be checked"
    ),
    Tampering.UNVOUCHED: later(
        "link {sequence} is under a key that the one before does not vouch for"
    ),
    Tampering.UNKEYED: later(
        "link {sequence} and those before it have no key that vouches for them"
    ),
    Tampering.TRUNCATED: later("link {sequence} was there and is not: the chain ends at {other}"),
    Tampering.HEAD_DIFFERS: later("link {sequence} is not the one whose head was kept ({text}...)"),
    Tampering.UNREADABLE: later("link {sequence} cannot be read: {text}"),
    Tampering.TABLE: later("link {sequence}: {text}"),
}
"""The sentences of `core.domain.audit_findings`, for the catalogs."""


def seen(found: AuditSeen, voice: Voice) -> Message:
    """Sound with its head to keep, or what was tampered with."""
    if not found.findings:
        title = (
            t("🔏 Audit of the system: sound")
            if found.name == SYSTEM
            else t("🔏 Audit of account {login}: sound", login=esc(found.name))
        )
        lines = [
            f"<b>{marked(voice, title)}</b>",
            tn(
                "{n} link, each under its key and its predecessor.",
                "{n} links, each under its key and its predecessor.",
                found.links,
            ),
            t("Its head, to keep elsewhere: {head}", head=code(found.head)),
            t("What this proves and what not: docs/audit.md"),
        ]
        return Message(html="\n".join(lines))
    title = (
        t("🔴 Audit of the system: not sound")
        if found.name == SYSTEM
        else t("🔴 Audit of account {login}: not sound", login=esc(found.name))
    )
    lines = [f"<b>{marked(voice, title)}</b>", *(f"• {_finding(each)}" for each in found.findings)]
    if found.left_out:
        lines.append(tn("• and {n} more", "• and {n} more", found.left_out))
    lines.append(
        t("Somebody changed the database around Reckoner. Keep a copy of it as it is now.")
    )
    return Message(html="\n".join(lines))


def _finding(found: TamperFinding) -> str:
    return t(
        FINDINGS[found.kind],
        sequence=found.sequence,
        other=found.other,
        text=esc(found.text, TEXT_CHARS_MAX),
    )
