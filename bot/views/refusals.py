"""Why Reckoner does not do as asked, in one sentence each, and what to do next."""

from datetime import timedelta
from decimal import Decimal

from bot.markup import esc
from bot.views import obstacles, refusals_adoption
from bot.views.message import Voice
from bot.views.numbers import money, percent, pips, span
from bot.views.refusal_parts import Facts, Sentence
from bot.views.refusal_parts import at as _at
from bot.views.refusal_parts import fixed as _fixed
from bot.views.refusal_parts import outside as _outside
from bot.views.words import REASONS, WARNING_STATES, holdings, word
from core.services.errors import Refused

OLD_BUTTON = "This button is from an older version. Send the command again for a current one."
PRIVATE_ONLY = "I show accounts only in private. Please look in our private chat."
ADMIN_HAS_NONE = "I show accounts only in private. You have none of your own; /accounts shows all."
ADMIN_PLACE = "Admin commands work in the admin chat and in your private chat with me."
FOREIGN = "This button belongs to somebody else."
PENDING = "Your access is not confirmed yet. Please wait for your admin."
BLOCKED = "You cannot use this bot. Please ask your admin if you think this is a mistake."
ADMINS_ONLY = "Only an admin can do that. Nothing was changed."
NO_STORE = "The database cannot be used at the moment. Please try again in a minute."
NO_ROLE = "This is not available to you."
NAMES_MAX = 5
DECISIONS = {
    "approved": "approved",
    "rejected": "rejected",
    "expired": "expired",
    "blocked": "blocked",
}


def sentence(refused: Refused, voice: Voice) -> str:
    """The refusal as Telegram HTML."""
    known = SENTENCES.get(refused.code)
    if known is None:
        return f"That is not possible now ({esc(refused.code.replace('_', ' '))})."
    return known(refused.facts, voice)


def trouble(ref: str) -> str:
    """Something failed on our side; the reference finds it in the log."""
    return (
        f"Something went wrong on our side, ref {esc(ref)}. Nothing needs to be sent again; "
        "look at /status, and tell your admin the reference."
    )


def _amount(facts: Facts, key: str) -> str:
    value = facts.get(key)
    currency = str(facts.get("currency", ""))
    return money(value, currency) if isinstance(value, Decimal) else "unknown"


def _already_decided(facts: Facts, voice: Voice) -> str:
    decision = word(DECISIONS, str(facts.get("decision", "decided")))
    return f"Already {decision}{_at(facts, 'at', voice)}. Nothing was changed."


def _no_offer(facts: Facts, _voice: Voice) -> str:
    return f"Signal {_outside(facts, 'signal')} was not offered to you. See /signals."


def _audit_long(facts: Facts, _voice: Voice) -> str:
    return (
        f"It has more than {_outside(facts, 'most')} links, too many for a chat. Use "
        "python -m bot audit verify on Reckoner's machine."
    )


def _by_pause(facts: Facts, voice: Voice) -> str:
    """By an admin, of signals."""
    return (
        f"Signals are paused{_at(facts, 'until', voice, before=' until ')} by "
        f"{_outside(facts, 'by')}: {_outside(facts, 'reason')}. Nothing was changed."
    )


def _paused(facts: Facts, voice: Voice) -> str:
    return (
        f"Nothing new is approved{_at(facts, 'until', voice, ' until ')}: the rule "
        f"'{_outside(facts, 'rule')}' is broken and pauses the account for the day."
    )


def _latched(facts: Facts, voice: Voice) -> str:
    reason = word(REASONS, str(facts.get("reason", "drawdown")))
    return (
        f"The account is locked{_at(facts, 'since', voice, ' since ')} ({reason}). "
        "Ask for its release with /release."
    )


def _unavailable(facts: Facts, voice: Voice) -> str:
    since = _at(facts, "since", voice, " since ")
    return (
        f"The account cannot be read{since}{_outside(facts, 'reason', ': ')}. "
        "Please try again when it is back."
    )


def _not_armed(facts: Facts, _voice: Voice) -> str:
    return f"The account's guard is not ready yet{_outside(facts, 'why', ': ')}. Try again soon."


def _below_minimum(facts: Facts, _voice: Voice) -> str:
    return (
        f"Equity is {_amount(facts, 'equity')}, below the minimum of {_amount(facts, 'minimum')}. "
        "A deposit is needed first."
    )


