"""The question which signal a position is, its answers, and what clients read of them."""

from collections.abc import Sequence

from bot import keyboards_adoption as buttons
from bot.i18n import later, t, tn
from bot.markup import ALERT_UNITS_MAX, esc, shortened
from bot.views.alert_lines import at_line, headline, more, stops_within, trade, who
from bot.views.message import Audience, Message, Voice, compose, marked
from bot.views.numbers import lots, moment, price, slippage, span
from bot.views.words import opened_by, word
from core.domain.adoption import Asked, Choice
from core.domain.alerts_adoption import AdoptionAlert, PositionAdopted, PositionQuestion
from core.domain.answers import QuestionAnswered

NO_GUESS = later(
    "Reckoner does not guess. Until an admin says so it is nobody's, and "
    "the drawdown and market guards apply to it as to any other."
)
UNTIL = later("I ask again when its side, its lots or the signals it may be change.")


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
    title = (
        t("❓ Which signal? {trade}", trade=_what(alert))
        if asked.choices
        else t("❓ No signal fits {trade}", trade=_what(alert))
    )
    head = [headline(voice, title), *_position(alert, voice)]
    rows = [_choice(choice, asked) for choice in asked.choices]
    tail = [t(NO_GUESS)]
    if asked.total > len(asked.choices):
        others = asked.total - len(asked.choices)
        rows.append(tn("and {n} other signal", "and {n} other signals", others))
    tail.append(
        t(
            "Or write: /adopt {position_id} and the number of the signal",
            position_id=asked.position_id,
        )
    )
    text = compose(head, [t("It may be:"), *rows] if rows else [], tail)
    return Message(html=text, keyboard=buttons.choices(alert))


def _position(alert: PositionQuestion, voice: Voice) -> list[str]:
    asked = alert.asked
    return [
        *who(alert, Audience.ADMIN),
        t(
            "Opened {how}, at {price}, {at}.",
            how=opened_by(asked.opened_by, asked.magic),
            price=price(asked.price),
            at=moment(asked.opened_at, voice),
        ),
        t("Position {position_id}", position_id=asked.position_id),
    ]


def _choice(choice: Choice, asked: Asked) -> str:
    """`Signal 5: 0.10 lots, expected at 1,970.30: 6.0 pips worse, 41 s after its approval`."""
    filled = t(" ({filled} filled)", filled=lots(choice.filled)) if choice.filled else ""
    off = "" if choice.off_pips is None else f": {slippage(choice.off_pips)}"
    late = choice.after.total_seconds() >= 0
    length = span(abs(choice.after))
    return t(
        "• Signal {signal_id}: {volume} lots{filled}, expected at "
        "{expected_entry}{slippage}, {opened}{other_lots}",
        signal_id=choice.signal_id,
        volume=lots(choice.volume),
        filled=filled,
        expected_entry=price(choice.expected_entry),
        slippage=off,
        opened=t("opened {span} after its approval", span=length)
        if late
        else t("opened {span} before its approval", span=length),
        other_lots="" if choice.volume - choice.filled == asked.volume else t(", other lots"),
    )


def _declined(alert: PositionQuestion, voice: Voice) -> Message:
    lines = [
        headline(voice, t("✋ No signal's: {trade}", trade=_what(alert))),
        *_position(alert, voice),
        f"{t('{answer}: it is none of the signals.', answer=_by(alert, voice))} {t(UNTIL)}",
    ]
    return Message(html="\n".join(lines), keyboard=buttons.again(alert), silent=True)


def _adopted(alert: PositionQuestion, voice: Voice) -> Message:
    named = (
        t("A trade of its own")
        if alert.signal_id is None
        else t("Signal {signal_id}", signal_id=alert.signal_id)
    )
    lines = [
        headline(voice, f"✅ {named}: {_what(alert)}"),
        *_position(alert, voice),
        t("{answer}. It is measured against that from now on.", answer=_by(alert, voice)),
        t(
            "It can be taken back while the trade is open: /disown {position_id}",
            position_id=alert.asked.position_id,
        ),
    ]
    return Message(html="\n".join(lines), keyboard=buttons.take_back(alert), silent=True)


def _disowned(alert: PositionQuestion, voice: Voice) -> Message:
    answer = _by(alert, voice)
    lines = [
        headline(voice, t("↩️ Taken back: {trade}", trade=_what(alert))),
        *_position(alert, voice),
        (
            t(
                "{answer}: it is not a trade of its own. It is told as unknown again.",
                answer=answer,
            )
            if alert.signal_id is None
            else t(
                "{answer}: it is not signal {signal_id}. It is told as unknown again.",
                answer=answer,
                signal_id=alert.signal_id,
            )
        ),
        t(UNTIL),
    ]
    return Message(html="\n".join(lines), keyboard=buttons.again(alert), silent=True)


