"""A day's or week's report in words: results, slippage, signals, money moved, drawdown.

What is not known stands first, and money moved never stands among the results.
"""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from bot import keyboards_history as keyboards
from bot.i18n import later, spoken, t, tn
from bot.markup import clean, esc
from bot.views import report_csv
from bot.views.message import Document, Message, ReportChart, Voice, compose, marked
from bot.views.numbers import (
    currency_digits,
    dated,
    gain,
    local,
    lots,
    moment,
    percent,
    span,
)
from bot.views.statement import statement
from bot.views.tables import table
from core.domain.periods import Period, Span
from core.domain.report import AccountReport, Blind, Report, SignalCount, SlipLine, TradeResult

SYMBOLS_MAX = 10
"""Symbols in the message; the file has all of them."""
HOURS_MAX = 12
"""Lines of slippage by hour in the message: the hours with the worst fills."""
BLIND_MAX = 3
"""Times without readings that are named one by one, the longest."""
SYMBOL_CHARS_MAX = 10
UNREADABLE = later("Could not be read {start} to {end} ({length})")
NOT_RUNNING = later("Reckoner was not running {start} to {end} ({length})")


def which(
    span_: Span, day: date, asker: int, accounts: tuple[tuple[int, int], ...], voice: Voice
) -> Message:
    """Ask which of several accounts is meant."""
    title = f"<b>{marked(voice, t('📒 A report on which account?'))}</b>"
    buttons = keyboards.report_accounts(span_, day, asker, accounts)
    return Message(html=title, keyboard=buttons)


def report(found: AccountReport, voice: Voice, asker: int) -> Message:
    """The report with its buttons, its chart where there is a curve, and its file."""
    made = found.report
    title = f"📒 {found.login}, {period_words(made.period)}"
    head = [f"<b>{marked(voice, title)}</b>", *_uncertain(found, voice), *results(found)]
    rows = [*_symbols(found), *_slippage(made)]
    tail = [
        _signals(made.signals),
        *(statement(found) or _flows(found)),
        *_drawdown(found, voice),
        _times(found, voice),
    ]
    return Message(
        html=compose([*head, *rows], [], tail),
        keyboard=keyboards.report(found.account_id, made.period, asker),
        chart=chart(found, voice) if made.curve else None,
        document=Document(
            report_csv.name(found.login, made.period),
            report_csv.content(found),
            marked(
                voice,
                tn(
                    "{n} deal of {period}",
                    "{n} deals of {period}",
                    len(found.file.deals),
                    period=period_words(made.period),
                ),
            ),
        ),
    )


def period_words(period: Period) -> str:
    """`Wed 4 Mar 2026`, or `Mon 2 Mar to Sun 8 Mar 2026`."""
    last = dated(period.last, "EEE d MMM y")
    if period.span is Span.DAY:
        return last
    return t("{first} to {last}", first=dated(period.first, "EEE d MMM"), last=last)


def results(found: AccountReport) -> list[str]:
    """Realised and floating, trades, best and worst."""
    made, currency = found.report, found.currency
    lines = [t("Realised: <b>{realised}</b>", realised=gain(made.realised, currency))]
    if made.floating is not None:
        amount, at = made.floating
        there = local(at, Voice(time_zone=found.time_zone))
        lines.append(
            t("Open at {time}: {result}", time=f"{there:%H:%M}", result=gain(amount, currency))
        )
    if not made.trades:
        return [*lines, t("No trade was closed.")]
    even = made.trades - made.won - made.lost
    lines.append(
        tn(
            "{n} trade closed: {won} won, {lost} lost{even}",
            "{n} trades closed: {won} won, {lost} lost{even}",
            made.trades,
            won=made.won,
            lost=made.lost,
            even=t(", {even} even", even=even) if even else "",
        )
    )
    if made.best is not None and made.worst is not None:
        best, worst = _trade(made.best, currency), _trade(made.worst, currency)
        if made.worst.position_id == made.best.position_id:
            return [*lines, t("That trade: {trade}", trade=best)]
        lines += [t("Best: {trade}", trade=best), t("Worst: {trade}", trade=worst)]
    return lines


def _trade(trade: TradeResult, currency: str) -> str:
    what = f"{esc(trade.symbol)} {esc(trade.side)} {lots(trade.volume)}"
    return f"{gain(trade.result, currency)}, {what}, #{trade.position_id}"


