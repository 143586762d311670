"""Answers to what people do: greetings, help, a posted signal, a sync, a press."""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches

from bot import keyboards
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
        f"<b>{marked(voice, 'Reckoner watches your MetaTrader accounts.')}</b>",
        f"Hello {esc(person.name)}.",
        "• It compares each account with the signals you approved and tells you every difference.",
        (
            "• It warns you when the drawdown grows, and closes everything at the limit, day and "
            "night: nobody has to be awake for it, and nobody can switch it off."
        ),
        "• It never opens a trade: approved trades are placed by your own executor.",
        "Send /help for the commands.",
    ]
    return Message(html="\n".join(lines))


def help_text(person: Person) -> Message:
    """The commands this person may use, in groups."""
    lines = ["<b>Commands</b>"]
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
        closes = "Reckoner closes by rule, and no command starts or stops that"
        return Message(html=f"There is no /{known}: {closes}. To close a position, use MetaTrader.")
    if known in MEANT:
        return Message(html=f"There is no /{known}. Did you mean /{MEANT[known]}? See /help.")
    names = [command.name for command in allowed(person)]
    near = get_close_matches(name.lower(), names, n=SIMILAR_MAX, cutoff=SIMILARITY_MIN)
    guess = f" Did you mean {_either([f'/{each}' for each in near])}?" if near else ""
    return Message(html=f"I do not know /{esc(name)}.{guess} See /help.")


def unknown_text() -> Message:
    """Words that are no command."""
    return Message(html="I understand commands and buttons only. See /help.")


def signal_posted(posted: SignalPosted, voice: Voice) -> Message:
    """The signal went out, to how many, and why not to others."""
    draft = posted.draft
    what = f"{esc(draft.symbol)} {draft.side.value} {lots(draft.volume)}"
    title = f"📣 Signal {posted.signal_id} posted: {what}"
    if posted.repeated:
        title = f"📣 Signal {posted.signal_id} was posted already: {what}"
    head = [
        f"<b>{marked(voice, title)}</b>",
        (
            f"Stop loss: {price_or_none(draft.stop_loss)}, "
            f"take profit: {price_or_none(draft.take_profit)}"
        ),
        (
            f"Offered to {words.plural(posted.offered, 'account')}, "
            f"open until {moment(posted.expires_at, voice)}."
        ),
    ]
    rows = [f"• {esc(reason, words.UNKNOWN_CHARS_MAX)}" for reason in posted.skipped]
    return Message(html=compose(head, ["Please note:", *rows] if rows else []))


def bad_signal(problem: str) -> Message:
    """Which word is at fault, and how a signal is written."""
    lines = [f"That is not a signal: {esc(problem, 200)}"]
    if USAGE not in problem:
        lines.append(f"Write: /signal {esc(USAGE, 200)}")
    return Message(html="\n".join(lines))


def wizard(asker: int, symbol: str, side: str, volume: str, symbols: Sequence[str]) -> Message:
    """The signal form at its next open question."""
    typed = "You can also write it: " + code("/signal XAUUSD buy 0.10 sl 1950 tp 1990")
    if not symbol:
        keyboard = keyboards.wizard_symbols(asker, symbols)
        return Message(html=f"<b>New signal: which symbol?</b>\n{typed}", keyboard=keyboard)
    if not side:
        keyboard = keyboards.wizard_sides(asker, symbol)
        return Message(html=f"<b>New signal: {esc(symbol)}, buy or sell?</b>", keyboard=keyboard)
    if not volume:
        keyboard = keyboards.wizard_volumes(asker, symbol, side)
        title = f"<b>New signal: {esc(symbol)} {esc(side)}, how many lots?</b>"
        return Message(html=title, keyboard=keyboard)
    what = f"{esc(symbol)} {esc(side)} {esc(volume)}"
    lines = [
        f"<b>Post signal {what}?</b>",
        "Without stop loss and take profit. To set them, write "
        + code(f"/signal {symbol} {side} {volume} sl PRICE tp PRICE"),
        "Every linked client is asked to approve it.",
    ]
    return Message(
        html="\n".join(lines), keyboard=keyboards.wizard_post(asker, symbol, side, volume)
    )


def wizard_cancelled() -> Message:
    """The form was put away."""
    return Message(html="New signal: cancelled. Nothing was posted.")


