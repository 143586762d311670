"""An account's rules in words: how each floor comes about, what may still be lost, until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.i18n import later, t
from bot.markup import esc
from bot.views.message import Message, Voice, marked, pages
from bot.views.numbers import gain, limit, lots, moment, money, percent, price, span
from bot.views.words import word
from core.domain.board import DrawdownBoard
from core.domain.headroom import PositionShare, RuleLine
from core.domain.rule_board import RuleBoard, RuleEvent
from core.domain.rule_clock import RuleClock
from core.domain.rules import AmountKind, Base, Measure, Mode, RuleSpec, Severity, Trail

SHARES_MAX = 5
"""Positions shown one by one, the largest first."""
OLD_BASE = timedelta(minutes=1)
"""A base read longer than this before its reset is said to be old."""
DOES = {
    (Severity.CLOSE_ALL, Mode.ENFORCE): later("closes everything"),
    (Severity.CLOSE_ALL, Mode.ADVISE): later("advises to close, closes nothing"),
    (Severity.CLOSE_ALL, Mode.OBSERVE): later("only keeps a log, closes nothing"),
    (Severity.PAUSE_DAY, Mode.ENFORCE): later("pauses approvals for the day"),
    (Severity.PAUSE_DAY, Mode.ADVISE): later("advises to pause, refuses nothing"),
    (Severity.PAUSE_DAY, Mode.OBSERVE): later("only keeps a log, refuses nothing"),
    (Severity.WARN, Mode.ENFORCE): "warns",
    (Severity.WARN, Mode.ADVISE): "warns",
    (Severity.WARN, Mode.OBSERVE): later("only keeps a log"),
}
THEN = {
    Severity.CLOSE_ALL: later("everything is closed"),
    Severity.PAUSE_DAY: later("approvals pause"),
    Severity.WARN: later("a warning"),
}
BASES = {
    Base.BALANCE: "balance",
    Base.EQUITY: "equity",
    Base.MAX: later("the higher of balance and equity"),
    Base.INITIAL: later("initial balance"),
}
TRAILS = {
    Trail.EOD_BALANCE: later("highest balance at the end of a day"),
    Trail.EOD_EQUITY: later("highest equity at the end of a day"),
    Trail.INTRADAY_EQUITY: later("highest equity"),
}
WOULD = {
    "close_all": later("would have closed everything"),
    "pause_day": later("would have paused the day"),
    "warn": later("would have warned"),
}
DID = {
    "close_all": later("closed everything"),
    "pause_day": later("paused the day"),
    "warn": "warned",
}

FALLS = later("falls only by a release, or with money paid out")


def board(boards: Sequence[RuleBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """Every rule of these accounts, its arithmetic in words."""
    logins = ", ".join(str(each.login) for each in boards)
    title = f"<b>{marked(voice, t('📐 Rules of {logins}', logins=logins))}</b>"
    rows: list[str] = []
    for each in boards:
        rows += _account(each, voice, now)
    return pages(title, rows)


def headroom(asked: DrawdownBoard, now: datetime) -> list[str]:
    """What may still be lost by each rule of the profile, and each position's share in it."""
    account = asked.account
    known = [line for line in asked.rules if line.room is not None]
    if not known or account.guard in {"latched", "closing", "countdown"}:
        return []
    told = [
        _room(line, account.currency, account.currency_digits, now)
        for line in known
        if not line.held.spec.always
    ]
    told += [line for each in known if (line := _ahead(each, account.currency))]
    closing = [
        line
        for line in known
        if line.held.spec.severity is Severity.CLOSE_ALL
        and line.held.mode is Mode.ENFORCE
        and line.held.spec.measure is Measure.LOSS
        and line.room is not None
        and line.room >= 0
    ]
    if closing:
        told += _shares(min(closing, key=lambda line: line.room or Decimal(0)).shares)
    return told


