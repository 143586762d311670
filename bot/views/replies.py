"""Answers to what people do: greetings, help, a posted signal, a sync, a press."""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches

from bot import keyboards
from bot.i18n import t, tn
from bot.markup import ALERT_UNITS_MAX, esc, plain, shortened
from bot.views import causes, words
from bot.views.commands import allowed
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import lots, moment, price
from core.domain.answers import (
    ApprovalDecided,
    SyncReport,
    TerminalUnblocked,
    WarningAnswered,
)
from core.domain.board import AccountBoard
from core.domain.people import Person

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
        t(
            "• It warns you when the drawdown grows, and closes everything at the "
            "limit, day and night: nobody has to be awake for it, and nobody can "
            "switch it off."
        ),
        t("• It never opens a trade: approved trades are placed by your own executor."),
        t("Send /help for the commands."),
    ]
    return Message(html="\n".join(lines))


def help_text(person: Person, *, links: bool = False) -> Message:
    """The commands this person may use, in groups."""
    lines = [t("<b>Commands</b>")]
    group = ""
    for command in allowed(person, links=links):
        if command.group != group:
            group = command.group
            lines += ["", f"<b>{t(group)}</b>"]
        usage = f" {esc(t(command.usage))}" if command.usage else ""
        lines.append(f"/{command.name}{usage} - {t(command.says)}")
    return Message(html="\n".join(lines))


def unknown_command(name: str, person: Person, *, links: bool = False) -> Message:
    """The nearest commands to a mistyped one, of those this person may use."""
    known = name.lower()
    if not known:  # not kept: it may have been a password
        return Message(html=t("I do not know this command. See /help."))
    if known in BY_RULE:
        return Message(
            html=t(
                "There is no /{command}: Reckoner closes by rule, and no command starts or stops "
                "that. To close a position, use MetaTrader.",
                command=known,
            )
        )
    if known in MEANT:
        return Message(
            html=t(
                "There is no /{command}. Did you mean /{meant}? See /help.",
                command=known,
                meant=MEANT[known],
            )
        )
    names = [command.name for command in allowed(person, links=links)]
    near = get_close_matches(name.lower(), names, n=SIMILAR_MAX, cutoff=SIMILARITY_MIN)
    if not near:
        return Message(html=t("I do not know /{command}. See /help.", command=esc(name)))
    return Message(
        html=t(
            "I do not know /{command}. Did you mean {commands}? See /help.",
            command=esc(name),
            commands=_either([f"/{each}" for each in near]),
        )
    )


def unknown_text() -> Message:
    """Words that are no command."""
    return Message(html=t("I understand commands and buttons only. See /help."))


def synced(report: SyncReport, voice: Voice, now: datetime) -> Message:
    """What a reading by hand gave, failures first."""
    title = tn("🔄 {n} account read", "🔄 {n} accounts read", len(report.synced))
    if report.limited and not report.synced:
        wait_s = max(wait_s for _, wait_s in report.limited)
        title = t("⏳ Read a moment ago: try again in {wait_s} s", wait_s=wait_s)
    if report.failed:
        title = tn(
            "⚠️ {n} account could not be read",
            "⚠️ {n} accounts could not be read",
            len(report.failed),
        )
    rows = [f"⚠️ {login}: {causes.cause(reason, 120)}" for login, reason in report.failed]
    rows += [
        t("⏳ {login}: read a moment ago, try again in {wait_s} s", login=login, wait_s=wait_s)
        for login, wait_s in report.limited
    ]
    if report.synced:
        read = ", ".join(str(login) for login in report.synced[:LOGINS_MAX])
        rows.append(t("✅ Read: {logins}", logins=read))
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
    said = t("I do not understand '{text}'. ", text=esc(text, 20)) if text else ""
    return Message(
        html=t(
            "{said}Write /report day or /report week, with a date (2026-03-04) or "
            "a login after it where you want another one.",
            said=said,
        )
    )


def decided(answer: ApprovalDecided) -> str:
    """The pop-up after Approve or Reject."""
    trade = f"{answer.symbol} {answer.side} {lots(answer.volume)}"
    if not answer.approved:
        return t("Rejected: {trade}. Nothing is traded.", trade=trade)
    if answer.expected_entry is None:
        return shortened(t("Approved: {trade}", trade=trade), ALERT_UNITS_MAX)
    entry = price(answer.expected_entry)
    text = t("Approved: {trade}, expected at {entry}", trade=trade, entry=entry)
    return shortened(text, ALERT_UNITS_MAX)


def answered(answer: WarningAnswered, voice: Voice) -> str:
    """The pop-up after an answer to a market warning."""
    if answer.state == "held" and answer.hold_until is not None:
        return t(
            "{symbol}: on hold until {until}",
            symbol=answer.symbol,
            until=plain(moment(answer.hold_until, voice)),
        )
    if answer.state == "closing":
        return t("{symbol}: submitted. The result follows when it is proved.", symbol=answer.symbol)
    return shortened(
        f"{answer.symbol}: {plain(words.word(words.WARNING_STATES, answer.state))}", ALERT_UNITS_MAX
    )


def release_asked(login: int | None = None) -> str:
    """After a client asked for release."""
    if login is None:
        return t("Release asked for. An admin will answer here.")
    return t("Release asked for {login}. An admin will answer here.", login=login)


def release_answered(*, grant: bool) -> str:
    """The pop-up after an admin's answer."""
    if grant:
        return t("Granted. Reckoner proves the account flat, then unlocks it.")
    return t("Refused. The account stays locked.")


def unblocked(answer: TerminalUnblocked) -> str:
    """After an admin cleared a terminal."""
    if not answer.closing:
        return t("{login} is unblocked.", login=answer.login)
    return t(
        "{login} is unblocked. Closing {scope} goes on now.",
        login=answer.login,
        scope=words.scope(answer.closing),
    )


def bad_unblock(text: str) -> Message:
    """/unblock without a login, or with something that is none."""
    said = t("'{text}' is not a login. ", text=esc(text, 20)) if text else ""
    return Message(html=t("{said}Write the login to unblock: /unblock 50001", said=said))


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
    return t("{others} or {last}", others=", ".join(choices[:-1]), last=choices[-1])


def which_release(locked: Sequence[AccountBoard]) -> Message:
    """Several accounts are locked: a button for each."""
    keyboard = tuple(
        row
        for board in locked[: keyboards.ROWS_MAX]
        for row in keyboards.ask_release(board.account_id, suffix=f" {board.login}")
    )
    return Message(html=t("Several accounts are locked. Which one?"), keyboard=keyboard)