def synced(report: SyncReport, voice: Voice, now: datetime) -> Message:
    """What a reading by hand gave, failures first."""
    title = f"🔄 {words.plural(len(report.synced), 'account')} read"
    if report.limited and not report.synced:
        wait_s = max(wait_s for _, wait_s in report.limited)
        title = f"⏳ Read a moment ago: try again in {wait_s} s"
    if report.failed:
        title = f"⚠️ {words.plural(len(report.failed), 'account')} could not be read"
    rows = [f"⚠️ {login}: {esc(reason, 120)}" for login, reason in report.failed]
    rows += [
        f"⏳ {login}: read a moment ago, try again in {wait_s} s"
        for login, wait_s in report.limited
    ]
    if report.synced:
        rows.append("✅ Read: " + ", ".join(str(login) for login in report.synced[:LOGINS_MAX]))
    left = len(report.synced) - LOGINS_MAX
    if left > 0:
        rows.append(f"and {left} more")
    return Message(
        html=compose([f"<b>{marked(voice, title)}</b>"], rows, [f"At {moment(now, voice)}"])
    )


def bad_login(text: str, command: str) -> Message:
    """A command about accounts with something that is no login."""
    return Message(html=f"'{esc(text, 20)}' is not a login. Write /{command} or /{command} 50001.")


def name_login(command: str) -> Message:
    """A command about an account, in a group, where nobody's own are shown."""
    return Message(html=f"Name the account here: /{command} 50001")


def bad_report(text: str) -> Message:
    """/report with a word that is no span, date or login."""
    what = f"I do not understand '{esc(text, 20)}'. " if text else ""
    return Message(
        html=f"{what}Write /report day or /report week, with a date (2026-03-04) or a login after "
        "it where you want another one."
    )


def decided(answer: ApprovalDecided) -> str:
    """The pop-up after Approve or Reject."""
    what = f"{answer.symbol} {answer.side} {lots(answer.volume)}"
    if not answer.approved:
        return f"Rejected: {what}. Nothing is traded."
    entry = "" if answer.expected_entry is None else f", expected at {price(answer.expected_entry)}"
    return shortened(f"Approved: {what}{entry}", ALERT_UNITS_MAX)


def answered(answer: WarningAnswered, voice: Voice) -> str:
    """The pop-up after an answer to a market warning."""
    if answer.state == "held" and answer.hold_until is not None:
        return f"{answer.symbol}: on hold until {plain(moment(answer.hold_until, voice))}"
    if answer.state == "closing":
        return f"{answer.symbol}: submitted. The result follows when it is proved."
    return shortened(
        f"{answer.symbol}: {plain(words.word(words.WARNING_STATES, answer.state))}", ALERT_UNITS_MAX
    )


def release_asked(login: int | None = None) -> str:
    """After a client asked for release."""
    which = "" if login is None else f" {login}"
    return f"Release asked for{which}. An admin will answer here."


def release_answered(*, grant: bool) -> str:
    """The pop-up after an admin's answer."""
    if grant:
        return "Granted. Reckoner proves the account flat, then unlocks it."
    return "Refused. The account stays locked."


def unblocked(answer: TerminalUnblocked) -> str:
    """After an admin cleared a terminal."""
    goes_on = f" Closing {words.scope(answer.closing)} goes on now." if answer.closing else ""
    return f"{answer.login} is unblocked.{goes_on}"


def bad_unblock(text: str) -> Message:
    """/unblock without a login, or with something that is none."""
    what = f"'{esc(text, 20)}' is not a login. " if text else ""
    return Message(html=f"{what}Write the login to unblock: /unblock 50001")


def trouble_report(ref: str, what: str, kind: str) -> str:
    """The admin chat's copy of a failure, to be found in the log by its reference."""
    return f"⚠️ Something went wrong, ref {esc(ref)}\n{esc(what, 120)}: {esc(kind, 120)}"


def _either(choices: Sequence[str]) -> str:
    if len(choices) == 1:
        return choices[0]
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def which_release(locked: Sequence[AccountBoard]) -> Message:
    """Several accounts are locked: a button for each."""
    keyboard = tuple(
        row
        for board in locked[: keyboards.ROWS_MAX]
        for row in keyboards.ask_release(board.account_id, suffix=f" {board.login}")
    )
    return Message(html="Several accounts are locked. Which one?", keyboard=keyboard)
