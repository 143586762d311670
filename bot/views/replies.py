"""Answers to what people do: greetings, help, a posted signal, a sync, a press."""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches

from bot import keyboards
from bot.i18n import t
from bot.markup import ALERT_UNITS_MAX, code, esc, plain, shortened
from bot.views import words
from bot.views.commands import allowed
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import lots, moment, price, price_or_none
from core.domain.answers import (
    ApprovalDecided,
    SignalPosted,
    SyncReport,
    TerminalUnblocked,
    WarningAnswered,
)
from core.domain.board import AccountBoard
from core.domain.people import Person
from core.domain.signals import USAGE

SIMILAR_MAX = 3
SIMILARITY_MIN = 0.5
LOGINS_MAX = 100
BY_RULE = frozenset({"close", "closeall", "stop", "cancel"})
"""Commands people look for when their money is at stake, and that do not exist."""
MEANT = {"chart": "drawdown", "equity": "drawdown", "balance": "positions", "trades": "positions"}


def start(person: Person, voice: Voice) -> Message:
    """What Reckoner is, to a known person."""
    lines = [
        f"<b>{marked(voice, t('Reckoner watches your MetaTrader accounts.'))}</b>",
        t("Hello {name}.", name=esc(person.name)),
        t(
            "• It compares each account with the signals you approved and tells "
            "you every difference."
        ),
        (
            t(
                "• It warns you when the drawdown grows, and closes everything at the "
                "limit, day and night: nobody has to be awake for it, and nobody can "
                "switch it off."
            )
        ),
        t("• It never opens a trade: approved trades are placed by your own executor."),
        t("Send /help for the commands."),
    ]
    return Message(html="\n".join(lines))


def help_text(person: Person) -> Message:
    """The commands this person may use, in groups."""
    lines = [t("<b>Commands</b>")]
    group = ""
    for command in allowed(person):
        if command.group != group:
            group = command.group
            lines += ["", f"<b>{group}</b>"]
        usage = f" {esc(command.usage)}" if command.usage else ""
        lines.append(f"/{command.name}{usage} - {command.says}")
    return Message(html="\n".join(lines))


def unknown_command(name: str, person: Person) -> Message:
    """The nearest commands to a mistyped one, of those this person may use."""
    known = name.lower()
    if known in BY_RULE:
        closes = t("Reckoner closes by rule, and no command starts or stops that")
        return Message(
            html=t(
                "There is no /{known}: {closes}. To close a position, use MetaTrader.",
                known=known,
                closes=closes,
            )
        )
    if known in MEANT:
        return Message(
            html=t(
                "There is no /{known}. Did you mean /{meant}? See /help.",
                known=known,
                meant=t(MEANT[known]),
            )
        )
    names = [command.name for command in allowed(person)]
    near = get_close_matches(name.lower(), names, n=SIMILAR_MAX, cutoff=SIMILARITY_MIN)
    guess = (
        t(" Did you mean {either}?", either=_either([f"/{each}" for each in near])) if near else ""
    )
    return Message(html=t("I do not know /{name}.{guess} See /help.", name=esc(name), guess=guess))


def unknown_text() -> Message:
    """Words that are no command."""
    return Message(html=t("I understand commands and buttons only. See /help."))


def signal_posted(posted: SignalPosted, voice: Voice) -> Message:
    """The signal went out, to how many, and why not to others."""
    draft = posted.draft
    what = f"{esc(draft.symbol)} {draft.side.value} {lots(draft.volume)}"
    title = t("📣 Signal {signal_id} posted: {what}", signal_id=posted.signal_id, what=what)
    if posted.repeated:
        title = t(
            "📣 Signal {signal_id} was posted already: {what}",
            signal_id=posted.signal_id,
            what=what,
        )
    head = [
        f"<b>{marked(voice, title)}</b>",
        (
            t(
                "Stop loss: {stop_loss}, take profit: {take_profit}",
                stop_loss=price_or_none(draft.stop_loss),
                take_profit=price_or_none(draft.take_profit),
            )
        ),
        (
            t(
                "Offered to {plural}, open until {expires_at}.",
                plural=words.plural(posted.offered, "account"),
                expires_at=moment(posted.expires_at, voice),
            )
        ),
    ]
    rows = [f"• {esc(reason, words.UNKNOWN_CHARS_MAX)}" for reason in posted.skipped]
    return Message(html=compose(head, [t("Please note:"), *rows] if rows else []))


def bad_signal(problem: str) -> Message:
    """Which word is at fault, and how a signal is written."""
    lines = [t("That is not a signal: {problem}", problem=esc(problem, 200))]
    if USAGE not in problem:
        lines.append(t("Write: /signal {usage}", usage=esc(USAGE, 200)))
    return Message(html="\n".join(lines))


def wizard(asker: int, symbol: str, side: str, volume: str, symbols: Sequence[str]) -> Message:
    """The signal form at its next open question."""
    typed = t("You can also write it: ") + code(t("/signal XAUUSD buy 0.10 sl 1950 tp 1990"))
    if not symbol:
        keyboard = keyboards.wizard_symbols(asker, symbols)
        return Message(
            html=t("<b>New signal: which symbol?</b>\n{typed}", typed=typed), keyboard=keyboard
        )
    if not side:
        keyboard = keyboards.wizard_sides(asker, symbol)
        return Message(
            html=t("<b>New signal: {symbol}, buy or sell?</b>", symbol=esc(symbol)),
            keyboard=keyboard,
        )
    if not volume:
        keyboard = keyboards.wizard_volumes(asker, symbol, side)
        title = t(
            "<b>New signal: {symbol} {side}, how many lots?</b>", symbol=esc(symbol), side=esc(side)
        )
        return Message(html=title, keyboard=keyboard)
    what = f"{esc(symbol)} {esc(side)} {esc(volume)}"
    lines = [
        t("<b>Post signal {what}?</b>", what=what),
        t("Without stop loss and take profit. To set them, write ")
        + code(
            t(
                "/signal {symbol} {side} {volume} sl PRICE tp PRICE",
                symbol=symbol,
                side=side,
                volume=volume,
            )
        ),
        t("Every linked client is asked to approve it."),
    ]
    return Message(
        html="\n".join(lines), keyboard=keyboards.wizard_post(asker, symbol, side, volume)
    )


