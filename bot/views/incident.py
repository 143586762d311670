"""An incident in a few lines, and the list of them; the document is `bot.views.incident_page`."""

from collections.abc import Sequence

from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views import incident_page
from bot.views.message import Document, Message, Voice, compose, marked
from bot.views.numbers import gain, moment, money, percent
from bot.views.words import REASONS, word
from core.domain import audit_words as words
from core.domain.audit_check import HEAD_DIGITS
from core.domain.incident import Incident, IncidentLine

STATES = {
    "countdown": later("counting down"),
    "closing": later("closing"),
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
    head = t(
        "🧾 Incident {number}: {login}, {reason}", number=job.id, login=found.login, reason=reason
    )
    lines = [
        f"<b>{marked(voice, head)}</b>",
        t(
            "Began {began}, {state}",
            began=moment(job.created_at, voice),
            state=word(STATES, job.state),
        )
        + (f" {moment(job.finished_at, voice)}" if job.finished_at else ""),
    ]
    if job.equity_at_trigger is not None:
        equity = money(job.equity_at_trigger, currency)
        lines.append(t("Equity when it began: {equity}", equity=equity))
    if job.drawdown_percent is not None and job.limit_percent is not None:
        lines.append(
            t(
                "Drawdown: {drawdown}, limit {limit}",
                drawdown=percent(job.drawdown_percent),
                limit=percent(job.limit_percent),
            )
        )
    tickets = {(order.action, order.ticket) for order in found.orders}
    lines.append(
        t(
            "{tickets}, {requests}; closed with <b>{result}</b>",
            tickets=tn("{n} ticket", "{n} tickets", len(tickets)),
            requests=tn("{n} request", "{n} requests", len(found.orders)),
            result=gain(found.result, currency),
        )
    )
    released = found.first(words.LATCH_RELEASED)
    if released is not None:
        lines.append(t("Unlocked {at}", at=moment(released.created_at, voice)))
    lines.append(proof(found))
    page = incident_page.page(found, voice)
    caption = marked(voice, t("Incident {number} with its proof", number=job.id))
    return Message(
        html="\n".join(lines),
        document=Document(f"incident-{job.id}-{found.login}.html", page, caption),
    )


def proof(found: Incident) -> str:
    """Whether the audit of it holds, and its last link."""
    if not found.links:
        return t("⚠️ The audit has no link about it.")
    if found.broken:
        numbers = ", ".join(str(number) for number in found.broken[:5])
        return t(
            "🔴 The audit was tampered with: link {links}. An admin must look at it.",
            links=numbers,
        )
    last = found.links[-1]
    return tn(
        "Audit: {n} link holds, the last {head}",
        "Audit: {n} links hold, the last {head}",
        len(found.links),
        head=code(f"{found.login}:{last.sequence}:{last.hash[:HEAD_DIGITS]}"),
    )
