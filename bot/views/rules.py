"""An account's rules in words: how each floor comes about, what may still be lost, until when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.i18n import later, t
from bot.markup import esc
from bot.views.message import Message, Voice, marked, pages
from bot.views.numbers import gain, limit, lots, moment, money, percent, price, span
from bot.views.rule_titles import named, titled
from bot.views.words import word
from core.domain.board import DrawdownBoard
from core.domain.drawdown import COUNTDOWN_POINTS_MAX
from core.domain.headroom import WARN, PositionShare, RuleLine, nearest
from core.domain.rule_board import RuleBoard, RuleEvent
from core.domain.rule_clock import RuleClock
from core.domain.rules import AmountKind, Base, Measure, Mode, RuleSpec, Severity, Trail

WAITS = later("Looser rules wait until {when}, and for a flat account that is not locked: {names}.")
NONE_WAITS = later(
    "Looser rules wait until {when}, and for a flat account that is not locked: none."
)
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
    (Severity.WARN, Mode.ENFORCE): later("warns"),
    (Severity.WARN, Mode.ADVISE): later("warns"),
    (Severity.WARN, Mode.OBSERVE): later("only keeps a log"),
}
THEN = {
    Severity.CLOSE_ALL: later(
        "You can lose {more} more before everything is closed ({name}, floor {floor}){until}."
    ),
    Severity.PAUSE_DAY: later(
        "You can lose {more} more before approvals pause ({name}, floor {floor}){until}."
    ),
    Severity.WARN: later(
        "You can lose {more} more before a warning ({name}, floor {floor}){until}."
    ),
}
ALONE = later("By this rule alone it would be {more} ({name}, floor {floor}){until}.")
"""Another rule closes everything before this one does."""
BASES = {
    Base.BALANCE: later("balance"),
    Base.EQUITY: later("equity"),
    Base.MAX: later("the higher of balance and equity"),
    Base.INITIAL: later("initial balance"),
}
PARTS = {
    Base.BALANCE: later("{percent} of balance"),
    Base.EQUITY: later("{percent} of equity"),
    Base.MAX: later("{percent} of the higher of balance and equity"),
    Base.INITIAL: later("{percent} of initial balance"),
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
    "warn": later("warned"),
}
NOW_AT_MOST = later("Now {figure}, at most {floor} ({name}).")
NOW_AT_LEAST = later("Now {figure}, at least {floor} ({name}).")
MODES = {
    Mode.ENFORCE.value: later("enforce"),
    Mode.ADVISE.value: later("advise"),
    Mode.OBSERVE.value: later("observe"),
}
LOCKED = later("It follows the {trail} up and has reached its lock and stays there.")
FALLS = later("It follows the {trail} up and falls only by a release, or with money paid out.")


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
    first = nearest(known)
    told = [
        _room(line, account.currency, account.currency_digits, now, first)
        for line in known
        if not line.held.spec.always
    ]
    told += [line for each in known if (line := _ahead(each, account.currency))]
    if first is not None:
        told += _shares(first.shares)
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
                "{positions} open, at most {limit}",
                positions=f"{figure.normalize():f}",
                limit=f"{floor.normalize():f}",
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
        return f"{at:%H:%M} UTC"


def place(zone: str) -> str:
    """`Prague` of `Europe/Prague`."""
    return esc(zone.rsplit("/", 1)[-1].replace("_", " "))


def _account(each: RuleBoard, voice: Voice, now: datetime) -> list[str]:
    digits, currency = each.currency_digits, each.currency
    rows = [t("<b>{login}</b>, profile {profile}", login=each.login, profile=esc(each.profile))]
    if each.blind_since is not None:
        since = moment(each.blind_since, voice, today=now)
        rows.append(t("🔴 Not trustworthy since {since}.", since=since))
    if each.locked_since is not None:
        since = moment(each.locked_since, voice, today=now)
        rows.append(
            t("🔒 Locked since {since}: nothing may be opened before its release.", since=since)
        )
    if each.observed_at is None:
        return [*rows, t("⚠️ Never read: no floor is known.")]
    rows.append(t("Figures as of {at}", at=moment(each.observed_at, voice, today=now)))
    first = nearest(each.rules)
    rows += ["\n".join(_rule(line, currency, digits, voice, now, first)) for line in each.rules]
    rows += [
        t("<b>{title}</b>: begins with the next trusted reading", title=titled(title))
        for title in each.waiting
    ]
    if each.pending is not None:
        when = moment(each.pending.effective_at, voice, today=now)
        names = ", ".join(
            f"{titled(title)} ({word(MODES, mode)})" for title, mode in each.pending.rules
        )
        rows.append(t(WAITS if names else NONE_WAITS, when=when, names=names))
    rows += _countdown(each)
    rows += [_event(event, currency, voice, now) for event in each.events]
    return rows


def _countdown(each: RuleBoard) -> list[str]:
    """How long there is from a breach to the close, and when there is no time at all."""
    if each.locked_since is not None or not any(line.held.spec.always for line in each.rules):
        return []
    if not each.countdown_s:
        return [t("When a rule closes everything, it does so at once.")]
    return [
        t(
            "Before it closes everything Reckoner waits {length}, so that you can act. At once, "
            "without waiting: {points} points past the limit, below the minimum equity, or near "
            "the broker's stop-out.",
            length=span(timedelta(seconds=each.countdown_s)),
            points=f"{COUNTDOWN_POINTS_MAX.normalize():f}",
        )
    ]


def _rule(
    line: RuleLine,
    currency: str,
    digits: int,
    voice: Voice,
    now: datetime,
    first: RuleLine | None,
) -> list[str]:
    spec = line.held.spec
    rows = [f"<b>{titled(spec.title)}</b> ({t(DOES[spec.severity, line.held.mode])})"]
    rows.append(_arithmetic(line, currency, digits))
    if line.floor.acts_at != line.floor.limit:
        acts = _amount(spec, line.floor.acts_at, currency, digits)
        rows.append(
            t(
                "Acts at {acts}: {buffer} of the amount is kept back.",
                acts=acts,
                buffer=limit(spec.buffer_percent),
            )
        )
    if spec.trail is not Trail.NONE and spec.name != WARN:  # as the limit's own does
        rows.append(t(LOCKED if line.floor.locked else FALLS, trail=t(TRAILS[spec.trail])))
    if spec.clock is not None and timedelta(seconds=line.memory.base_age_s) > OLD_BASE:
        old = span(timedelta(seconds=line.memory.base_age_s))
        rows.append(t("⚠️ The last reading before that reset was {old} older than it.", old=old))
    rows.append(_room(line, currency, digits, now, first))
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
        until = moment(line.memory.paused_until, voice, today=now)
        rows.append(t("⏸ Approvals pause until {until}.", until=until))
    return rows


def _arithmetic(line: RuleLine, currency: str, digits: int) -> str:
    """`Floor 95,000.00 GBP = 100,000.00 GBP (balance at 00:00 Prague) - 5,000.00 GBP (...)`."""
    spec, floor = line.held.spec, line.floor
    told = _amount(spec, floor.limit, currency, digits)
    if spec.measure is not Measure.LOSS:
        of = _of(spec, line, currency, digits)
        bound = (
            t("At most {figure}", figure=told)
            if spec.is_ceiling
            else t("At least {figure}", figure=told)
        )
        return f"{bound} = {of}" if of else bound
    if spec.amount.kind is AmountKind.REMAIN:
        return t("Floor {floor}, whatever was won before", floor=told)
    base, amount = money(floor.base, currency, digits), money(floor.amount, currency, digits)
    of = _of(spec, line, currency, digits)
    if floor.locked:
        offset = _offset(spec, currency, digits)
        return t("Floor {floor}, locked at the initial balance{offset}", floor=told, offset=offset)
    return t(
        "Floor {floor} = {base} ({meaning}) - {amount}",
        floor=told,
        base=base,
        meaning=_base(line),
        amount=f"{amount} ({of})" if of else amount,
    )


def _of(spec: RuleSpec, line: RuleLine, currency: str, digits: int) -> str:
    """`5 % of the initial balance 100,000.00 GBP`, nothing of a fixed amount."""
    match spec.amount.kind:
        case AmountKind.PERCENT_OF_INITIAL:
            initial = money(line.memory.initial, currency, digits)
            return t(
                "{percent} of the initial balance {initial}",
                percent=limit(spec.amount.value),
                initial=initial,
            )
        case AmountKind.PERCENT_OF_BASE:
            told = limit(spec.amount.value)
            if spec.measure is Measure.LOSS:
                return t("{percent} of it", percent=told)
            return t(PARTS[spec.base], percent=told)
        case _:
            return ""


def _base(line: RuleLine) -> str:
    spec = line.held.spec
    if spec.trail is not Trail.NONE:
        trail = t(TRAILS[spec.trail])
        return t("{trail} or initial balance", trail=trail) if spec.base is Base.INITIAL else trail
    if spec.clock is None:
        return t(BASES[spec.base])
    return t("{base} at {time}", base=t(BASES[spec.base]), time=_clock(spec.clock))


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


def _room(line: RuleLine, currency: str, digits: int, now: datetime, first: RuleLine | None) -> str:
    """`You can lose 412.30 GBP more before everything is closed (...), until 00:00 Prague ...`."""
    spec, room = line.held.spec, line.room
    name = named(spec.title)
    if room is None or line.figure is None:
        return t("{title}: nothing open to measure.", title=titled(spec.title))
    floor = _amount(spec, line.floor.acts_at, currency, digits)
    if spec.measure is not Measure.LOSS:
        figure = _amount(spec, line.figure, currency, digits)
        said = NOW_AT_MOST if spec.is_ceiling else NOW_AT_LEAST
        return t(said, figure=figure, floor=floor, name=name)
    until = _until(line, now)
    if room < 0:
        past = money(-room, currency, digits)
        if spec.severity is Severity.WARN:
            return t(
                "🟠 {past} past the warning at {floor} ({name}){until}.",
                past=past,
                floor=floor,
                name=name,
                until=until,
            )
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
    said = THEN[spec.severity]
    if spec.severity is Severity.CLOSE_ALL and line is not first:
        said = ALONE
    return t(said, more=more, name=name, floor=floor, until=until)


def _until(line: RuleLine, now: datetime) -> str:
    spec, resets_at = line.held.spec, line.memory.resets_at
    if spec.clock is None or resets_at is None or resets_at <= now:
        return ""
    reset, left = at_reset(resets_at, spec.clock.zone), span(resets_at - now)
    return t(", until {reset} in {left}", reset=reset, left=left)


def _ahead(line: RuleLine, currency: str) -> str:
    """What the next reset would do, where it would leave no room."""
    spec, resets_at = line.held.spec, line.memory.resets_at
    if line.then is None or line.then_room is None or resets_at is None or spec.clock is None:
        return ""
    if line.then_room >= 0 or line.room is None or line.room < 0:
        return ""
    below = money(-line.then_room, currency)
    return t(
        "🟠 At {reset} this floor becomes {floor}: with the figures of now "
        "that is broken by {below}.",
        reset=at_reset(resets_at, spec.clock.zone),
        floor=money(line.then.acts_at, currency),
        below=below,
    )


def _shares(shares: Sequence[PositionShare]) -> list[str]:
    """Each position's part of the exposure, and the price at which it alone uses up the room."""
    rows: list[str] = []
    for share in shares[:SHARES_MAX]:
        trade = f"{esc(share.symbol)} {esc(share.side)} {lots(share.volume)}"
        ends = (
            ""
            if share.ends_at is None
            else t("; alone it ends the room at {price}", price=price(share.ends_at))
        )
        rows.append(
            t(
                "{trade}: {percent} of the exposure{ends}",
                trade=trade,
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
        "{at}: {title} {did} at {equity}",
        at=at,
        title=titled(event.title),
        did=word(did, event.severity),
        equity=money(event.equity, currency),
    )
    if event.resolved_at is None:
        return t("{told}; not over yet", told=told)
    if event.worst_equity is None:
        return told
    worst = money(event.worst_equity, currency)
    lasted = span(event.resolved_at - event.opened_at)
    return t(
        "{told}; {result} until it was over {lasted} later, lowest {lowest}",
        told=told,
        result=gain(event.result, currency),
        lasted=lasted,
        lowest=worst,
    )