def against(measure: str, figure: Decimal, floor: Decimal, currency: str) -> str:
    """`9,480.00 GBP, floor 9,500.00 GBP`; percent and counts for what is no money."""
    match measure:
        case Measure.MARGIN_LEVEL:
            return t(
                "{figure}, at least {floor}", figure=percent(figure, floor), floor=limit(floor)
            )
        case Measure.POSITIONS:
            return t(
                "{normalize} open, at most {normalize2}",
                normalize=f"{figure.normalize():f}",
                normalize2=f"{floor.normalize():f}",
            )
        case Measure.EXPOSURE:
            return t(
                "{figure}, at most {floor}",
                figure=money(figure, currency),
                floor=money(floor, currency),
            )
        case _:
            return t(
                "{figure}, floor {floor}",
                figure=money(figure, currency),
                floor=money(floor, currency),
            )


def at_reset(at: datetime, zone: str) -> str:
    """`00:00 Prague`: a reset in its rule's own zone; in UTC where that is not known here."""
    try:
        return f"{at.astimezone(ZoneInfo(zone)):%H:%M} {place(zone)}"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return t("{at} UTC", at=f"{at:%H:%M}")


def place(zone: str) -> str:
    """`Prague` of `Europe/Prague`."""
    return esc(zone.rsplit("/", 1)[-1].replace("_", " "))


def _account(each: RuleBoard, voice: Voice, now: datetime) -> list[str]:
    digits, currency = each.currency_digits, each.currency
    rows = [t("<b>{login}</b>, profile {profile}", login=each.login, profile=esc(each.profile))]
    if each.blind_since is not None:
        rows.append(
            t(
                "🔴 Not trustworthy since {blind_since}.",
                blind_since=moment(each.blind_since, voice, today=now),
            )
        )
    if each.observed_at is None:
        return [*rows, t("⚠️ Never read: no floor is known.")]
    rows.append(
        t("Figures as of {observed_at}", observed_at=moment(each.observed_at, voice, today=now))
    )
    rows += ["\n".join(_rule(line, currency, digits, voice, now)) for line in each.rules]
    rows += [
        t("<b>{title}</b>: begins with the next trusted reading", title=esc(title))
        for title in each.waiting
    ]
    if each.pending is not None:
        when = moment(each.pending.effective_at, voice, today=now)
        names = ", ".join(f"{esc(title)} ({mode})" for title, mode in each.pending.rules) or "none"
        rows.append(
            t(
                "Looser rules wait until {when}, and for a flat account that is not "
                "locked: {names}.",
                when=when,
                names=names,
            )
        )
    rows += [_event(event, currency, voice, now) for event in each.events]
    return rows


def _rule(line: RuleLine, currency: str, digits: int, voice: Voice, now: datetime) -> list[str]:
    spec = line.held.spec
    rows = [f"<b>{esc(spec.title)}</b> ({t(DOES[spec.severity, line.held.mode])})"]
    rows.append(_arithmetic(line, currency, digits))
    if line.floor.acts_at != line.floor.limit:
        acts = _amount(spec, line.floor.acts_at, currency, digits)
        rows.append(
            t(
                "Acts at {acts}: {buffer_percent} of the amount is kept back.",
                acts=acts,
                buffer_percent=limit(spec.buffer_percent),
            )
        )
    if spec.trail is not Trail.NONE:
        stays = t("has reached its lock and stays there") if line.floor.locked else t(FALLS)
        rows.append(
            t("It follows the {trails} up and {stays}.", trails=t(TRAILS[spec.trail]), stays=stays)
        )
    if spec.clock is not None and timedelta(seconds=line.memory.base_age_s) > OLD_BASE:
        old = span(timedelta(seconds=line.memory.base_age_s))
        rows.append(t("⚠️ The last reading before that reset was {old} older than it.", old=old))
    rows.append(_room(line, currency, digits, now))
    ahead = _ahead(line, currency)
    if ahead:
        rows.append(ahead)
    if line.held.closes and not line.memory.armed and not spec.always:
        rows.append(
            t("⚠️ Not armed: it was broken at its first reading. Is the initial balance right?")
        )
    if line.memory.over_since is not None:
        since = moment(line.memory.over_since, voice, today=now)
        rows.append(
            t("⚠️ Past it since {since} by readings that cannot be trusted yet.", since=since)
        )
    if line.memory.paused_until is not None and line.memory.paused_until > now:
        rows.append(
            t(
                "⏸ Approvals pause until {paused_until}.",
                paused_until=moment(line.memory.paused_until, voice, today=now),
            )
        )
    return rows