def _no_price(facts: Facts, _voice: Voice) -> str:
    symbol = _outside(facts, "symbol") or "this symbol"
    return f"There is no current price for {symbol}. Try again soon."


def _not_yours(facts: Facts, _voice: Voice) -> str:
    if "incident" in facts:
        return (
            f"You have no incident {_outside(facts, 'incident')}. /incident lists those you have."
        )
    login = _outside(facts, "login")
    return f"{login} is not your account." if login else f"{FOREIGN} Nothing was changed."


def _not_found(facts: Facts, _voice: Voice) -> str:
    if "incident" in facts:
        return f"There is no incident {_outside(facts, 'incident')}. /incident lists the newest."
    login = _outside(facts, "login")
    return f"There is no account {login} here." if login else "That does not exist (any more)."


def _stale(facts: Facts, voice: Voice) -> str:
    code = str(facts.get("state", ""))
    state = word(WARNING_STATES, code) or "changed"
    by = _outside(facts, "by", " by ")
    see = " See /warnings." if code in WARNING_STATES else ""
    return f"Already handled: {state}{by}{_at(facts, 'at', voice)}.{see}"


def _already_asked(facts: Facts, voice: Voice) -> str:
    return f"Release was asked for already{_at(facts, 'at', voice)}. An admin will answer."


def _not_flat(facts: Facts, _voice: Voice) -> str:
    positions, orders = facts.get("positions", 0), facts.get("orders", 0)
    counts = holdings(_count(positions), _count(orders))
    return f"The account is not flat: {counts} open. Reckoner closes that first."


def _count(value: object) -> int:
    if isinstance(value, int):
        return value
    return len(value) if isinstance(value, (tuple, list)) else 0


def _alarm_taken(facts: Facts, voice: Voice) -> str:
    return f"{_outside(facts, 'by')} has it{_at(facts, 'at', voice, ' since ')}."


def _alarm_over(facts: Facts, voice: Voice) -> str:
    return f"It is over{_at(facts, 'at', voice, ' since ')}. Nobody has to do anything."


def _unknown_zone(facts: Facts, _voice: Voice) -> str:
    near = [str(name) for name in facts.get("near", ())]
    meant = f" Did you mean {esc(' or '.join(near), 120)}?" if near else ""
    return f"I know no time zone{_outside(facts, 'zone', ' ')}.{meant} An example: Europe/London."


def _too_many_tokens(facts: Facts, _voice: Voice) -> str:
    limit = _outside(facts, "limit") or "all"
    return f"You have {limit} tokens already. End one of them first, with /token."


def _key_used(facts: Facts, _voice: Voice) -> str:
    return f"This id belongs to signal #{_outside(facts, 'signal')}, which is another one."


def _wrong_stop(facts: Facts, _voice: Voice) -> str:
    names = {"sl": "stop loss", "tp": "take profit"}
    which = next((names[str(v)] for v in facts.values() if str(v) in names), "stop loss or target")
    return f"The {which} is on the wrong side of the market. Nothing was posted."


def _unknown_symbol(facts: Facts, _voice: Voice) -> str:
    return (
        f"No linked account trades {_outside(facts, 'symbol') or 'this symbol'}. "
        "Check the broker's own name for it."
    )


def _cannot_close(facts: Facts, _voice: Voice) -> str:
    return obstacles.refusal([str(word) for word in facts.get("obstacles", ())])


def _no_such_symbol(facts: Facts, _voice: Voice) -> str:
    symbol = _outside(facts, "symbol") or "this symbol"
    return f"This account's broker has no {symbol}, so the signal cannot be followed here."


def _ambiguous(facts: Facts, _voice: Voice) -> str:
    names = ", ".join(esc(str(name), 29) for name in list(facts.get("names", ()))[:NAMES_MAX])
    symbol = _outside(facts, "symbol") or "This symbol"
    return (
        f"{symbol} may be any of {names} at this account's broker, and I do not guess. "
        "The signal has to name one of them."
    )


def _not_tradable(facts: Facts, _voice: Voice) -> str:
    symbol = _outside(facts, "symbol") or "this symbol"
    return f"The broker lets nobody open {symbol} in this direction now. Nothing is traded."


