"""The question which signal a position is, its answers, and what clients read of them."""

from collections.abc import Sequence

from bot import keyboards_adoption as buttons
from bot.markup import ALERT_UNITS_MAX, esc, shortened
from bot.views.alert_lines import at_line, headline, stops, trade, who
from bot.views.message import Audience, Message, Voice, compose, marked
from bot.views.numbers import lots, moment, price, slippage, span
from bot.views.words import opened_by, plural, word
from core.domain.adoption import Asked, Choice
from core.domain.alerts_adoption import AdoptionAlert, PositionAdopted, PositionQuestion
from core.domain.answers import QuestionAnswered

NO_GUESS = (
    "Reckoner does not guess. Until an admin says so it is nobody's, and the drawdown and market "
    "guards apply to it as to any other."
)
UNTIL = "I ask again when its side, its lots or the signals it may be change."


def render(alert: AdoptionAlert, voice: Voice, audience: Audience) -> Message:
    """The message such an alert becomes for these readers; questions go to admins only."""
    match alert:
        case PositionQuestion():
            return question(alert, voice)
        case PositionAdopted():
            return adopted(alert, voice, audience)


def question(alert: PositionQuestion, voice: Voice, *, again: bool = False) -> Message:
    """A question, or what became of it. `again` shows one that was declined with its buttons."""
    match alert.state:
        case "declined" if not again:
            return _declined(alert, voice)
        case "adopted":
            return _adopted(alert, voice)
        case "disowned":
            return _disowned(alert, voice)
        case "over":
            return _over(alert, voice)
        case _:
            return _open(alert, voice)


def _open(alert: PositionQuestion, voice: Voice) -> Message:
    asked = alert.asked
    fits = bool(asked.choices)
    title = "Which signal?" if fits else "No signal fits"
    head = [headline(voice, f"❓ {title} {_what(alert)}"), *_position(alert, voice)]
    rows = [_choice(choice, asked) for choice in asked.choices]
    tail = [NO_GUESS]
    if asked.total > len(asked.choices):
        rows.append(f"and {plural(asked.total - len(asked.choices), 'other signal')}")
    tail.append(f"Or write: /adopt {asked.position_id} and the number of the signal")
    text = compose(head, ["It may be:", *rows] if rows else [], tail)
    return Message(html=text, keyboard=buttons.choices(alert))


def _position(alert: PositionQuestion, voice: Voice) -> list[str]:
    asked = alert.asked
    return [
        *who(alert, Audience.ADMIN),
        (
            f"Opened {opened_by(asked.opened_by, asked.magic)}, at {price(asked.price)}, "
            f"{moment(asked.opened_at, voice)}."
        ),
        f"Position {asked.position_id}",
    ]


def _choice(choice: Choice, asked: Asked) -> str:
    """`Signal 5: 0.10 lots, expected at 1,970.30: 6.0 pips worse, 41 s after its approval`."""
    filled = f" ({lots(choice.filled)} filled)" if choice.filled else ""
    off = "" if choice.off_pips is None else f": {slippage(choice.off_pips)}"
    seconds = choice.after.total_seconds()
    when = "after" if seconds >= 0 else "before"
    return (
        f"• Signal {choice.signal_id}: {lots(choice.volume)} lots{filled}, expected at "
        f"{price(choice.expected_entry)}{off}, opened {span(abs(choice.after))} {when} its approval"
        f"{'' if choice.volume - choice.filled == asked.volume else ', other lots'}"
    )


def _declined(alert: PositionQuestion, voice: Voice) -> Message:
    lines = [
        headline(voice, f"✋ No signal's: {_what(alert)}"),
        *_position(alert, voice),
        f"{_by(alert, voice)}: it is none of the signals. {UNTIL}",
    ]
    return Message(html="\n".join(lines), keyboard=buttons.again(alert), silent=True)


def _adopted(alert: PositionQuestion, voice: Voice) -> Message:
    named = "A trade of its own" if alert.signal_id is None else f"Signal {alert.signal_id}"
    lines = [
        headline(voice, f"✅ {named}: {_what(alert)}"),
        *_position(alert, voice),
        f"{_by(alert, voice)}. It is measured against that from now on.",
        f"It can be taken back while the trade is open: /disown {alert.asked.position_id}",
    ]
    return Message(html="\n".join(lines), keyboard=buttons.take_back(alert), silent=True)


