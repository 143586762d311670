"""An incident as a page that stands alone: to be kept by a client, or given to a prop firm.

Times are UTC, beside them the reader's own. Everything that came from outside is escaped.
"""

import html
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.i18n import spoken, t
from bot.views.incident_words import (
    ACTIONS,
    JOB_STATES,
    LIMITS,
    MOMENTS,
    ORDER_ACTIONS,
    ORDER_STATES,
    READING,
    VERBS,
    plainly,
)
from bot.views.message import Voice, marked
from bot.views.numbers import gain, limit, local, lots, money, percent, price, price_or_none
from bot.views.words import REASONS, word
from core.domain import audit_words as words
from core.domain.audit_check import HEAD_DIGITS
from core.domain.broker import Deal
from core.domain.incident import Incident
from core.records import AuditRow, CloseOrderRow

STYLE = (
    "body{font:15px/1.45 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#111}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em}"
    "td,th{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}"
    "code{font-size:12px;overflow-wrap:anywhere}.bad{color:#b00020;font-weight:bold}"
)


def page(found: Incident, voice: Voice) -> bytes:
    """The whole page, UTF-8."""
    title = marked(
        voice, t("Incident {number}, account {login}", number=found.job.id, login=found.login)
    )
    parts = [
        f"<!doctype html><html lang={spoken()}><meta charset=utf-8><title>{_e(title)}</title>",
        f"<style>{STYLE}</style><h1>{_e(title)}</h1>",
        _facts(found, voice),
        _heading(t("Before and after")),
        _before_and_after(found),
        *_market(found, voice),
        _heading(t("Per ticket")),
        _tickets(found, voice),
        _heading(t("Deals that closed it")),
        _deals(found, voice),
        _heading(t("Step by step")),
        _steps(found, voice),
        _heading(t("Proof")),
        _proof(found),
    ]
    return "".join([*parts, "</html>\n"]).encode()


def _facts(found: Incident, voice: Voice) -> str:
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
        (t("Began"), _when(job.created_at, voice)),
        (t("Closing began"), _when(job.started_at, voice)),
        (t("Proved flat"), _when(job.finished_at, voice)),
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
        rows.append((t("Unlocked"), _when(released.created_at, voice)))
    rows.append((t("Times"), t("UTC; in brackets {zone}", zone=found.time_zone)))
    rows.append((t("Made"), _when(found.made_at, voice)))
    return _table((), rows)


def _market(found: Incident, voice: Voice) -> Sequence[str]:
    """What was seen of the market and what admins answered, where that led to it."""
    if not found.market:
        return ()
    header = (
        t("link"), t("when"), t("who"), t("what"), t("figure"), t("limit"), t("reason"),
    )  # fmt: skip
    table = _table(header, [_market_row(link, voice) for link in found.market])
    if found.market_broken:
        numbers = ", ".join(str(number) for number in found.market_broken)
        table += _bad(t("Of the system's chain these links do not hold: {links}.", links=numbers))
    return (_heading(t("The market, and who decided")), table)


def _market_row(link: AuditRow, voice: Voice) -> Sequence[str]:
    detail = link.detail
    answered = detail.get("verb")
    what = (
        t("answered: {verb}", verb=plainly(VERBS, answered))
        if answered
        else plainly(ACTIONS, link.action)
    )
    return (
        str(link.sequence),
        _when(link.created_at, voice),
        link.actor,
        what,
        _cell(detail.get("figure")),
        _cell(detail.get("limit")),
        _cell(detail.get("reason")),
    )


def _before_and_after(found: Incident) -> str:
    """The figures of the readings that the decisions were made on."""
    moments = [
        ("warned", found.first(words.GUARD_WARNED)),
        ("decided", found.first(words.GUARD_BREACHED, words.LATCH_REAPPEARED, words.CLOSE_STARTED)),
        ("flat", found.last(words.CLOSE_CONFIRMED)),
        ("unlocked", found.first(words.LATCH_RELEASED)),
    ]
    known = [
        (name, link.detail["inputs"])
        for name, link in moments
        if link is not None and "inputs" in link.detail
    ]
    if not known:
        return _paragraph(t("The audit keeps no readings of it."))
    rows = [
        (t(READING[name]), *(_cell((i.get("reading") or {}).get(name)) for _, i in known))
        for name in READING
    ]
    rows.append((t("peak"), *(_cell(i.get("peak")) for _, i in known)))
    limits = sorted({name for _, i in known for name in i.get("limits", {})})
    rows += [
        (plainly(LIMITS, name), *(_cell(i["limits"].get(name)) for _, i in known))
        for name in limits
    ]
    rows.append((t("rules"), *(_cell(i.get("rules")) for _, i in known)))
    return _table(("", *(t(MOMENTS[name]) for name, _ in known)), rows)


