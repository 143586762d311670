"""Why Reckoner does not do as asked, in one sentence each, and what to do next."""

from decimal import Decimal

from bot.i18n import later, t
from bot.markup import esc
from bot.views import refusals_adoption, refusals_links, refusals_people
from bot.views.message import Voice
from bot.views.numbers import money
from bot.views.refusal_parts import BY, REASON, SINCE, UNTIL, Facts, Sentence
from bot.views.refusal_parts import at as _at
from bot.views.refusal_parts import fixed as _fixed
from bot.views.refusal_parts import outside as _outside
from bot.views.refusals_trading import (
    ambiguous,
    bad_volume,
    cannot_close,
    market,
    no_price,
    no_such_symbol,
    not_tradable,
    unknown_symbol,
    wrong_stop,
)
from bot.views.words import REASONS, WARNING_STATES, holdings, word
from core.services.errors import Refused

OLD_BUTTON = later(
    "This button is from an older version. Send the command again for a current one."
)
PRIVATE_ONLY = later("I show accounts only in private. Please look in our private chat.")
ADMIN_HAS_NONE = later(
    "I show accounts only in private. You have none of your own; /accounts shows all."
)
ADMIN_PLACE = later("Admin commands work in the admin chat and in your private chat with me.")
FOREIGN = later("This button belongs to somebody else.")
FOREIGN_UNCHANGED = later("This button belongs to somebody else. Nothing was changed.")
PENDING = later(
    "Your access is not confirmed yet. Please wait for your admin, and send me no password before: "
    "I would leave it here, unread."
)
BLOCKED = later("You cannot use this bot. Please ask your admin if you think this is a mistake.")
ADMINS_ONLY = later("Only an admin can do that. Nothing was changed.")
NO_STORE = later("The database cannot be used at the moment. Please try again in a minute.")
NO_ROLE = later("This is not available to you.")
STALE_STATES = {**WARNING_STATES, "granted": later("granted")}
"""What became of what an old button was for: a warning, or a release."""
DECIDED = {
    "approved": later("Already approved{at}. Nothing was changed."),
    "rejected": later("Already rejected{at}. Nothing was changed."),
    "expired": later("Already expired{at}. Nothing was changed."),
}
DECIDED_SOMEHOW = later("Already decided{at}. Nothing was changed.")


def sentence(refused: Refused, voice: Voice) -> str:
    """The refusal as Telegram HTML."""
    known = SENTENCES.get(refused.code)
    if known is None:
        return t("That is not possible now ({code}).", code=esc(refused.code.replace("_", " ")))
    return known(refused.facts, voice)


def trouble(ref: str) -> str:
    """Something failed on our side; the reference finds it in the log."""
    return t(
        "Something went wrong on our side, ref {ref}. Nothing needs to be sent "
        "again; look at /status, and tell your admin the reference.",
        ref=esc(ref),
    )


def _amount(facts: Facts, key: str) -> str:
    value = facts.get(key)
    currency = str(facts.get("currency", ""))
    return money(value, currency) if isinstance(value, Decimal) else t("unknown")


def _already_decided(facts: Facts, voice: Voice) -> str:
    text = DECIDED.get(str(facts.get("decision", "")), DECIDED_SOMEHOW)
    return t(text, at=_at(facts, "at", voice))


def _no_offer(facts: Facts, _voice: Voice) -> str:
    return t(
        "Signal {signal} was not offered to you. See /signals.", signal=_outside(facts, "signal")
    )


def _audit_long(facts: Facts, _voice: Voice) -> str:
    return t(
        "It has more than {most} links, too many for a chat. Use python -m bot "
        "audit verify on Reckoner's machine.",
        most=_outside(facts, "most"),
    )


def _by_pause(facts: Facts, voice: Voice) -> str:
    """By an admin, of signals."""
    return t(
        "Signals are paused{until} by {by}: {reason}. Nothing was changed.",
        until=_at(facts, "until", voice, UNTIL),
        by=_outside(facts, "by"),
        reason=_outside(facts, "reason"),
    )


def _paused(facts: Facts, voice: Voice) -> str:
    return t(
        "Nothing new is approved{until}: the rule '{rule}' is broken and "
        "pauses the account for the day.",
        until=_at(facts, "until", voice, UNTIL),
        rule=_outside(facts, "rule"),
    )


def _latched(facts: Facts, voice: Voice) -> str:
    reason = word(REASONS, str(facts.get("reason", "drawdown")))
    return t(
        "The account is locked{since} ({reason}). Ask for its release with /release.",
        since=_at(facts, "since", voice, SINCE),
        reason=reason,
    )


def _unavailable(facts: Facts, voice: Voice) -> str:
    return t(
        "The account cannot be read{since}{reason}. Please try again when it is back.",
        since=_at(facts, "since", voice, SINCE),
        reason=_outside(facts, "reason", REASON),
    )


def _not_armed(facts: Facts, _voice: Voice) -> str:
    return t(
        "The account's guard is not ready yet{why}. Try again soon.",
        why=_outside(facts, "why", later(": {why}")),
    )