def _arithmetic(line: RuleLine, currency: str, digits: int) -> str:
    """`Floor 95,000.00 GBP = 100,000.00 GBP (balance at 00:00 Prague) - 5,000.00 GBP (...)`."""
    spec, floor = line.held.spec, line.floor
    told = _amount(spec, floor.limit, currency, digits)
    if spec.measure is not Measure.LOSS:
        of = _of(spec, line, currency, digits)
        least = t("At most") if spec.is_ceiling else t("At least")
        return f"{least} {told}{f' = {of}' if of else ''}"
    if spec.amount.kind is AmountKind.REMAIN:
        return t("Floor {told}, whatever was won before", told=told)
    base, amount = money(floor.base, currency, digits), money(floor.amount, currency, digits)
    of = _of(spec, line, currency, digits)
    result = t(
        "Floor {told} = {base} ({base2}) - {amount}{what}",
        told=told,
        base=base,
        base2=_base(line),
        amount=amount,
        what=f" ({of})" if of else "",
    )
    if floor.locked:
        return t(
            "Floor {told}, locked at the initial balance{offset}",
            told=told,
            offset=_offset(spec, currency, digits),
        )
    return result


def _of(spec: RuleSpec, line: RuleLine, currency: str, digits: int) -> str:
    """`5 % of the initial balance 100,000.00 GBP`, nothing of a fixed amount."""
    match spec.amount.kind:
        case AmountKind.PERCENT_OF_INITIAL:
            initial = money(line.memory.initial, currency, digits)
            return t(
                "{value} of the initial balance {initial}",
                value=limit(spec.amount.value),
                initial=initial,
            )
        case AmountKind.PERCENT_OF_BASE:
            base = "" if spec.measure is Measure.LOSS else f" {t(BASES[spec.base])}"
            return t(
                "{value} of {what}",
                value=limit(spec.amount.value),
                what="it" if not base else base.strip(),
            )
        case _:
            return ""


def _base(line: RuleLine) -> str:
    spec = line.held.spec
    if spec.trail is not Trail.NONE:
        start = t(" or initial balance") if spec.base is Base.INITIAL else ""
        return f"{t(TRAILS[spec.trail])}{start}"
    if spec.clock is None:
        return t(BASES[spec.base])
    return t("{bases} at {clock}", bases=t(BASES[spec.base]), clock=_clock(spec.clock))


def _offset(spec: RuleSpec, currency: str, digits: int) -> str:
    return f" + {money(spec.lock_offset, currency, digits)}" if spec.lock_offset else ""


def _clock(clock: RuleClock) -> str:
    return f"{clock.hour:02}:{clock.minute:02} {place(clock.zone)}"


def _amount(spec: RuleSpec, value: Decimal, currency: str, digits: int) -> str:
    match spec.measure:
        case Measure.MARGIN_LEVEL:
            return limit(value)
        case Measure.POSITIONS:
            return f"{value.normalize():f}"
        case _:
            return money(value, currency, digits)