def _over(alert: PositionQuestion, voice: Voice) -> Message:
    lines = [
        headline(voice, t("✅ Nothing to answer: {trade}", trade=_what(alert))),
        *_position(alert, voice),
        t("It is known without an answer by now, or it is not open any more."),
    ]
    return Message(html="\n".join(lines), silent=True)


def _what(alert: PositionQuestion) -> str:
    asked = alert.asked
    return t(
        "{trade} on {login}", trade=trade(asked.symbol, asked.side, asked.volume), login=alert.login
    )


def _by(alert: PositionQuestion, voice: Voice) -> str:
    at = "" if alert.at is None else t(" at {at}", at=moment(alert.at, voice))
    return t("{name} said so{at}", name=word({}, alert.by) or t("An admin"), at=at)


def adopted(alert: PositionAdopted, voice: Voice, audience: Audience) -> Message:
    """A client's position became a trade by somebody's word, or is none after all."""
    what = t(
        "{trade} on {login}", trade=trade(alert.symbol, alert.side, alert.volume), login=alert.login
    )
    by = word({}, alert.by) or t("An admin")
    if alert.undone_by:
        title = (
            t("↩️ Not a trade after all: {trade}", trade=what)
            if alert.signal_id is None
            else t(
                "↩️ Not signal {signal_id} after all: {trade}",
                signal_id=alert.signal_id,
                trade=what,
            )
        )
        lines = [
            headline(voice, title),
            *who(alert, audience),
            t(
                "{name} took that back. It is told as unknown again.",
                name=word({}, alert.undone_by),
            ),
            t("Position {position_id}", position_id=alert.position_id),
            at_line(alert.at, voice),
        ]
        return Message(html="\n".join(lines), silent=True)
    if alert.signal_id is None:
        title, meaning = (
            t("🔗 Watched as a trade: {trade}", trade=what),
            t("{name} said so; no signal called for it.", name=by),
        )
    else:
        title = t("🔗 Signal {signal_id}: {trade}", signal_id=alert.signal_id, trade=what)
        meaning = t("{name} said so: this position counts as the trade that was approved.", name=by)
    lines = [
        headline(voice, title),
        *who(alert, audience),
        meaning,
        t(
            "Opened at {price}, expected {expected_entry}.",
            price=price(alert.price),
            expected_entry=price(alert.expected_entry),
        ),
        t(
            "Expected of it: {expected_volume} lots, {stops}. I tell every difference.",
            expected_volume=lots(alert.expected_volume),
            stops=stops_within(alert.stop_loss, alert.take_profit),
        ),
        t("Position {position_id}", position_id=alert.position_id),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def waiting(cards: Sequence[PositionQuestion], total: int, voice: Voice) -> Message:
    """The questions that wait, with a button for each."""
    if not total:
        return Message(
            html=t(
                "No position waits to be named: each is a signal's, or its question is answered."
            )
        )
    shown = cards[: buttons.LISTED_MAX]
    rows = [*(_line(card) for card in shown), *more(total, len(shown))]
    title = tn("❓ {n} position to be named", "❓ {n} positions to be named", total)
    tail = [t("Or write: /adopt and the position, then the signal, own or none")]
    text = compose([f"<b>{marked(voice, title)}</b>"], rows, tail)
    return Message(html=text, keyboard=buttons.listed(shown))


def _line(card: PositionQuestion) -> str:
    asked = card.asked
    named = [str(choice.signal_id) for choice in asked.choices]
    may_be = t("signal {signals}", signals=t(" or ").join(named)) if named else t("no signal fits")
    return t(
        "• {login} {client}: {trade} at {price}, position {position_id}: {may_be}",
        login=card.login,
        client=esc(card.client, 40),
        trade=trade(asked.symbol, asked.side, asked.volume),
        price=price(asked.price),
        position_id=asked.position_id,
        may_be=may_be,
    )


def answered(answer: QuestionAnswered) -> str:
    """The pop-up, or the answer to a command, after a question was answered."""
    what = t(
        "{symbol} {side} {volume} on {login}",
        symbol=answer.symbol,
        side=answer.side,
        volume=lots(answer.volume),
        login=answer.login,
    )
    signal = answer.signal_id
    match answer.state:
        case "adopted" if signal is None:
            text = t("{trade} is a trade of its own now.", trade=what)
        case "adopted":
            text = t("{trade} is signal {signal} now.", trade=what, signal=signal)
        case "disowned":
            text = t("Taken back: {trade} is no trade any more.", trade=what)
        case _:
            text = f"{t('{trade} stays unknown.', trade=what)} {t(UNTIL)}"
    return shortened(text, ALERT_UNITS_MAX)


def usage(text: str) -> Message:
    """/adopt or /disown with something that is no position."""
    what = t("I do not understand '{text}'. ", text=esc(text, 30)) if text else ""
    how = t(
        "Write /adopt for the list, /adopt 900001 5 for signal 5, own or "
        "none in the place of 5, and /disown 900001 to take it back."
    )
    return Message(html=what + how)