REPORT_TAKES = later("Write /report day or /report week; a date or a login may follow.")


def _below_minimum(facts: Facts, _voice: Voice) -> str:
    return t(
        "Equity is {equity}, below the minimum of {minimum}. A deposit is needed first.",
        equity=_amount(facts, "equity"),
        minimum=_amount(facts, "minimum"),
    )


def _not_yours(facts: Facts, _voice: Voice) -> str:
    if "incident" in facts:
        return t(
            "You have no incident {incident}. /incident lists those you have.",
            incident=_outside(facts, "incident"),
        )
    login = _outside(facts, "login")
    if not login:
        return t(FOREIGN_UNCHANGED)
    return t("{login} is not your account.", login=login) + _takes(facts)


def _not_found(facts: Facts, _voice: Voice) -> str:
    if "incident" in facts:
        return t(
            "There is no incident {incident}. /incident lists the newest.",
            incident=_outside(facts, "incident"),
        )
    login = _outside(facts, "login")
    if not login:
        return t("That does not exist (any more).")
    return t("There is no account {login} here.", login=login) + _takes(facts)


def _takes(facts: Facts) -> str:
    """What the command takes, where a number may have been meant as something else."""
    return f" {t(REPORT_TAKES)}" if facts.get("asked") == "report" else ""


def _stale(facts: Facts, voice: Voice) -> str:
    code = str(facts.get("state", ""))
    state = word(STALE_STATES, code) or t("changed")
    see = t(" See /warnings.") if code in WARNING_STATES else ""
    return t(
        "Already handled: {state}{by}{at}.{see}",
        state=state,
        by=_outside(facts, "by", BY),
        at=_at(facts, "at", voice),
        see=see,
    )


def _already_asked(facts: Facts, voice: Voice) -> str:
    return t("Release was asked for already{at}. An admin will answer.", at=_at(facts, "at", voice))


def _not_flat(facts: Facts, _voice: Voice) -> str:
    positions, orders = facts.get("positions", 0), facts.get("orders", 0)
    counts = holdings(_count(positions), _count(orders))
    return t("The account is not flat: {counts} open. Reckoner closes that first.", counts=counts)


def _count(value: object) -> int:
    if isinstance(value, int):
        return value
    return len(value) if isinstance(value, (tuple, list)) else 0


def _alarm_taken(facts: Facts, voice: Voice) -> str:
    since = _at(facts, "at", voice, later(" since {at}"))
    return t("{by} has it{since}.", by=_outside(facts, "by"), since=since)


def _alarm_over(facts: Facts, voice: Voice) -> str:
    since = _at(facts, "at", voice, later(" since {at}"))
    return t("It is over{since}. Nobody has to do anything.", since=since)


def _too_many_tokens(facts: Facts, _voice: Voice) -> str:
    limit = _outside(facts, "limit")
    if not limit:
        return t("You have all tokens already. End one of them first, with /token.")
    return t("You have {limit} tokens already. End one of them first, with /token.", limit=limit)


def _key_used(facts: Facts, _voice: Voice) -> str:
    return t(
        "This id belongs to signal #{signal}, which is another one.",
        signal=_outside(facts, "signal"),
    )


def _newer_block(facts: Facts, voice: Voice) -> str:
    login = _outside(facts, "login") or t("The account")
    return t(
        "{login} was blocked again{since}, after this message. Nothing was "
        "changed: see the newer one.",
        login=login,
        since=_at(facts, "since", voice, later(" at {since}")),
    )


def _not_blocked(facts: Facts, _voice: Voice) -> str:
    login = _outside(facts, "login") or t("The account")
    return t("{login} is not blocked (any more). Nothing was changed.", login=login)


def _still_unreadable(facts: Facts, voice: Voice) -> str:
    login = _outside(facts, "login") or t("The account")
    return t(
        "{login} stays blocked: its last reading failed{reason}. It can be "
        "unblocked once it is read as itself again.{since}",
        login=login,
        reason=_outside(facts, "reason", REASON),
        since=_at(facts, "since", voice, later(" Unread since {since}.")),
    )


def _not_read_since(facts: Facts, voice: Voice) -> str:
    login = _outside(facts, "login") or t("The account")
    return t(
        "{login} stays blocked: it was not read since it was blocked{since}. Try again soon.",
        login=login,
        since=_at(facts, "since", voice, later(" at {since}")),
    )


def _list_expired(facts: Facts, voice: Voice) -> str:
    of = _at(facts, "at", voice, later("This list is of {at}. Send /history for a new one."))
    return of or t("This list is old. Send /history for a new one.")


def _same_login(facts: Facts, _voice: Voice) -> str:
    login = _outside(facts, "login") or t("This login")
    return t(
        "{login} is the login of several accounts, at several brokers: I cannot tell which.",
        login=login,
    )


def _reason_long(facts: Facts, _voice: Voice) -> str:
    most = t(" It has at most {most} characters.", most=facts["most"]) if "most" in facts else ""
    return t("The reason is too long.{most} Nothing was changed.", most=most)


