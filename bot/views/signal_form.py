"""/signal: the form with its buttons, what was posted, and what is wrong with a typed one."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot import keyboards
from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views import causes, words
from bot.views.alert_lines import stops
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import lots, moment
from core.domain.answers import SignalPosted
from core.domain.signals import BadSignal, SignalProblem

USAGE_CHARS_MAX: Final = 200
EXAMPLE: Final = "XAUUSD buy 0.10 sl 1950 tp 1990"
USAGE: Final = later(
    "SYMBOL buy|sell VOLUME [sl PRICE] [tp PRICE], for example XAUUSD buy 0.10 sl 1950 tp 1990"
)
PARTS: Final[Mapping[str, str]] = {
    "volume": later("volume"),
    "stop_loss": later("stop loss"),
    "take_profit": later("take profit"),
}
PROBLEMS: Final[Mapping[SignalProblem, str]] = {
    SignalProblem.TOO_FEW: later("expected {usage}"),
    SignalProblem.TOO_MANY: later("'{word}' is one word too many: expected {usage}"),
    SignalProblem.SYMBOL: later("symbol '{word}': expected the broker's name, such as XAUUSD"),
    SignalProblem.SIDE: later("side '{word}': expected buy or sell"),
    SignalProblem.COMMA: later(
        "{part} '{word}': write it with a point, such as 0.10, and no commas"
    ),
    SignalProblem.NO_NUMBER: later("{part} '{word}': expected a number"),
    SignalProblem.NOT_POSITIVE: later("{part} '{word}': expected a number above zero"),
    SignalProblem.TOO_LONG: later(
        "{part} '{word}': expected at most 8 decimals and 12 digits before"
    ),
    SignalProblem.NO_LEVEL: later("'{word}': expected sl or tp"),
    SignalProblem.TWICE: later("'{word}' is given twice"),
    SignalProblem.NO_PRICE: later("'{word}': expected a price after it"),
}


def posted(sent: SignalPosted, voice: Voice) -> Message:
    """The signal went out, to how many, and why not to others."""
    draft = sent.draft
    what = f"{esc(draft.symbol)} {draft.side.value} {lots(draft.volume)}"
    text = t("📣 Signal {signal} posted: {trade}", signal=sent.signal_id, trade=what)
    if sent.repeated:
        text = t(
            "📣 Signal {signal} was posted already: {trade}", signal=sent.signal_id, trade=what
        )
    head = [
        f"<b>{marked(voice, text)}</b>",
        stops(draft.stop_loss, draft.take_profit),
        tn(
            "Offered to {n} account, open until {until}.",
            "Offered to {n} accounts, open until {until}.",
            sent.offered,
            until=moment(sent.expires_at, voice),
        ),
    ]
    rows = [f"• {causes.of_account(each, words.UNKNOWN_CHARS_MAX)}" for each in sent.skipped]
    return Message(html=compose(head, [t("Please note:"), *rows] if rows else []))


def bad_signal(bad: BadSignal) -> Message:
    """Which word is at fault, and how a signal is written."""
    part = t(PARTS[bad.part]) if bad.part else ""
    usage = esc(t(USAGE), USAGE_CHARS_MAX)
    problem = t(PROBLEMS[bad.problem], word=esc(bad.word), part=part, usage=usage)
    lines = [t("That is not a signal: {problem}", problem=problem)]
    if "{usage}" not in PROBLEMS[bad.problem]:
        lines.append(t("Write: /signal {usage}", usage=usage))
    return Message(html="\n".join(lines))


def wizard(asker: int, symbol: str, side: str, volume: str, symbols: Sequence[str]) -> Message:
    """The signal form at its next open question."""
    typed = t("You can also write it: {command}", command=code(f"/signal {EXAMPLE}"))
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
        title = t("<b>New signal: {trade}, how many lots?</b>", trade=f"{esc(symbol)} {esc(side)}")
        return Message(html=title, keyboard=keyboard)
    what = f"{esc(symbol)} {esc(side)} {esc(volume)}"
    lines = [
        t("<b>Post signal {trade}?</b>", trade=what),
        t(
            "Without stop loss and take profit. To set them, write {command}",
            command=code(f"/signal {symbol} {side} {volume} {t('sl PRICE tp PRICE')}"),
        ),
        t("Every linked client is asked to approve it."),
    ]
    return Message(
        html="\n".join(lines), keyboard=keyboards.wizard_post(asker, symbol, side, volume)
    )


def wizard_cancelled() -> Message:
    """The form was put away."""
    return Message(html=t("New signal: cancelled. Nothing was posted."))