def _newer_block(facts: Facts, voice: Voice) -> str:
    login = _outside(facts, "login") or "The account"
    return (
        f"{login} was blocked again{_at(facts, 'since', voice, ' at ')}, after this message. "
        "Nothing was changed: see the newer one."
    )


def _not_blocked(facts: Facts, _voice: Voice) -> str:
    login = _outside(facts, "login") or "The account"
    return f"{login} is not blocked (any more). Nothing was changed."


def _still_unreadable(facts: Facts, voice: Voice) -> str:
    login = _outside(facts, "login") or "The account"
    since = _at(facts, "since", voice, " Unread since ")
    return (
        f"{login} stays blocked: its last reading failed{_outside(facts, 'reason', ': ')}. "
        f"It can be unblocked once it is read as itself again.{since}{'.' if since else ''}"
    )


def _not_read_since(facts: Facts, voice: Voice) -> str:
    login = _outside(facts, "login") or "The account"
    since = _at(facts, "since", voice, " at ")
    return f"{login} stays blocked: it was not read since it was blocked{since}. Try again soon."


def _bad_volume(facts: Facts, _voice: Voice) -> str:
    parts = ", ".join(f"{esc(str(k))} {esc(str(v))}" for k, v in list(facts.items())[:4])
    return f"The broker does not take this volume{f' ({parts})' if parts else ''}."


def _list_expired(facts: Facts, voice: Voice) -> str:
    return f"This list is{_at(facts, 'at', voice, ' of ') or ' old'}. Send /history for a new one."


def _same_login(facts: Facts, _voice: Voice) -> str:
    login = _outside(facts, "login") or "This login"
    return f"{login} is the login of several accounts, at several brokers: I cannot tell which."


def _reason_long(facts: Facts, _voice: Voice) -> str:
    most = f" It has at most {facts['most']} characters." if "most" in facts else ""
    return f"The reason is too long.{most} Nothing was changed."


def _market(facts: Facts, voice: Voice) -> str:
    """Why nothing new of a symbol is opened now."""
    del voice
    symbol = _outside(facts, "symbol") or "this symbol"
    figure, most = Decimal(facts.get("figure", 0)), Decimal(facts.get("limit", 0))
    match str(facts.get("kind", "")):
        case "gap":
            why = f"its price jumped by {percent(figure, most)} just now"
        case "spread":
            why = f"its spread is {pips(figure)}, over its limit of {pips(most)}"
        case "still":
            why = f"its price has not changed for {span(timedelta(seconds=int(figure)))}"
        case _:
            why = "its market is not in order"
    return f"Nothing new of {symbol} is opened now: {why}. Try again when that is over."


def _no_signal(facts: Facts, _voice: Voice) -> str:
    signal = _outside(facts, "signal") or "with this number"
    return f"The account does not follow a signal {signal}. Nothing was changed."


def _request_answered(facts: Facts, voice: Voice) -> str:
    done = word(DECISIONS, str(facts.get("state", "answered")))
    return f"Already {done}{_outside(facts, 'by', ' by ')}{_at(facts, 'at', voice)}."


def _listed_in_file(facts: Facts, _voice: Voice) -> str:
    name = _outside(facts, "name") or "This person"
    role = _outside(facts, "role")
    return f"{name} is {role} by the people file, and it decides: change it there."


def _not_pending(facts: Facts, _voice: Voice) -> str:
    """Somebody is not (any more) what the button was made for."""
    name = _outside(facts, "name") or "This person"
    role = _outside(facts, "role") or "something else"
    return f"{name} is {role} by now. Nothing was changed."


def _confirm_expired(facts: Facts, _voice: Voice) -> str:
    limit = _outside(facts, "limit", " for ")
    return f"A preview is good{limit}{' s' if limit else ' for a short time'}. Please ask again."


def _code_expired(facts: Facts, voice: Voice) -> str:
    return f"This code expired{_at(facts, 'at', voice)}. Ask your admin for a new link."


