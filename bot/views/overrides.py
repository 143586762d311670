"""/override and /overrides: what admins decided over market warnings."""

from collections.abc import Sequence
from datetime import datetime

from bot.i18n import t, tn
from bot.markup import esc
from bot.views import alerts_market
from bot.views.message import Message, Voice
from bot.views.numbers import age, moment
from bot.views.words import OVERRIDES, reason, word
from core.domain.board import OverrideLine

LASTING_MAX = 10
PAST_MAX = 20


def usage(verbs: Sequence[str]) -> Message:
    """How to answer a warning in words."""
    return Message(
        html=(
            t(
                "Name the warning, the answer and the reason, for example "
                "<code>/override 12 hold waiting for the news</code>.\nAnswers: {answers}. "
                "The numbers stand in /warnings.",
                answers=", ".join(verbs),
            )
        )
    )


def shown(lines: Sequence[OverrideLine], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """Overrides that last, each with its warning's buttons; then those of a day, in one list."""
    if not lines:
        return (
            Message(
                html=t("No override lasts or was made today, {as_of}", as_of=age(now, now, voice))
            ),
        )
    lasting = [each for each in lines if each.lasts]
    said = [_lasting(each, voice, now) for each in lasting[:LASTING_MAX]]
    past = [each for each in lines if not each.lasts]
    if past:
        rows = [f"• {_decision(each, voice, now)}" for each in past[:PAST_MAX]]
        left = len(past) - len(rows)
        more = [t("and {left} more", left=left)] if left else []
        said.append(Message(html="\n".join([t("<b>Over, of the last day</b>"), *rows, *more])))
    left = len(lasting) - LASTING_MAX
    if left > 0:
        text = tn(
            "and {n} more that lasts. End these first.",
            "and {n} more that last. End these first.",
            left,
        )
        said.append(Message(html=text))
    return tuple(said)


def _lasting(line: OverrideLine, voice: Voice, now: datetime) -> Message:
    told = alerts_market.line(line.warning, voice, now)
    return Message(html=f"{told.html}\n{_decision(line, voice, now)}", keyboard=told.keyboard)


def _decision(line: OverrideLine, voice: Voice, now: datetime) -> str:
    until = (
        ""
        if line.expires_at is None
        else t(" until {until}", until=moment(line.expires_at, voice, today=now))
    )
    at = moment(line.decided_at, voice, today=now)
    return t(
        "{verb}{until}: {symbol}, warning {warning}, by {by} at {at} ({reason})",
        verb=word(OVERRIDES, line.verb),
        until=until,
        symbol=esc(line.warning.symbol),
        warning=line.warning.warning_id,
        by=esc(line.by),
        at=at,
        reason=reason(line.reason),
    )
