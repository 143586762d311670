"""An incident as a page that stands alone: to be kept by a client, or given to a prop firm.

What matters stands first, in a few lines; then the figures, each request, each step, the proof.
Everything that came from outside is escaped.
"""

import json
from collections.abc import Sequence
from typing import Any

from bot.i18n import spoken, t, tn
from bot.views.incident_parts import (
    STYLE,
    VIEWPORT,
    WIDE,
    Times,
    bad,
    cell,
    e,
    facts,
    figure,
    head,
    heading,
    label,
    paragraph,
    table,
    times,
)
from bot.views.incident_words import (
    ACTIONS,
    CLOSED_BY,
    JOB_STATES,
    LIMITS,
    MOMENTS,
    ORDER_ACTIONS,
    ORDER_STATES,
    READING,
    VERBS,
    actor,
    answer,
    plainly,
    step,
)
from bot.views.message import Voice, marked
from bot.views.numbers import gain, limit, lots, money, percent, price, price_or_none, span
from bot.views.words import REASONS, begun, word
from core.domain import audit_words as words
from core.domain.audit_check import HEAD_DIGITS
from core.domain.broker import Deal
from core.domain.closures import close_reason
from core.domain.incident import Incident
from core.records import AuditRow, CloseOrderRow


def page(found: Incident, voice: Voice) -> bytes:
    """The whole page, UTF-8."""
    written = times(voice, found.job.created_at)
    title = marked(
        voice, t("Incident {number}, account {login}", number=found.job.id, login=found.login)
    )
    parts = [
        f"<!doctype html><html lang={spoken()}><meta charset=utf-8>{VIEWPORT}",
        f"<title>{e(title)}</title><style>{STYLE}</style><h1>{e(title)}</h1>",
        _summary(found, written),
        _facts(found, written),
        heading(t("Before and after")),
        _before_and_after(found, written),
        *_market(found, written),
        heading(t("Per ticket")),
        _tickets(found, written),
        heading(t("Deals that closed it")),
        _deals(found, written),
        heading(t("Step by step")),
        _steps(found, written),
        heading(t("Proof")),
        _proof(found),
    ]
    return "".join([*parts, "</html>\n"]).encode()


def _summary(found: Incident, written: Times) -> str:
    """What happened, how it ended and whether the proof holds, in a few lines."""
    job = found.job
    reason = begun(word(REASONS, job.reason))
    over = ""
    if job.drawdown_percent is not None and job.limit_percent is not None:
        over = ": " + t(
            "{drawdown} (limit {limit})",
            drawdown=percent(job.drawdown_percent, job.limit_percent),
            limit=limit(job.limit_percent),
        )
    ended = len({deal.position_id for deal in found.deals})
    lines = [
        f"{reason}{over if job.reason == 'drawdown' else ''}, {written.when(job.created_at)}",
        tn(
            "{n} position ended, with {result}",
            "{n} positions ended, with {result}",
            ended,
            result=gain(found.result, found.currency),
        ),
    ]
    if job.finished_at is not None and job.state == "flat":
        lines.append(
            t(
                "Proved flat at {when}, {length} after the decision",
                when=written.later(job.finished_at, job.created_at),
                length=span(job.finished_at - job.created_at),
            )
        )
    else:
        lines.append(t("State: {state}", state=plainly(JOB_STATES, job.state)))
    released = found.first(words.LATCH_RELEASED)
    if released is not None:
        when = written.later(released.created_at, job.created_at)
        lines.append(t("Unlocked at {when}", when=when))
    lines.append(
        t("The proof does not hold") if found.broken or not found.links else t("The proof holds")
    )
    return "<ul class=sum>" + "".join(f"<li>{e(line)}</li>" for line in lines) + "</ul>"


