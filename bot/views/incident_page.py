"""An incident as a page that stands alone: to be kept by a client, or given to a prop firm.

Times are UTC, beside them the reader's own. Everything that came from outside is escaped.
"""

import html
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.i18n import later, t
from bot.views.message import Voice, marked
from bot.views.numbers import gain, limit, local, lots, money, percent, price, price_or_none
from bot.views.words import REASONS, word
from core.domain import audit_words as words
from core.domain.audit_check import HEAD_DIGITS
from core.domain.broker import Deal
from core.domain.incident import Incident
from core.records import AuditRow, CloseOrderRow

STYLE = later(
    "body{font:15px/1.45 sans-serif;max-width:70em;margin:2em "
    "auto;padding:0 "
    "1em;color:#111}table{border-collapse:collapse;margin:.5em 0 "
    "1.5em}td,th{border:1px solid #bbb;padding:.25em "
    ".6em;text-align:left;vertical-align:top}code{font-size:12px;overflow-wrap:anywhere}.bad{color:#b00020;font-weight:bold}"
)
ACTIONS = {
    words.GUARD_WARNED: later("the guard warned"),
    words.GUARD_BREACHED: later("a limit was broken, confirmed by a second reading; locked"),
    words.CLOSE_STARTED: later("closing began"),
    words.CLOSE_INTENDED: later("a request was decided on, and written down before it was sent"),
    words.CLOSE_ANSWERED: later("the trade server answered"),
    words.CLOSE_CONFIRMED: later("flat, proved by two readings"),
    words.CLOSE_SUPERSEDED: later("taken over by the whole account's close"),
    words.LATCH_REAPPEARED: later("something was opened on the locked account"),
    words.RELEASE_ASKED: later("the client asked to be unlocked"),
    words.RELEASE_GRANTED: later("an admin granted it"),
    words.RELEASE_REFUSED: later("an admin refused it"),
    words.LATCH_RELEASED: "unlocked",
    words.ALERT_SENT: later("a message about it reached Telegram, or was given up"),
    words.TRADE_CANCELLED: later("an approved trade was withdrawn"),
    words.CASH_FLOW: later("money came in or went out"),
    words.MARKET_WARNED: later("the market guard warned, or the warning changed"),
    words.MARKET_ANSWERED: later("an admin answered"),
    words.MARKET_RESOLVED: later("the market warning was over"),
    words.TERMINAL_BLOCKED: later("the terminal answered for another account: blocked"),
    words.TERMINAL_CLEARED: later("an admin unblocked the terminal"),
}
READING = (
    "equity",
    "balance",
    "credit",
    "profit",
    "margin",
    "margin_level_percent",
    "positions",
    "orders",
    "broker_at",
    "received_at",
    "trusted",
    "stale",
)


def page(found: Incident, voice: Voice) -> bytes:
    """The whole page, UTF-8."""
    title = marked(voice, t("Incident {id}, account {login}", id=found.job.id, login=found.login))
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{_e(title)}</title>",
        f"<style>{t(STYLE)}</style><h1>{_e(title)}</h1>",
        _facts(found, voice),
        t("<h2>Before and after</h2>"),
        _before_and_after(found),
        *_market(found, voice),
        t("<h2>Per ticket</h2>"),
        _tickets(found, voice),
        t("<h2>Deals that closed it</h2>"),
        _deals(found, voice),
        t("<h2>Step by step</h2>"),
        _steps(found, voice),
        t("<h2>Proof</h2>"),
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
        (t("What was closed"), "everything" if job.scope == "account" else job.scope),
        (t("Began"), _when(job.created_at, voice)),
        (t("Closing began"), _when(job.started_at, voice)),
        (t("Proved flat"), _when(job.finished_at, voice)),
        (t("State"), job.state),
    ]
    if job.drawdown_percent is not None:
        of = (
            ""
            if job.limit_percent is None
            else t(", limit {limit_percent}", limit_percent=limit(job.limit_percent))
        )
        rows.append((t("Drawdown"), f"{percent(job.drawdown_percent)}{of}"))
    if found.execution is not None and found.execution.total_loss is not None:
        rows.append((t("Result reported"), gain(found.execution.total_loss, found.currency)))
    rows.append((t("Result of its deals"), gain(found.result, found.currency)))
    released = found.first(words.LATCH_RELEASED)
    if released is not None:
        rows.append((t("Unlocked"), _when(released.created_at, voice)))
    rows.append((t("Times"), t("UTC; in brackets {time_zone}", time_zone=found.time_zone)))
    rows.append((t("Made"), _when(found.made_at, voice)))
    return _table((), rows)