def _disowned(alert: PositionQuestion, voice: Voice) -> Message:
    named = "a trade of its own" if alert.signal_id is None else f"signal {alert.signal_id}"
    lines = [
        headline(voice, f"↩️ Taken back: {_what(alert)}"),
        *_position(alert, voice),
        f"{_by(alert, voice)}: it is not {named}. It is told as unknown again.",
        UNTIL,
    ]
    return Message(html="\n".join(lines), keyboard=buttons.again(alert), silent=True)


def _over(alert: PositionQuestion, voice: Voice) -> Message:
    lines = [
        headline(voice, f"✅ Nothing to answer: {_what(alert)}"),
        *_position(alert, voice),
        "It is known without an answer by now, or it is not open any more.",
    ]
    return Message(html="\n".join(lines), silent=True)


def _what(alert: PositionQuestion) -> str:
    asked = alert.asked
    return f"{trade(asked.symbol, asked.side, asked.volume)} on {alert.login}"


def _by(alert: PositionQuestion, voice: Voice) -> str:
    at = "" if alert.at is None else f" at {moment(alert.at, voice)}"
    return f"{word({}, alert.by) or 'An admin'} said so{at}"


def adopted(alert: PositionAdopted, voice: Voice, audience: Audience) -> Message:
    """A client's position became a trade by somebody's word, or is none after all."""
    what = f"{trade(alert.symbol, alert.side, alert.volume)} on {alert.login}"
    by = word({}, alert.by) or "An admin"
    if alert.undone_by:
        named = "a trade" if alert.signal_id is None else f"signal {alert.signal_id}"
        lines = [
            headline(voice, f"↩️ Not {named} after all: {what}"),
            *who(alert, audience),
            f"{word({}, alert.undone_by)} took that back. It is told as unknown again.",
            f"Position {alert.position_id}",
            at_line(alert.at, voice),
        ]
        return Message(html="\n".join(lines), silent=True)
    if alert.signal_id is None:
        title, meaning = f"🔗 Watched as a trade: {what}", f"{by} said so; no signal called for it."
    else:
        title = f"🔗 Signal {alert.signal_id}: {what}"
        meaning = f"{by} said so: this position counts as the trade that was approved."
    lines = [
        headline(voice, title),
        *who(alert, audience),
        meaning,
        f"Opened at {price(alert.price)}, expected {price(alert.expected_entry)}.",
        (
            f"Expected of it: {lots(alert.expected_volume)} lots, "
            f"{stops(alert.stop_loss, alert.take_profit).lower()}. I tell every difference."
        ),
        f"Position {alert.position_id}",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def waiting(cards: Sequence[PositionQuestion], total: int, voice: Voice) -> Message:
    """The questions that wait, with a button for each."""
    if not total:
        return Message(
            html="No position waits to be named: each is a signal's, or its question is answered."
        )
    shown = cards[: buttons.LISTED_MAX]
    rows = [_line(card) for card in shown]
    if total > len(shown):
        rows.append(f"and {total - len(shown)} more")
    title = f"❓ {plural(total, 'position')} to be named"
    tail = ["Or write: /adopt and the position, then the signal, own or none"]
    text = compose([f"<b>{marked(voice, title)}</b>"], rows, tail)
    return Message(html=text, keyboard=buttons.listed(shown))


def _line(card: PositionQuestion) -> str:
    asked = card.asked
    named = [str(choice.signal_id) for choice in asked.choices]
    may_be = f"signal {' or '.join(named)}" if named else "no signal fits"
    return (
        f"• {card.login} {esc(card.client, 40)}: {trade(asked.symbol, asked.side, asked.volume)} "
        f"at {price(asked.price)}, position {asked.position_id}: {may_be}"
    )


def answered(answer: QuestionAnswered) -> str:
    """The pop-up, or the answer to a command, after a question was answered."""
    what = f"{answer.symbol} {answer.side} {lots(answer.volume)} on {answer.login}"
    signal = answer.signal_id
    match answer.state:
        case "adopted" if signal is None:
            text = f"{what} is a trade of its own now."
        case "adopted":
            text = f"{what} is signal {signal} now."
        case "disowned":
            text = f"Taken back: {what} is no trade any more."
        case _:
            text = f"{what} stays unknown. {UNTIL}"
    return shortened(text, ALERT_UNITS_MAX)


def usage(text: str) -> Message:
    """/adopt or /disown with something that is no position."""
    what = f"I do not understand '{esc(text, 30)}'. " if text else ""
    return Message(
        html=f"{what}Write /adopt for the list, /adopt 900001 5 for signal 5, own or none in the "
        "place of 5, and /disown 900001 to take it back."
    )
