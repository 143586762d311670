"""An incident in a few lines, and the list of them; the document is `bot.views.incident_page`."""

from collections.abc import Sequence

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views import incident_page
from bot.views.message import Document, Message, Voice, compose, marked
from bot.views.numbers import gain, moment, money, percent
from bot.views.words import REASONS, word
from core.domain import audit_words as words
from core.domain.audit_check import HEAD_DIGITS
from core.domain.incident import Incident, IncidentLine

STATES = {
    "countdown": later("counting down"),
    "closing": "closing",
    "flat": later("proved flat"),
    "superseded": later("taken over by the whole account's"),
}
NONE = later("Nothing was ever closed by a guard.")


def bad_number(text: str) -> Message:
    """/incident with something that is no number."""
    return Message(
        html=t(
            "I do not understand '{text}'. Write /incident for the list, or its number after it.",
            text=esc(text, 20),
        )
    )


def listed(lines: Sequence[IncidentLine], voice: Voice, *, admin: bool) -> Message:
    """The newest incidents."""
    title = f"<b>{marked(voice, t('🧾 Incidents'))}</b>"
    if not lines:
        return Message(html=f"{title}\n{t(NONE)}")
    rows = [_line(line, voice, admin=admin) for line in lines]
    tail = t("One with its proof: /incident {number}", number=lines[0].number)
    return Message(html=compose([title], rows, [tail]))


def _line(line: IncidentLine, voice: Voice, *, admin: bool) -> str:
    whose = f" {esc(line.client)}" if admin else ""
    what = word(REASONS, line.reason)
    of = "" if line.scope == "account" else t(" of {scope}", scope=esc(line.scope))
    state = word(STATES, line.state)
    began = moment(line.at, voice)
    return f"<b>{line.number}</b> {line.login}{whose}: {what}{of}, {state}, {began}"


def incident(found: Incident, voice: Voice) -> Message:
    """What happened, shortly, with the document."""
    job, currency = found.job, found.currency
    reason = word(REASONS, job.reason)
    head = t("🧾 Incident {id}: {login}, {reason}", id=job.id, login=found.login, reason=reason)
    lines = [
        f"<b>{marked(voice, head)}</b>",
        t(
            "Began {created_at}, {state}",
            created_at=moment(job.created_at, voice),
            state=word(STATES, job.state),
        )
        + (f" {moment(job.finished_at, voice)}" if job.finished_at else ""),
    ]
    if job.equity_at_trigger is not None:
        lines.append(
            t(
                "Equity when it began: {equity_at_trigger}",
                equity_at_trigger=money(job.equity_at_trigger, currency),
            )
        )
    if job.drawdown_percent is not None and job.limit_percent is not None:
        lines.append(
            t(
                "Drawdown: {drawdown_percent}, limit {limit_percent}",
                drawdown_percent=percent(job.drawdown_percent),
                limit_percent=percent(job.limit_percent),
            )
        )
    tickets = {(order.action, order.ticket) for order in found.orders}
    lines.append(
        t(
            "{plural}, {plural2}; closed with <b>{result}</b>",
            plural=tn("{n} ticket", "{n} tickets", len(tickets)),
            plural2=tn("{n} request", "{n} requests", len(found.orders)),
            result=gain(found.result, currency),
        )
    )
    released = found.first(words.LATCH_RELEASED)
    if released is not None:
        lines.append(t("Unlocked {created_at}", created_at=moment(released.created_at, voice)))
    lines.append(proof(found))
    page = incident_page.page(found, voice)
    caption = marked(voice, t("Incident {id} with its proof", id=job.id))
    return Message(
        html="\n".join(lines),
        document=Document(
            t("incident-{id}-{login}.html", id=job.id, login=found.login), page, caption
        ),
    )


def proof(found: Incident) -> str:
    """Whether the audit of it holds, and its last link."""
    if not found.links:
        return t("⚠️ The audit has no link about it.")
    if found.broken:
        numbers = ", ".join(str(number) for number in found.broken[:5])
        return t(
            "🔴 The audit was tampered with: link {numbers}. An admin must look at it.",
            numbers=numbers,
        )
    last = found.links[-1]
    return t(
        "Audit: {plural} hold, the last <code>{login}:{sequence}:{hash}</code>",
        plural=tn("{n} link", "{n} links", len(found.links)),
        login=found.login,
        sequence=last.sequence,
        hash=last.hash[:HEAD_DIGITS],
    )