def _tickets(found: Incident, voice: Voice) -> str:
    header = (
        t("ticket"), t("what"), t("symbol"), t("side"), t("lots"), t("attempt"), t("decided"),
        t("answered"), t("state"), t("code"), t("price"), t("server's words"),
    )  # fmt: skip
    return _table(header, [_order(order, voice) for order in found.orders])


def _order(order: CloseOrderRow, voice: Voice) -> Sequence[str]:
    return (
        str(order.ticket),
        plainly(ORDER_ACTIONS, order.action),
        order.symbol,
        order.side,
        lots(order.volume),
        str(order.attempt),
        _when(order.created_at, voice),
        _when(order.answered_at, voice),
        plainly(ORDER_STATES, order.state),
        _cell(order.retcode),
        price_or_none(order.price),
        order.error or "",
    )


def _deals(found: Incident, voice: Voice) -> str:
    header = (
        t("deal"), t("position"), t("symbol"), t("lots"), t("price"), t("result"),
        t("commission"), t("swap"), t("when"),
    )  # fmt: skip
    return _table(header, [_deal(deal, found, voice) for deal in found.deals])


def _deal(deal: Deal, found: Incident, voice: Voice) -> Sequence[str]:
    return (
        str(deal.ticket),
        str(deal.position_id),
        deal.symbol,
        lots(deal.volume),
        price(deal.price),
        money(deal.amount, found.currency),
        money(deal.commission + deal.fee, found.currency),
        money(deal.swap, found.currency),
        _when(deal.executed_at, voice),
    )


def _steps(found: Incident, voice: Voice) -> str:
    header = (t("link"), t("when"), t("who"), t("what"), t("figures"), t("hash"))
    head = "".join(f"<th>{_e(name)}" for name in header)
    figures = _e(t("figures"))
    rows = "".join(
        f"<tr><td>{link.sequence}<td>{_e(_when(link.created_at, voice))}<td>{_e(link.actor)}"
        f"<td>{_e(plainly(ACTIONS, link.action))}"
        f"<td><details><summary>{figures}</summary><code>{_e(_json(link))}</code></details>"
        f"<td><code>{link.hash}</code>"
        for link in found.links
    )
    more = _paragraph(t("There are more links than are shown here.")) if found.left_out else ""
    return f"<table><tr>{head}{rows}</table>{more}"


def _json(link: AuditRow) -> str:
    return json.dumps(link.detail, sort_keys=True, separators=(",", ":"))


def _proof(found: Incident) -> str:
    if not found.links:
        return _bad(t("The audit has no link about it."))
    last = found.links[-1]
    head = f"{found.login}:{last.sequence}:{last.hash[:HEAD_DIGITS]}"
    if found.broken:
        numbers = ", ".join(str(number) for number in found.broken)
        said = _bad(t("When this was made, these links did not hold: {links}.", links=numbers))
    else:
        held = t("When this was made, every link above held under its key and its predecessor.")
        said = _paragraph(held)
    command = f"python -m bot audit verify --account {found.login} --head {head}"
    keep = t("Keep this page. Whoever runs Reckoner can be asked at any time to run")
    proves = t(
        "It names every link that was changed, removed or put in since. What it proves and what "
        "not is written in docs/audit.md."
    )
    return f"{said}{_paragraph(keep)}<p><code>{_e(command)}</code></p>{_paragraph(proves)}"


def _heading(text: str) -> str:
    return f"<h2>{_e(text)}</h2>"


def _paragraph(text: str) -> str:
    return f"<p>{_e(text)}</p>"


def _bad(text: str) -> str:
    return f"<p class=bad>{_e(text)}</p>"


def _table(header: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_e(name)}" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{_e(cell)}" for cell in row) for row in rows)
    return f"<table>{'<tr>' + head if head else ''}{body}</table>"


def _when(at: datetime | None, voice: Voice) -> str:
    if at is None:
        return ""
    there = local(at, voice)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} ({there:%H:%M:%S})"


def _cell(value: Any) -> str:  # noqa: ANN401 - a figure of a link, as JSON has it
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    return "" if value is None else str(value)


def _e(text: str) -> str:
    return html.escape(text)
