"""/signals: offers that wait, what became of the last ones, and answers to them in words."""

from collections.abc import Sequence

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.alert_lines import trade
from bot.views.alerts_trades import signal_offered
from bot.views.message import Audience, Message, Voice, marked
from bot.views.numbers import moment
from bot.views.words import word
from core.domain.signal_board import AnsweredOffer, OwnSignals, SignalLine

STATUSES = {
    "offered": later("waiting"),
    "approved": later("approved"),
    "rejected": later("rejected"),
    "expired": later("expired"),
}
NONE = later("No signal was offered to you yet.")
NO_SIGNAL = later("No signal was posted yet.")


def own(signals: OwnSignals, voice: Voice) -> tuple[Message, ...]:
    """Each offer that waits with its buttons, then what became of the last ones."""
    waiting = [signal_offered(offer, voice, Audience.CLIENT) for offer in signals.waiting]
    count = len(waiting) + signals.more_waiting
    title = tn(
        "📣 {n} signal waiting for your answer", "📣 {n} signals waiting for your answer", count
    )
    lines = [f"<b>{marked(voice, title)}</b>"]
    lines += [
        t("🔒 {login} is locked: nothing can be approved before its /release.", login=login)
        for login in signals.locked
    ]
    if signals.more_waiting:
        lines.append(
            tn(
                "The newest {n} stand above; answer these first.",
                "The newest {n} stand above; answer these first.",
                len(waiting),
            )
        )
    lines += [_answered(each, voice) for each in signals.answered]
    if not count and not signals.answered:
        lines.append(t(NONE))
    return (*waiting, Message(html="\n".join(lines)))


def _answered(each: AnsweredOffer, voice: Voice) -> str:
    what = trade(each.symbol, each.side, each.volume)
    return t(
        "Signal {signal}, {trade} on {login}: {status} {at}",
        signal=each.signal_id,
        trade=what,
        login=each.login,
        status=word(STATUSES, each.status),
        at=moment(each.at, voice),
    )


def last(signals: Sequence[SignalLine], voice: Voice) -> Message:
    """The last signals for admins, the newest first."""
    lines = [f"<b>{marked(voice, t('📣 Last signals'))}</b>"]
    for each in signals:
        answers = ", ".join(
            _counted(status, count) for status, count in sorted(each.answers.items())
        )
        lines.append(
            t(
                "<b>{signal}</b> {trade}, by {author} {posted_at}, open until {until}: {answers}",
                signal=each.signal_id,
                trade=trade(each.symbol, each.side, each.volume),
                author=esc(each.author),
                posted_at=moment(each.posted_at, voice),
                until=moment(each.expires_at, voice),
                answers=answers or t("offered to nobody"),
            )
        )
    return Message(html="\n".join(lines if signals else [*lines, t(NO_SIGNAL)]))


def _counted(status: str, count: int) -> str:
    """How many accounts' answer to a signal is this one."""
    match status:
        case "offered":
            return tn("{n} waiting", "{n} waiting", count)
        case "approved":
            return tn("{n} approved", "{n} approved", count)
        case "rejected":
            return tn("{n} rejected", "{n} rejected", count)
        case "expired":
            return tn("{n} expired", "{n} expired", count)
        case _:
            return f"{count} {esc(status)}"


def usage(command: str, text: str) -> Message:
    """/approve or /reject without a signal's number."""
    said = t("I do not understand '{text}'. ", text=esc(text, 30)) if text else ""
    return Message(
        html=t(
            "{said}Write the signal's number after /{command}; /signals shows them.",
            said=said,
            command=command,
        )
    )