def _room(line: RuleLine, currency: str, digits: int, now: datetime) -> str:
    """`You can lose 412.30 GBP more before everything is closed (...), until 00:00 Prague ...`."""
    spec, room = line.held.spec, line.room
    name = esc(spec.title.lower())
    if room is None or line.figure is None:
        return t("{title}: nothing open to measure.", title=esc(spec.title))
    floor = _amount(spec, line.floor.acts_at, currency, digits)
    if spec.measure is not Measure.LOSS:
        figure = _amount(spec, line.figure, currency, digits)
        least = t("at most") if spec.is_ceiling else t("at least")
        return t(
            "Now {figure}, {least} {floor} ({name}).",
            figure=figure,
            least=least,
            floor=floor,
            name=name,
        )
    until = _until(line, now)
    if room < 0:
        past = money(-room, currency, digits)
        return t(
            "🔴 {past} below the floor of {floor} ({name}){until}.",
            past=past,
            floor=floor,
            name=name,
            until=until,
        )
    more = money(room, currency, digits)
    if line.held.mode is not Mode.ENFORCE:
        does = t(DOES[spec.severity, line.held.mode])
        return t(
            "You can lose {more} more above floor {floor} ({name}: {does}){until}.",
            more=more,
            floor=floor,
            name=name,
            does=does,
            until=until,
        )
    then = t(THEN[spec.severity])
    return t(
        "You can lose {more} more before {then} ({name}, floor {floor}){until}.",
        more=more,
        then=then,
        name=name,
        floor=floor,
        until=until,
    )


def _until(line: RuleLine, now: datetime) -> str:
    spec, resets_at = line.held.spec, line.memory.resets_at
    if spec.clock is None or resets_at is None or resets_at <= now:
        return ""
    return t(
        ", until {at_reset} in {span}",
        at_reset=at_reset(resets_at, spec.clock.zone),
        span=span(resets_at - now),
    )


def _ahead(line: RuleLine, currency: str) -> str:
    """What the next reset would do, where it would leave no room."""
    spec, resets_at = line.held.spec, line.memory.resets_at
    if line.then is None or line.then_room is None or resets_at is None or spec.clock is None:
        return ""
    if line.then_room >= 0 or line.room is None or line.room < 0:
        return ""
    below = money(-line.then_room, currency)
    return t(
        "🟠 At {at_reset} this floor becomes {acts_at}: with the figures of now "
        "that is broken by {below}.",
        at_reset=at_reset(resets_at, spec.clock.zone),
        acts_at=money(line.then.acts_at, currency),
        below=below,
    )


def _shares(shares: Sequence[PositionShare]) -> list[str]:
    """Each position's part of the exposure, and the price at which it alone uses up the room."""
    rows: list[str] = []
    for share in shares[:SHARES_MAX]:
        what = f"{esc(share.symbol)} {esc(share.side)} {lots(share.volume)}"
        ends = (
            ""
            if share.ends_at is None
            else t("; alone it ends the room at {ends_at}", ends_at=price(share.ends_at))
        )
        rows.append(
            t(
                "{what}: {percent} of the exposure{ends}",
                what=what,
                percent=percent(share.percent),
                ends=ends,
            )
        )
    left = len(shares) - SHARES_MAX
    return [*rows, t("and {left} more", left=left)] if left > 0 else rows


def _event(event: RuleEvent, currency: str, voice: Voice, now: datetime) -> str:
    """`4 Mar 10:00: would have closed everything at 9,480.00 GBP; since then +120.00 GBP`."""
    at = moment(event.opened_at, voice, today=now)
    did = DID if event.mode == Mode.ENFORCE else WOULD
    told = t(
        "{at}: {title} {severity} at {equity}",
        at=at,
        title=esc(event.title),
        severity=word(did, event.severity),
        equity=money(event.equity, currency),
    )
    if event.resolved_at is None:
        return t("{told}; not over yet", told=told)
    if event.worst_equity is None:
        return told
    worst = money(event.worst_equity, currency)
    lasted = span(event.resolved_at - event.opened_at)
    return t(
        "{told}; {result} until it was over {lasted} later, lowest {worst}",
        told=told,
        result=gain(event.result, currency),
        lasted=lasted,
        worst=worst,
    )
