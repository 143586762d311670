"""A day's or week's report in words: results, slippage, signals, money moved, drawdown.

What is not known stands first, and money moved never stands among the results.
"""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from bot import keyboards_history as keyboards
from bot.i18n import t, tn
from bot.markup import clean, esc
from bot.views import report_csv
from bot.views.message import Document, Message, ReportChart, Voice, compose, marked
from bot.views.numbers import (
    currency_digits,
    gain,
    local,
    lots,
    moment,
    money,
    percent,
    span,
)
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
        *_flows(found),
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
                t(
                    "{plural} of {period_words}",
                    plural=tn("{n} deal", "{n} deals", len(found.file.deals)),
                    period_words=period_words(made.period),
                ),
            ),
        ),
    )


def period_words(period: Period) -> str:
    """`Wed 4 Mar 2026`, or `Mon 2 Mar to Sun 8 Mar 2026`."""
    last = f"{period.last:%a} {period.last.day} {period.last:%b %Y}"
    if period.span is Span.DAY:
        return last
    return t(
        "{first} {day} {first2} to {last}",
        first=f"{period.first:%a}",
        day=period.first.day,
        first2=f"{period.first:%b}",
        last=last,
    )


def results(found: AccountReport) -> list[str]:
    """Realised and floating, trades, best and worst."""
    made, currency = found.report, found.currency
    lines = [t("Realised: <b>{realised}</b>", realised=gain(made.realised, currency))]
    if made.floating is not None:
        amount, at = made.floating
        there = local(at, Voice(time_zone=found.time_zone))
        lines.append(
            t("Open at {there}: {amount}", there=f"{there:%H:%M}", amount=gain(amount, currency))
        )
    if not made.trades:
        return [*lines, t("No trade was closed.")]
    even = made.trades - made.won - made.lost
    flat = t(", {even} even", even=even) if even else ""
    lines.append(
        t(
            "{plural} closed: {won} won, {lost} lost{flat}",
            plural=tn("{n} trade", "{n} trades", made.trades),
            won=made.won,
            lost=made.lost,
            flat=flat,
        )
    )
    if made.best is not None and made.worst is not None:
        is_one = made.worst.position_id == made.best.position_id
        lines.append(f"{t('It') if is_one else t('Best')}: {_trade(made.best, currency)}")
        lines += [] if is_one else [t("Worst: {trade}", trade=_trade(made.worst, currency))]
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
        rows.append([t("{rest} more", rest=len(rest)), trades, _figure(amount, currency)])
    if made.charges:
        rows.append(["charges", "", _figure(made.charges, currency)])
    return table([t("Symbol"), t("Trades"), t("Result {clean}", clean=clean(currency))], rows)


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
            lines.append(
                t("and {plural}", plural=tn("{n} quieter hour", "{n} quieter hours", left))
            )
    return lines


def _slip(line: SlipLine, *, hour: bool = False) -> list[str]:
    which_hour = [f"{line.hour:02d}h"] if hour and line.hour is not None else []
    way = "in" if line.is_entry else "out"
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
        t("{followed} followed", followed=count.followed),
        t("{missed} missed", missed=count.missed),
        t("{rejected} rejected", rejected=count.rejected),
        t("{expired} expired", expired=count.expired),
    ]
    if count.waiting:
        parts.append(t("{waiting} waiting", waiting=count.waiting))
    if not any((count.followed, count.missed, count.rejected, count.expired, count.waiting)):
        return t("Signals: none")
    return t("Signals: {join}", join=", ".join(parts))


def _flows(found: AccountReport) -> list[str]:
    flows, currency = found.report.flows, found.currency
    parts = []
    if flows.deposits:
        parts.append(t("in {deposits}", deposits=gain(flows.deposits, currency)))
    if flows.withdrawals:
        parts.append(t("out {withdrawals}", withdrawals=gain(flows.withdrawals, currency)))
    if flows.credit:
        parts.append(t("credit {credit}", credit=gain(flows.credit, currency)))
    if not parts:
        return []
    return [t("Money moved, neither profit nor loss: {join}", join=", ".join(parts))]


def _drawdown(found: AccountReport, voice: Voice) -> list[str]:
    made = found.report
    if made.worst_drawdown is None:
        return [t("Drawdown: not known, nothing was read")]
    figure, at = made.worst_drawdown
    there = local(at, _own(found, voice))
    when = f"{there:%H:%M}" if made.period.span is Span.DAY else f"{there:%a %H:%M}"
    lines = [t("Worst drawdown read: {figure} at {when}", figure=percent(figure), when=when)]
    if made.curve:
        first, last = made.curve[0].equity, made.curve[-1].equity
        lines.append(
            t(
                "Equity: {first} first, {last} last",
                first=money(first, found.currency),
                last=money(last, found.currency),
            )
        )
    return lines


def _uncertain(found: AccountReport, voice: Voice) -> list[str]:
    """What these figures cannot say, before they are read."""
    made, spoken = found.report, _own(found, voice)
    lines = []
    if found.unavailable_since is not None and found.now < made.period.end:
        since = moment(found.unavailable_since, spoken, today=found.now)
        lines.append(t("⚠️ Cannot be read since {since}; figures are from before.", since=since))
    if made.are_deals_cut:
        lines.append(
            t(
                "⚠️ More than {deals} deals: only the newest are counted, so results "
                "and file are not the whole.",
                deals=f"{len(found.file.deals):,}",
            )
        )
    lines += blind_words(found.report, spoken)
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
            t(
                "⚠️ and {plural} without readings, {total}",
                plural=tn("{n} shorter time", "{n} shorter times", len(left)),
                total=span(total),
            )
        )
    return [*lines, t("Lowest equity and drawdown of that time are not known.")]


def _began(one: Blind) -> datetime:
    return one.start


def _blind(one: Blind, period: Period, voice: Voice) -> str:
    why = t("Could not be read") if one.is_outage else t("Reckoner was not running")
    start, end = local(one.start, voice), local(one.end, voice)
    day = "" if period.span is Span.DAY else f"{start:%a} "
    other = "" if period.span is Span.DAY or start.date() == end.date() else f"{end:%a} "
    return t(
        "{why} {day}{start} to {other}{end} ({span})",
        why=why,
        day=day,
        start=f"{start:%H:%M}",
        other=other,
        end=f"{end:%H:%M}",
        span=span(one.end - one.start),
    )


def _times(found: AccountReport, voice: Voice) -> str:
    spoken = _own(found, voice)
    zone = "UTC" if found.time_zone == "UTC" else esc(found.time_zone)
    if found.now >= found.report.period.end or found.observed_at is None:
        return t("Times: {zone}", zone=zone)
    at = moment(found.observed_at, spoken, today=found.now)
    return t(
        "Times: {zone}. Read at {at}, {span} ago.",
        zone=zone,
        at=at,
        span=span(found.now - found.observed_at),
    )


def _own(found: AccountReport, voice: Voice) -> Voice:
    return Voice(mark=voice.mark, time_zone=found.time_zone)


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
            (f"{day:%a} {day.day}", result)
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
