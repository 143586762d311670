"""Why an account is not linked in the chat."""

from typing import Final

from bot.i18n import later, t
from bot.views.message import Voice
from bot.views.refusal_parts import BY, Facts, Sentence, at, fixed, outside
from bot.views.words import word

STATES: Final = {
    "waiting": later("it waits for an admin"),
    "approved": later("approved"),
    "linked": later("linked"),
    "refused": later("refused"),
    "failed": later("the broker did not let it in"),
    "cancelled": later("withdrawn by the client"),
    "expired": later("too old"),
}
"""What became of a request."""


def _answered(facts: Facts, voice: Voice) -> str:
    return t(
        "This request was answered already{by}{at}: {state}. Nothing was changed.",
        by=outside(facts, "by", BY),
        at=at(facts, "at", voice),
        state=word(STATES, str(facts.get("state", ""))),
    )


def _known(facts: Facts, _voice: Voice) -> str:
    return t(
        "Reckoner has account {login} already ({owner}), so it cannot be linked by somebody who "
        "asks. Refuse it; the operator can hand the account over with python -m bot invite.",
        login=outside(facts, "login"),
        owner=outside(facts, "owner"),
    )


def _gone(facts: Facts, _voice: Voice) -> str:
    return t("{name} is no client any more. Refuse it.", name=outside(facts, "name"))


def _no_password_asked(facts: Facts, _voice: Voice) -> str:
    return t(
        "Account {login} needs no new password: its broker does not refuse the one I have. Nothing "
        "was changed.",
        login=outside(facts, "login"),
    )


def _passwords_tried(facts: Facts, _voice: Voice) -> str:
    return t(
        "The broker has refused too many passwords for account {login} today, and one more could "
        "lock it. Please ask your admin, or try again tomorrow.",
        login=outside(facts, "login"),
    )


SENTENCES: Final[dict[str, Sentence]] = {
    "link_clients_only": fixed(
        later(
            "Clients link their own accounts here. An operator links any with python -m bot link."
        )
    ),
    "no_link": fixed(later("You have asked for no account. /link begins.")),
    "too_many_links": fixed(
        later("You have begun this too often today. Please try again tomorrow, or ask your admin.")
    ),
    "no_password_asked": _no_password_asked,
    "passwords_tried": _passwords_tried,
    "links_full": fixed(
        later("Too many accounts wait for an admin now. Nothing was begun; please try later.")
    ),
    "stale_link": fixed(later("This question is over.")),
    "link_answered": _answered,
    "link_known": _known,
    "own_link": fixed(later("You asked for this account yourself: another admin has to answer.")),
    "link_gone": _gone,
    "no_terminal_left": fixed(
        later(
            "No spare terminal is left. The operator adds one to GUIDED_TERMINALS and starts "
            "Reckoner again; the request waits so long."
        )
    ),
}