def _short(symbol: str) -> str:
    return clean(symbol, SYMBOL_CHARS_MAX)


def _figure(amount: Decimal, currency: str) -> str:
    """`+12.40`: the currency stands in the heading."""
    return gain(amount, currency).rsplit(" ", 1)[0]


def _symbols(found: AccountReport) -> list[str]:
    made, currency = found.report, found.currency
    told = [s for s in made.symbols if s.trades or s.result]
    shown = told[:SYMBOLS_MAX]
    rows = [[_short(s.symbol), str(s.trades), _figure(s.result, currency)] for s in shown]
    rest = told[SYMBOLS_MAX:]
    if rest:
        amount = sum((s.result for s in rest), Decimal(0))
        trades = str(sum(s.trades for s in rest))
        rows.append([tn("{n} more", "{n} more", len(rest)), trades, _figure(amount, currency)])
    if made.charges:
        rows.append([t("charges"), "", _figure(made.charges, currency)])
    return table([t("Symbol"), t("Trades"), t("Result {currency}", currency=clean(currency))], rows)


def _pips(value: Decimal) -> str:
    """`+0.4`, `-1.2`, `0.0`: adverse positive."""
    rounded = value.quantize(Decimal("0.1"), ROUND_HALF_EVEN) + 0
    return f"{rounded:+,.1f}" if rounded else "0.0"


def _slippage(made: Report) -> list[str]:
    """By symbol, then the hours in which the worst fills came."""
    if not made.slippage:
        return []
    lines = [t("Slippage in pips, + is worse than expected:")]
    lines += table(
        [t("Symbol"), "", t("Fills"), t("Median"), t("Worst")],
        [_slip(line) for line in made.slippage],
        left=2,
    )
    if len(made.slippage_by_hour) > len(made.slippage):
        worst = sorted(made.slippage_by_hour, key=lambda line: -line.worst)[:HOURS_MAX]
        kept = [line for line in made.slippage_by_hour if line in worst]
        lines.append(t("By hour of the day:"))
        lines += table(
            [t("Symbol"), "", t("Hour"), t("Fills"), t("Median"), t("Worst")],
            [_slip(line, hour=True) for line in kept],
            left=3,
        )
        left = len(made.slippage_by_hour) - len(kept)
        if left:
            lines.append(tn("and {n} quieter hour", "and {n} quieter hours", left))
    return lines


def _slip(line: SlipLine, *, hour: bool = False) -> list[str]:
    which_hour = [f"{line.hour:02d}h"] if hour and line.hour is not None else []
    way = t("in") if line.is_entry else t("out")
    return [
        _short(line.symbol),
        way,
        *which_hour,
        str(line.count),
        _pips(line.median),
        _pips(line.worst),
    ]


def _signals(count: SignalCount) -> str:
    parts = [
        tn("{n} followed", "{n} followed", count.followed),
        tn("{n} missed", "{n} missed", count.missed),
        tn("{n} rejected", "{n} rejected", count.rejected),
        tn("{n} expired", "{n} expired", count.expired),
    ]
    if count.waiting:
        parts.append(tn("{n} waiting", "{n} waiting", count.waiting))
    if not any((count.followed, count.missed, count.rejected, count.expired, count.waiting)):
        return t("Signals: none")
    return t("Signals: {counts}", counts=", ".join(parts))


def _flows(found: AccountReport) -> list[str]:
    flows, currency = found.report.flows, found.currency
    parts = []
    if flows.deposits:
        parts.append(t("in {amount}", amount=gain(flows.deposits, currency)))
    if flows.withdrawals:
        parts.append(t("out {amount}", amount=gain(flows.withdrawals, currency)))
    if flows.credit:
        parts.append(t("credit {amount}", amount=gain(flows.credit, currency)))
    if not parts:
        return []
    return [t("Money moved, neither profit nor loss: {amounts}", amounts=", ".join(parts))]


def _drawdown(found: AccountReport, voice: Voice) -> list[str]:
    made = found.report
    if made.worst_drawdown is None:
        return [t("Drawdown: not known, nothing was read")]
    figure, at = made.worst_drawdown
    there = local(at, _own(found, voice))
    day = "" if made.period.span is Span.DAY else f"{dated(there, 'EEE')} "
    when = f"{day}{there:%H:%M}"
    return [t("Worst drawdown read: {drawdown} at {when}", drawdown=percent(figure), when=when)]


