"""/signals: offers that wait, what became of the last ones, and answers to them in words."""

from collections.abc import Sequence

from bot.markup import esc
from bot.views.alert_lines import trade
from bot.views.alerts_trades import signal_offered
from bot.views.message import Audience, Message, Voice, marked
from bot.views.numbers import moment
from bot.views.words import plural, word
from core.domain.signal_board import AnsweredOffer, OwnSignals, SignalLine

STATUSES = {"offered": "waiting", "approved": "approved", "rejected": "rejected"}
NONE = "No signal was offered to you yet."
NO_SIGNAL = "No signal was posted yet."


def own(signals: OwnSignals, voice: Voice) -> tuple[Message, ...]:
    """Each offer that waits with its buttons, then what became of the last ones."""
    waiting = [signal_offered(offer, voice, Audience.CLIENT) for offer in signals.waiting]
    count = len(waiting) + signals.more_waiting
    title = f"📣 {plural(count, 'signal')} waiting for your answer"
    lines = [f"<b>{marked(voice, title)}</b>"]
    if signals.more_waiting:
        lines.append(f"The newest {len(waiting)} stand above; answer these first.")
    lines += [_answered(each, voice) for each in signals.answered]
    if not count and not signals.answered:
        lines.append(NONE)
    return (*waiting, Message(html="\n".join(lines)))


def _answered(each: AnsweredOffer, voice: Voice) -> str:
    what = trade(each.symbol, each.side, each.volume)
    return (
        f"Signal {each.signal_id}, {what} on {each.login}: {word(STATUSES, each.status)} "
        f"{moment(each.at, voice)}"
    )


def last(signals: Sequence[SignalLine], voice: Voice) -> Message:
    """The last signals for admins, the newest first."""
    lines = [f"<b>{marked(voice, '📣 Last signals')}</b>"]
    for each in signals:
        answers = ", ".join(
            f"{count} {word(STATUSES, status)}" for status, count in sorted(each.answers.items())
        )
        lines.append(
            f"<b>{each.signal_id}</b> {trade(each.symbol, each.side, each.volume)}, by "
            f"{esc(each.author)} {moment(each.posted_at, voice)}, open until "
            f"{moment(each.expires_at, voice)}: {answers or 'offered to nobody'}"
        )
    return Message(html="\n".join(lines if signals else [*lines, NO_SIGNAL]))


def usage(command: str, text: str) -> Message:
    """/approve or /reject without a signal's number."""
    said = f"I do not understand '{esc(text, 30)}'. " if text else ""
    return Message(html=f"{said}Write the signal's number after /{command}; /signals shows them.")