SENTENCES: dict[str, Sentence] = {
    "not_yours": _not_yours,
    "not_admin": _fixed(ADMINS_ONLY),
    "not_found": _not_found,
    "unknown_symbol": _unknown_symbol,
    "wrong_side_stop": _wrong_stop,
    "bad_volume": _bad_volume,
    "signal_expired": _fixed("This signal has expired. Nothing is traded."),
    "already_decided": _already_decided,
    "account_latched": _latched,
    "rule_paused": _paused,
    "paused": _by_pause,
    "no_offer": _no_offer,
    "audit_long": _audit_long,
    "bad_span": _fixed("A pause lasts from 1 minute to 24 hours, such as 30m or 2h."),
    "not_paused": _fixed("That is not paused (any more). /pause shows what is."),
    "account_closing": _fixed("Reckoner is closing this account now; nothing new is approved."),
    "account_unavailable": _unavailable,
    "account_not_armed": _not_armed,
    "below_minimum": _below_minimum,
    "no_price": _no_price,
    "stale_button": _stale,
    "nothing_to_release": _fixed("The account is not locked, so there is nothing to release."),
    "release_already_asked": _already_asked,
    "release_not_asked": _fixed(
        "The client has not asked for release, so there is none to answer."
    ),
    "not_flat": _not_flat,
    "cannot_close": _cannot_close,
    "no_such_symbol": _no_such_symbol,
    "ambiguous_symbol": _ambiguous,
    "symbol_not_tradable": _not_tradable,
    "not_blocked": _not_blocked,
    "newer_block": _newer_block,
    "still_unreadable": _still_unreadable,
    "not_read_since": _not_read_since,
    "market_warning": _market,
    "reason_missing": _fixed("An override needs a reason. Nothing was changed."),
    "reason_long": _reason_long,
    "not_offered": _fixed("This warning does not take that answer (any more). See /warnings."),
    "not_adopted": refusals_adoption.not_adopted,
    "not_disowned": refusals_adoption.not_disowned,
    "question_answered": refusals_adoption.question_answered,
    "question_changed": _fixed(
        "The position, or what it may be, has changed since this was shown. Look again, please."
    ),
    "no_question": refusals_adoption.no_question,
    "same_position": refusals_adoption.same_position,
    "no_signal": _no_signal,
    "list_expired": _list_expired,
    "same_login": _same_login,
    "no_account": _fixed("No account is linked to you yet. Please ask your admin."),
    "in_the_future": _fixed("That day has not begun yet."),
    "before_all": _fixed("That day is too long ago: there is nothing to report."),
    "too_many_tokens": _too_many_tokens,
    "bad_label": _fixed("A token's name has at most 40 printable characters."),
    "no_such_token": _fixed("That token is not good any more, or never was yours."),
    "bad_signature": _fixed("The signature does not fit what was sent."),
    "not_fresh": _fixed("The time of the request is more than 5 minutes from ours."),
    "replayed": _fixed("This very request was taken before. Sign a new one."),
    "key_used": _key_used,
    "already_known": _fixed("You have asked already. An admin will answer."),
    "requests_full": _fixed(
        "Too many people wait for an answer, so nothing was sent. Please give your admin the "
        "number above yourself."
    ),
    "request_answered": _request_answered,
    "listed_in_file": _listed_in_file,
    "settings_changed": _fixed("Your settings have changed since. /settings shows them."),
    "always_on": _fixed(
        "The guard's messages and those of closes are always on. Nobody can switch them off."
    ),
    "unknown_zone": _unknown_zone,
    "not_yourself": _fixed("Nobody changes their own standing. Ask another admin."),
    "owners_only": _fixed("Only an owner changes an admin or an owner. Nothing was changed."),
    "not_pending": _not_pending,
    "blocked_already": _not_pending,
    "not_blocked_person": _not_pending,
    "last_admin": _fixed("This is the last admin, and somebody has to be one."),
    "confirmed_already": _fixed("This was answered already. /users shows how it is now."),
    "confirm_expired": _confirm_expired,
    "code_wrong": _fixed("I do not know this code. Please open the link again as it was sent."),
    "code_used": _fixed("This code was used already, or is void. Ask your admin for a new link."),
    "code_expired": _code_expired,
    "too_many_codes": _fixed("That were too many codes. Try again in an hour."),
    "person_blocked": _fixed(BLOCKED),
    "no_alarm": _fixed("There is no such alarm. /ack lists those that nobody has."),
    "alarm_taken": _alarm_taken,
    "alarm_over": _alarm_over,
}