def wizard_cancelled() -> Message:
    """The form was put away."""
    return Message(html=t("New signal: cancelled. Nothing was posted."))


def synced(report: SyncReport, voice: Voice, now: datetime) -> Message:
    """What a reading by hand gave, failures first."""
    title = t("🔄 {plural} read", plural=words.plural(len(report.synced), "account"))
    if report.limited and not report.synced:
        wait_s = max(wait_s for _, wait_s in report.limited)
        title = t("⏳ Read a moment ago: try again in {wait_s} s", wait_s=wait_s)
    if report.failed:
        title = t(
            "⚠️ {plural} could not be read", plural=words.plural(len(report.failed), "account")
        )
    rows = [f"⚠️ {login}: {esc(reason, 120)}" for login, reason in report.failed]
    rows += [
        t("⏳ {login}: read a moment ago, try again in {wait_s} s", login=login, wait_s=wait_s)
        for login, wait_s in report.limited
    ]
    if report.synced:
        rows.append(t("✅ Read: ") + ", ".join(str(login) for login in report.synced[:LOGINS_MAX]))
    left = len(report.synced) - LOGINS_MAX
    if left > 0:
        rows.append(t("and {left} more", left=left))
    return Message(
        html=compose(
            [f"<b>{marked(voice, title)}</b>"], rows, [t("At {now}", now=moment(now, voice))]
        )
    )


def bad_login(text: str, command: str) -> Message:
    """A command about accounts with something that is no login."""
    return Message(
        html=t(
            "'{text}' is not a login. Write /{command} or /{command} 50001.",
            text=esc(text, 20),
            command=command,
        )
    )


def name_login(command: str) -> Message:
    """A command about an account, in a group, where nobody's own are shown."""
    return Message(html=t("Name the account here: /{command} 50001", command=command))


def bad_report(text: str) -> Message:
    """/report with a word that is no span, date or login."""
    what = t("I do not understand '{text}'. ", text=esc(text, 20)) if text else ""
    return Message(
        html=t(
            "{what}Write /report day or /report week, with a date (2026-03-04) or "
            "a login after it where you want another one.",
            what=what,
        )
    )


def decided(answer: ApprovalDecided) -> str:
    """The pop-up after Approve or Reject."""
    what = f"{answer.symbol} {answer.side} {lots(answer.volume)}"
    if not answer.approved:
        return t("Rejected: {what}. Nothing is traded.", what=what)
    entry = (
        ""
        if answer.expected_entry is None
        else t(", expected at {expected_entry}", expected_entry=price(answer.expected_entry))
    )
    return shortened(t("Approved: {what}{entry}", what=what, entry=entry), ALERT_UNITS_MAX)


def answered(answer: WarningAnswered, voice: Voice) -> str:
    """The pop-up after an answer to a market warning."""
    if answer.state == "held" and answer.hold_until is not None:
        return t(
            "{symbol}: on hold until {plain}",
            symbol=answer.symbol,
            plain=plain(moment(answer.hold_until, voice)),
        )
    if answer.state == "closing":
        return t("{symbol}: submitted. The result follows when it is proved.", symbol=answer.symbol)
    return shortened(
        f"{answer.symbol}: {plain(words.word(words.WARNING_STATES, answer.state))}", ALERT_UNITS_MAX
    )


def release_asked(login: int | None = None) -> str:
    """After a client asked for release."""
    which = "" if login is None else f" {login}"
    return t("Release asked for{which}. An admin will answer here.", which=which)


def release_answered(*, grant: bool) -> str:
    """The pop-up after an admin's answer."""
    if grant:
        return t("Granted. Reckoner proves the account flat, then unlocks it.")
    return t("Refused. The account stays locked.")


def unblocked(answer: TerminalUnblocked) -> str:
    """After an admin cleared a terminal."""
    goes_on = (
        t(" Closing {scope} goes on now.", scope=words.scope(answer.closing))
        if answer.closing
        else ""
    )
    return t("{login} is unblocked.{goes_on}", login=answer.login, goes_on=goes_on)


def bad_unblock(text: str) -> Message:
    """/unblock without a login, or with something that is none."""
    what = t("'{text}' is not a login. ", text=esc(text, 20)) if text else ""
    return Message(html=t("{what}Write the login to unblock: /unblock 50001", what=what))


def trouble_report(ref: str, what: str, kind: str) -> str:
    """The admin chat's copy of a failure, to be found in the log by its reference."""
    return t(
        "⚠️ Something went wrong, ref {ref}\n{what}: {kind}",
        ref=esc(ref),
        what=esc(what, 120),
        kind=esc(kind, 120),
    )


def _either(choices: Sequence[str]) -> str:
    if len(choices) == 1:
        return choices[0]
    return t("{join} or {choices}", join=", ".join(choices[:-1]), choices=choices[-1])


def which_release(locked: Sequence[AccountBoard]) -> Message:
    """Several accounts are locked: a button for each."""
    keyboard = tuple(
        row
        for board in locked[: keyboards.ROWS_MAX]
        for row in keyboards.ask_release(board.account_id, suffix=f" {board.login}")
    )
    return Message(html=t("Several accounts are locked. Which one?"), keyboard=keyboard)
