"""What was found of a chain of the audit, in sentences."""

from typing import Final

from core.domain.audit_check import TamperFinding, Tampering

WORDS: Final = {
    Tampering.CHANGED: "link {sequence} was changed, or put there without the key",
    Tampering.INSERTED: "link {sequence} was put there without the key",
    Tampering.MISSING: "links {sequence} to {other} are missing",
    Tampering.MOVED: "link {sequence} was made as number {other}",
    Tampering.UNLINKED: "link {sequence} was made after another one than stands before it",
    Tampering.KEY_UNKNOWN: "link {sequence} and others are under key {text}, which is not in "
    "audit.keys: their content cannot be checked",
    Tampering.UNVOUCHED: "link {sequence} is under a key that the one before does not vouch for",
    Tampering.UNKEYED: "link {sequence} and those before it have no key that vouches for them",
    Tampering.TRUNCATED: "link {sequence} was there and is not: the chain ends at {other}",
    Tampering.HEAD_DIFFERS: "link {sequence} is not the one whose head was kept ({text}...)",
    Tampering.UNREADABLE: "link {sequence} cannot be read: {text}",
    Tampering.TABLE: "link {sequence}: {text}",
}


def sentence(finding: TamperFinding) -> str:
    """The finding as one sentence."""
    return WORDS[finding.kind].format(
        sequence=finding.sequence, other=finding.other, text=finding.text
    )