def _uncertain(found: AccountReport, voice: Voice) -> list[str]:
    """What these figures cannot say, before they are read."""
    made, own = found.report, _own(found, voice)
    lines = []
    if found.unavailable_since is not None and found.now < made.period.end:
        since = moment(found.unavailable_since, own, today=found.now)
        lines.append(t("⚠️ Cannot be read since {since}; figures are from before.", since=since))
    if made.are_deals_cut:
        lines.append(
            t(
                "⚠️ More than {deals} deals: only the newest are counted, so results "
                "and file are not the whole.",
                deals=f"{len(found.file.deals):,}",
            )
        )
    lines += blind_words(found.report, own)
    if made.are_samples_cut:
        lines.append(t("⚠️ There were more readings than are looked at: the curve begins later."))
    return lines


def blind_words(made: Report, voice: Voice) -> list[str]:
    """The times without readings: the longest by name, all by their sum."""
    if not made.blind:
        return []
    longest = sorted(made.blind, key=lambda one: one.start - one.end)[:BLIND_MAX]
    lines = [f"⚠️ {_blind(one, made.period, voice)}" for one in sorted(longest, key=_began)]
    left = [one for one in made.blind if one not in longest]
    if left:
        total = sum((one.end - one.start for one in left), start=left[0].end - left[0].end)
        lines.append(
            tn(
                "⚠️ and {n} shorter time without readings, {total}",
                "⚠️ and {n} shorter times without readings, {total}",
                len(left),
                total=span(total),
            )
        )
    return [*lines, t("Lowest equity and drawdown of that time are not known.")]


def _began(one: Blind) -> datetime:
    return one.start


def _blind(one: Blind, period: Period, voice: Voice) -> str:
    start, end = local(one.start, voice), local(one.end, voice)
    day = "" if period.span is Span.DAY else f"{dated(start, 'EEE')} "
    other = "" if period.span is Span.DAY or start.date() == end.date() else f"{dated(end, 'EEE')} "
    return t(
        UNREADABLE if one.is_outage else NOT_RUNNING,
        start=f"{day}{start:%H:%M}",
        end=f"{other}{end:%H:%M}",
        length=span(one.end - one.start),
    )


def _times(found: AccountReport, voice: Voice) -> str:
    own = _own(found, voice)
    zone = "UTC" if found.time_zone == "UTC" else esc(found.time_zone)
    if found.now >= found.report.period.end or found.observed_at is None:
        return t("Times: {zone}", zone=zone)
    at = moment(found.observed_at, own, today=found.now)
    ago = span(found.now - found.observed_at)
    return t("Times: {zone}. Read at {at}, {ago} ago.", zone=zone, at=at, ago=ago)


def _own(found: AccountReport, voice: Voice) -> Voice:
    return voice.to(found.time_zone)


def chart(found: AccountReport, voice: Voice) -> ReportChart:
    """The picture: equity, what was not read, and bars by symbol (a day) or by day (a week)."""
    made = found.report
    start = max(made.period.start, min(found.known_from, made.curve[0].at))
    bars = [(_short(s.symbol), s.result) for s in made.symbols if s.result]
    title = t("Realised by symbol")
    if made.period.span is Span.WEEK:
        names = [date.fromordinal(made.period.first.toordinal() + n) for n in range(7)]
        begun = today(found.now, _own(found, voice))
        bars = [
            (dated(day, "EEE d"), result)
            for day, result in zip(names, made.days, strict=True)
            if day <= begun
        ]
        title = t("Realised by day")
    return ReportChart(
        account_id=found.account_id,
        title=f"{found.login}, {period_words(made.period)}: {gain(made.realised, found.currency)}",
        currency=found.currency,
        currency_digits=currency_digits(found.currency),
        time_zone=found.time_zone,
        mark=voice.mark,
        language=spoken(),
        start=start,
        end=min(made.period.end, found.now),
        points=made.curve,
        blind=tuple((one.start, one.end) for one in made.blind),
        flows=tuple((at, amount) for at, amount in made.flow_marks if at >= start),
        bars=tuple(bars) if any(amount for _, amount in bars) else (),
        bars_title=title,
    )


def today(now: datetime, voice: Voice) -> date:
    """The reader's present date."""
    return local(now, voice).date()