def _facts(found: Incident, written: Times) -> str:
    job = found.job
    rows: list[tuple[str, str]] = [
        (
            t("Account"),
            t(
                "{login} at {server}, {client}",
                login=found.login,
                server=found.server,
                client=found.client,
            ),
        ),
        (t("Why"), word(REASONS, job.reason)),
        (t("What was closed"), t("everything") if job.scope == "account" else job.scope),
        (t("Began"), written.when(job.created_at)),
        (t("Closing began"), written.when(job.started_at)),
        (t("Proved flat"), written.when(job.finished_at)),
        (t("State"), plainly(JOB_STATES, job.state)),
    ]
    if job.drawdown_percent is not None:
        most = job.limit_percent
        of = "" if most is None else t(", limit {limit}", limit=limit(most))
        rows.append((t("Drawdown"), f"{percent(job.drawdown_percent)}{of}"))
    if found.execution is not None and found.execution.total_loss is not None:
        rows.append((t("Result reported"), gain(found.execution.total_loss, found.currency)))
    rows.append((t("Result of its deals"), gain(found.result, found.currency)))
    released = found.first(words.LATCH_RELEASED)
    if released is not None:
        rows.append((t("Unlocked"), written.when(released.created_at)))
    rows.append((t("Times"), written.zone))
    rows.append((t("Made"), written.when(found.made_at)))
    return facts(rows)


def _market(found: Incident, written: Times) -> Sequence[str]:
    """What was seen of the market and what admins answered, where that led to it."""
    if not found.market:
        return ()
    header = (
        t("link"), t("when"), t("who"), t("what"), t("figure"), t("limit"), t("reason"),
    )  # fmt: skip
    shown = table(header, [_market_row(link, written) for link in found.market])
    if found.market_broken:
        numbers = ", ".join(str(number) for number in found.market_broken)
        shown += bad(t("Of the system's chain these links do not hold: {links}.", links=numbers))
    return (heading(t("The market, and who decided")), shown)


def _market_row(link: AuditRow, written: Times) -> Sequence[str]:
    detail = link.detail
    answered = detail.get("verb")
    what = (
        t("answered: {verb}", verb=plainly(VERBS, answered))
        if answered
        else plainly(ACTIONS, link.action)
    )
    return (
        str(link.sequence),
        written.when(link.created_at, fine=True),
        actor(link),
        what,
        figure("figure", detail.get("figure"), "", written),
        figure("limit", detail.get("limit"), "", written),
        str(detail.get("reason") or ""),
    )


def _before_and_after(found: Incident, written: Times) -> str:
    """The figures of the readings that the decisions were made on."""
    moments = [
        ("warned", found.first(words.GUARD_WARNED)),
        ("decided", found.first(words.GUARD_BREACHED, words.LATCH_REAPPEARED, words.CLOSE_STARTED)),
        ("flat", found.last(words.CLOSE_CONFIRMED)),
        ("unlocked", found.first(words.LATCH_RELEASED)),
    ]
    known = [(name, link) for name, link in moments if link is not None and "inputs" in link.detail]
    if not known:
        return paragraph(t("The audit keeps no readings of it."))
    inputs: list[dict[str, Any]] = [link.detail["inputs"] for _, link in known]

    def shown(name: str, title: str, values: Sequence[Any]) -> Sequence[str]:
        return (title, *(figure(name, value, found.currency, written) for value in values))

    rows = [
        shown(name, t(READING[name]), [(i.get("reading") or {}).get(name) for i in inputs])
        for name in READING
    ]
    rows.append(shown("peak", t("peak"), [_peak(link) for _, link in known]))
    limits = {name for i in inputs for name in i.get("limits", {})}
    rows += [
        shown(name, plainly(LIMITS, name), [i.get("limits", {}).get(name) for i in inputs])
        for name in sorted(limits)
    ]
    rows.append((t("rules"), *(str(i.get("rules") or "") for i in inputs)))
    told = [row for row in rows if any(row[1:])]
    return table(("", *(t(MOMENTS[name]) for name, _ in known)), told)