def _no_signal(facts: Facts, _voice: Voice) -> str:
    signal = _outside(facts, "signal") or t("with this number")
    return t("The account does not follow a signal {signal}. Nothing was changed.", signal=signal)


SENTENCES: dict[str, Sentence] = {
    "not_yours": _not_yours,
    "not_admin": _fixed(ADMINS_ONLY),
    "not_found": _not_found,
    "unknown_symbol": unknown_symbol,
    "wrong_side_stop": wrong_stop,
    "bad_volume": bad_volume,
    "signal_expired": _fixed(later("This signal has expired. Nothing is traded.")),
    "already_decided": _already_decided,
    "account_latched": _latched,
    "rule_paused": _paused,
    "paused": _by_pause,
    "no_offer": _no_offer,
    "audit_long": _audit_long,
    "bad_span": _fixed(later("A pause lasts from 1 minute to 24 hours, such as 30m or 2h.")),
    "not_paused": _fixed(later("That is not paused (any more). /pause shows what is.")),
    "account_closing": _fixed(
        later("Reckoner is closing this account now; nothing new is approved.")
    ),
    "account_unavailable": _unavailable,
    "account_not_armed": _not_armed,
    "below_minimum": _below_minimum,
    "no_price": no_price,
    "stale_button": _stale,
    "nothing_to_release": _fixed(
        later("The account is not locked, so there is nothing to release.")
    ),
    "release_already_asked": _already_asked,
    "release_not_asked": _fixed(
        later("The client has not asked for release, so there is none to answer.")
    ),
    "not_flat": _not_flat,
    "cannot_close": cannot_close,
    "no_such_symbol": no_such_symbol,
    "ambiguous_symbol": ambiguous,
    "symbol_not_tradable": not_tradable,
    "not_blocked": _not_blocked,
    "newer_block": _newer_block,
    "still_unreadable": _still_unreadable,
    "not_read_since": _not_read_since,
    "market_warning": market,
    "reason_missing": _fixed(later("An override needs a reason. Nothing was changed.")),
    "reason_long": _reason_long,
    "not_offered": _fixed(
        later("This warning does not take that answer (any more). See /warnings.")
    ),
    "not_adopted": refusals_adoption.not_adopted,
    "not_disowned": refusals_adoption.not_disowned,
    "question_answered": refusals_adoption.question_answered,
    "question_changed": _fixed(
        later(
            "The position, or what it may be, has changed since this was shown. Look again, please."
        )
    ),
    "no_question": refusals_adoption.no_question,
    "same_position": refusals_adoption.same_position,
    "no_signal": _no_signal,
    "list_expired": _list_expired,
    "same_login": _same_login,
    "no_account": _fixed(later("No account is linked to you yet. Please ask your admin.")),
    "in_the_future": _fixed(later("That day has not begun yet.")),
    "before_all": _fixed(later("That day is too long ago: there is nothing to report.")),
    "too_many_tokens": _too_many_tokens,
    "bad_label": _fixed(later("A token's name has at most 40 printable characters.")),
    "no_such_token": _fixed(later("That token is not good any more, or never was yours.")),
    "bad_signature": _fixed(later("The signature does not fit what was sent.")),
    "not_fresh": _fixed(later("The time of the request is more than 5 minutes from ours.")),
    "replayed": _fixed(later("This very request was taken before. Sign a new one.")),
    "key_used": _key_used,
    "already_known": _fixed(later("You have asked already. An admin will answer.")),
    "requests_full": _fixed(
        later(
            "Too many people wait for an answer, so nothing was sent. Please give "
            "your admin the number above yourself."
        )
    ),
    "request_answered": refusals_people.request_answered,
    "listed_in_file": refusals_people.listed_in_file,
    "settings_changed": _fixed(later("Your settings have changed since. /settings shows them.")),
    "always_on": _fixed(
        later("The guard's messages and those of closes are always on. Nobody can switch them off.")
    ),
    "unknown_zone": refusals_people.unknown_zone,
    "not_yourself": _fixed(later("Nobody changes their own standing. Ask another admin.")),
    "owners_only": _fixed(
        later("Only an owner changes an admin or an owner. Nothing was changed.")
    ),
    "not_pending": refusals_people.not_pending,
    "blocked_already": refusals_people.not_pending,
    "not_blocked_person": refusals_people.not_pending,
    "last_admin": _fixed(later("This is the last admin, and somebody has to be one.")),
    "confirmed_already": _fixed(later("This was answered already. /users shows how it is now.")),
    "confirm_expired": refusals_people.confirm_expired,
    "code_wrong": _fixed(
        later("I do not know this code. Please open the link again as it was sent.")
    ),
    "code_used": _fixed(
        later("This code was used already, or is void. Ask your admin for a new link.")
    ),
    "code_expired": refusals_people.code_expired,
    "too_many_codes": _fixed(later("That were too many codes. Try again in an hour.")),
    "person_blocked": _fixed(BLOCKED),
    "no_alarm": _fixed(later("There is no such alarm. /ack lists those that nobody has.")),
    "alarm_taken": _alarm_taken,
    "alarm_over": _alarm_over,
    **refusals_links.SENTENCES,
}