def _market(found: Incident, voice: Voice) -> Sequence[str]:
    """What was seen of the market and what admins answered, where that led to it."""
    if not found.market:
        return ()
    header = ("link", "when", "who", "what", "figure", "limit", "reason")
    table = _table(header, [_market_row(link, voice) for link in found.market])
    if found.market_broken:
        numbers = ", ".join(str(number) for number in found.market_broken)
        table += t(
            "<p class=bad>Of the system's chain these links do not hold: {numbers}.</p>",
            numbers=numbers,
        )
    return (t("<h2>The market, and who decided</h2>"), table)


def _market_row(link: AuditRow, voice: Voice) -> Sequence[str]:
    detail = link.detail
    answered = detail.get("verb")
    what = t("answered: {answered}", answered=answered) if answered else t(ACTIONS[link.action])
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
        return t("<p>The audit keeps no readings of it.</p>")
    rows = [
        (name.replace("_", " "), *(_cell((i.get("reading") or {}).get(name)) for _, i in known))
        for name in READING
    ]
    rows.append(("peak", *(_cell(i.get("peak")) for _, i in known)))
    limits = sorted({name for _, i in known for name in i.get("limits", {})})
    rows += [
        (name.replace("_", " "), *(_cell(i["limits"].get(name)) for _, i in known))
        for name in limits
    ]
    rows.append(("rules", *(_cell(i.get("rules")) for _, i in known)))
    return _table(("", *(name for name, _ in known)), rows)


def _tickets(found: Incident, voice: Voice) -> str:
    header = (
        "ticket", "what", "symbol", "side", "lots", "attempt", "decided", "answered", "state",
        "code", "price", t("server's words"),
    )  # fmt: skip
    return _table(header, [_order(order, voice) for order in found.orders])


def _order(order: CloseOrderRow, voice: Voice) -> Sequence[str]:
    return (
        str(order.ticket),
        order.action,
        order.symbol,
        order.side,
        lots(order.volume),
        str(order.attempt),
        _when(order.created_at, voice),
        _when(order.answered_at, voice),
        order.state,
        _cell(order.retcode),
        price_or_none(order.price),
        order.error or "",
    )


def _deals(found: Incident, voice: Voice) -> str:
    header = ("deal", "position", "symbol", "lots", "price", "result", "commission", "swap", "when")
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
    rows = "".join(
        f"<tr><td>{link.sequence}<td>{_e(_when(link.created_at, voice))}<td>{_e(link.actor)}"
        f"<td>{_e(ACTIONS.get(link.action, link.action.replace('_', ' ')))}"
        f"<td><details><summary>figures</summary><code>{_e(_json(link))}</code></details>"
        f"<td><code>{link.hash}</code>"
        for link in found.links
    )
    more = t("<p>There are more links than are shown here.</p>") if found.left_out else ""
    return f"<table><tr><th>link<th>when<th>who<th>what<th>figures<th>hash{rows}</table>{more}"


def _json(link: AuditRow) -> str:
    return json.dumps(link.detail, sort_keys=True, separators=(",", ":"))


def _proof(found: Incident) -> str:
    if not found.links:
        return t("<p class=bad>The audit has no link about it.</p>")
    last = found.links[-1]
    head = f"{found.login}:{last.sequence}:{last.hash[:HEAD_DIGITS]}"
    if found.broken:
        numbers = ", ".join(str(number) for number in found.broken)
        said = t(
            "<p class=bad>When this was made, these links did not hold: {numbers}.</p>",
            numbers=numbers,
        )
    else:
        said = t(
            "<p>When this was made, every link above held under its key and its predecessor.</p>"
        )
    return t(
        "{said}<p>Keep this page. Whoever runs Reckoner can be asked at any "
        "time to run</p><p><code>python -m bot audit verify --account {login} "
        "--head {head}</code></p><p>It names every link that was changed, "
        "removed or put in since. What it proves and what not is written in "
        "docs/audit.md.</p>",
        said=said,
        login=found.login,
        head=head,
    )


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
    return "" if value is None else str(value)


def _e(text: str) -> str:
    return html.escape(text)