def _peak(link: AuditRow) -> Any:  # noqa: ANN401 - a figure of a link, as JSON has it
    """The peak from that moment on: a release begins it anew."""
    if link.action == words.LATCH_RELEASED:
        return link.detail.get("peak", link.detail.get("equity"))
    return link.detail["inputs"].get("peak")


def _tickets(found: Incident, written: Times) -> str:
    header = (
        t("ticket"), t("what"), t("symbol"), t("side"), t("lots"), t("attempt"), t("decided"),
        t("answered"), t("state"), t("answer"), t("price"), t("server's words"),
    )  # fmt: skip
    if not found.orders:
        return paragraph(t("Reckoner sent no request: nothing was left to close."))
    return table(header, [_order(order, written) for order in found.orders])


def _order(order: CloseOrderRow, written: Times) -> Sequence[str]:
    code, theirs = answer(order)
    return (
        str(order.ticket),
        plainly(ORDER_ACTIONS, order.action),
        order.symbol,
        order.side,
        lots(order.volume),
        str(order.attempt),
        written.when(order.created_at, fine=True),
        written.when(order.answered_at, fine=True),
        plainly(ORDER_STATES, order.state),
        code,
        price_or_none(order.price),
        theirs,
    )


def _deals(found: Incident, written: Times) -> str:
    header = (
        t("deal"), t("position"), t("symbol"), t("lots"), t("price"), t("result"),
        t("commission"), t("swap"), t("when"), t("closed by"),
    )  # fmt: skip
    if not found.deals:
        return paragraph(t("None is known."))
    ours = {order.position_id for order in found.orders if order.action == "close"}
    rows = [_deal(deal, found, written, ours=deal.position_id in ours) for deal in found.deals]
    return table(header, rows)


def _deal(deal: Deal, found: Incident, written: Times, *, ours: bool) -> Sequence[str]:
    return (
        str(deal.ticket),
        str(deal.position_id),
        deal.symbol,
        lots(deal.volume),
        price(deal.price),
        money(deal.amount, found.currency),
        money(deal.commission + deal.fee, found.currency),
        money(deal.swap, found.currency),
        written.when(deal.executed_at),
        plainly(CLOSED_BY, close_reason(deal, ours=ours).value),
    )


def _steps(found: Incident, written: Times) -> str:
    header = (t("link"), t("when"), t("who"), t("what"), t("figures"), t("hash"))
    rows = "".join(
        "<tr>"
        + cell(str(link.sequence), header[0])
        + cell(written.when(link.created_at, fine=True), header[1])
        + cell(actor(link), header[2])
        + cell(step(link), header[3])
        + f"<td><details><summary>{e(header[4])}</summary><code>{e(_json(link))}</code></details>"
        + f"<td{label(header[5])}><code>{link.hash}</code>"
        for link in found.links
    )
    more = paragraph(t("There are more links than are shown here.")) if found.left_out else ""
    return f"<table{WIDE}>{head(header)}{rows}</table>{more}"


def _json(link: AuditRow) -> str:
    return json.dumps(link.detail, sort_keys=True, separators=(",", ":"))


def _proof(found: Incident) -> str:
    if not found.links:
        return bad(t("The audit has no link about it."))
    last = found.links[-1]
    head = f"{found.login}:{last.sequence}:{last.hash[:HEAD_DIGITS]}"
    if found.broken:
        numbers = ", ".join(str(number) for number in found.broken)
        said = bad(t("When this was made, these links did not hold: {links}.", links=numbers))
    else:
        held = t("When this was made, every link above held under its key and its predecessor.")
        said = paragraph(held)
    command = f"python -m bot audit verify --account {found.login} --head {head}"
    keep = t("Keep this page. Whoever runs Reckoner can be asked at any time to run")
    proves = t(
        "It names every link that was changed, removed or put in since. What it proves and what "
        "not is written in docs/audit.md."
    )
    return f"{said}{paragraph(keep)}<p><code>{e(command)}</code></p>{paragraph(proves)}"
