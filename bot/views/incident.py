"""An incident in a few lines, and the list of them; the document is `bot.views.incident_page`."""

from collections.abc import Sequence

from bot.markup import esc
from bot.views import incident_page
from bot.views.message import Document, Message, Voice, compose, marked
from bot.views.numbers import gain, moment, money, percent
from bot.views.words import REASONS, plural, word
from core.domain import audit_words as words
from core.domain.audit_check import HEAD_DIGITS
from core.domain.incident import Incident, IncidentLine

STATES = {
    "countdown": "counting down",
    "closing": "closing",
    "flat": "proved flat",
    "superseded": "taken over by the whole account's",
}
NONE = "Nothing was ever closed by a guard."


def bad_number(text: str) -> Message:
    """/incident with something that is no number."""
    return Message(
        html=f"I do not understand '{esc(text, 20)}'. Write /incident for the list, or its number "
        "after it."
    )


def listed(lines: Sequence[IncidentLine], voice: Voice, *, admin: bool) -> Message:
    """The newest incidents."""
    title = f"<b>{marked(voice, '🧾 Incidents')}</b>"
    if not lines:
        return Message(html=f"{title}\n{NONE}")
    rows = [_line(line, voice, admin=admin) for line in lines]
    tail = f"One with its proof: /incident {lines[0].number}"
    return Message(html=compose([title], rows, [tail]))


def _line(line: IncidentLine, voice: Voice, *, admin: bool) -> str:
    whose = f" {esc(line.client)}" if admin else ""
    what = word(REASONS, line.reason)
    of = "" if line.scope == "account" else f" of {esc(line.scope)}"
    state = word(STATES, line.state)
    began = moment(line.at, voice)
    return f"<b>{line.number}</b> {line.login}{whose}: {what}{of}, {state}, {began}"


def incident(found: Incident, voice: Voice) -> Message:
    """What happened, shortly, with the document."""
    job, currency = found.job, found.currency
    reason = word(REASONS, job.reason)
    lines = [
        f"<b>{marked(voice, f'🧾 Incident {job.id}: {found.login}, {reason}')}</b>",
        f"Began {moment(job.created_at, voice)}, {word(STATES, job.state)}"
        + (f" {moment(job.finished_at, voice)}" if job.finished_at else ""),
    ]
    if job.equity_at_trigger is not None:
        lines.append(f"Equity when it began: {money(job.equity_at_trigger, currency)}")
    if job.drawdown_percent is not None and job.limit_percent is not None:
        lines.append(
            f"Drawdown: {percent(job.drawdown_percent)}, limit {percent(job.limit_percent)}"
        )
    tickets = {(order.action, order.ticket) for order in found.orders}
    lines.append(
        f"{plural(len(tickets), 'ticket')}, {plural(len(found.orders), 'request')}; "
        f"closed with <b>{gain(found.result, currency)}</b>"
    )
    released = found.first(words.LATCH_RELEASED)
    if released is not None:
        lines.append(f"Unlocked {moment(released.created_at, voice)}")
    lines.append(proof(found))
    page = incident_page.page(found, voice)
    caption = marked(voice, f"Incident {job.id} with its proof")
    return Message(
        html="\n".join(lines),
        document=Document(f"incident-{job.id}-{found.login}.html", page, caption),
    )


def proof(found: Incident) -> str:
    """Whether the audit of it holds, and its last link."""
    if not found.links:
        return "⚠️ The audit has no link about it."
    if found.broken:
        numbers = ", ".join(str(number) for number in found.broken[:5])
        return f"🔴 The audit was tampered with: link {numbers}. An admin must look at it."
    last = found.links[-1]
    return (
        f"Audit: {plural(len(found.links), 'link')} hold, the last "
        f"<code>{found.login}:{last.sequence}:{last.hash[:HEAD_DIGITS]}</code>"
    )
