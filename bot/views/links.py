"""Words of the conversation by which a client has another account guarded."""

from typing import Final

from bot import keyboards_links as keyboards
from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views.message import Message, Voice, marked
from bot.views.words import word
from core.domain.linking import WRONG_MAX, Failure, LinkAsk, LinkState, Problem
from core.services.link_desk import LinkDecision

PROBLEMS: Final[dict[str, str]] = {
    Problem.SERVER: later(
        "I do not know this server. Please press one of the buttons. What you wrote leaves the "
        "chat: it could have been a password."
    ),
    Problem.LOGIN: later(
        "That is no account number: it has digits only, up to 18 of them. What you wrote leaves "
        "the chat: it could have been a password."
    ),
    Problem.PASSWORD: later(
        "That cannot be a password: it is one line of at most 256 printable characters."
    ),
    Problem.NO_TEXT: later("Please answer in words: I cannot read pictures or files here."),
    Problem.KEYS: later(
        "I could not keep your password safely just now, so I did not keep it. Please send it "
        "again in a minute."
    ),
    Problem.OWN: later(
        "I have this account of yours already, and its broker does not refuse the password I have: "
        "no new one is needed."
    ),
    Problem.TRIED: later(
        "I have this account of yours, and its broker has refused too many new passwords today: "
        "one more could lock it. Please ask your admin."
    ),
    Problem.LATE: later("I was not waiting for a password, so I did not keep what you sent."),
    Problem.LEFT: later(
        "I was not waiting for a password, so I did not keep what you sent. I leave this message "
        "and those after it: remove them yourself."
    ),
}
FAILURES: Final[dict[str, str]] = {
    Failure.TRIES: later("Too many answers could not be used."),
    Failure.LOGIN: later("The broker refuses this account number and password at this server."),
    Failure.INVESTOR: later(
        "This password may only look on. The guard must be able to close: use the trading password."
    ),
    Failure.WRONG_ACCOUNT: later("The terminal answered for another account."),
    Failure.UNREACHABLE: later("The broker could not be reached."),
    Failure.UNREADABLE: later("The password cannot be decrypted any more."),
    Failure.TAKEN: later("The account came to Reckoner in another way meanwhile."),
    Failure.NO_TERMINAL: later("No terminal was free for it."),
    Failure.NOT_NEEDED: later("The account can be read again with the password I had."),
    Failure.CHANGED: later("Its terminal or its owner was changed in another way meanwhile."),
    Failure.DAMAGED: later("What I had kept of your request cannot be read any more."),
}
OFF: Final = later("Accounts are not linked in the chat here. Please ask your admin for a link.")
AGAIN: Final = later("/link begins anew.")
NOTHING_KEPT: Final = later("Nothing was kept.")
OLD_STAYS: Final = later("The new password was not kept.")


def asked(ask: LinkAsk, voice: Voice) -> Message:
    """Where the conversation stands: the next question, what it waits for, or its end."""
    lines = [t(PROBLEMS[ask.problem])] if ask.problem is not None else []
    if ask.problem is not None and lines and ask.tries_left < WRONG_MAX and _asks(ask):
        left = tn("{n} try is left in all.", "{n} tries are left in all.", ask.tries_left)
        lines[0] = f"{lines[0]} {left}"
    match ask.state:
        case LinkState.SERVER:
            lines += _server(voice)
            return Message(html="\n".join(lines), keyboard=keyboards.servers(ask))
        case LinkState.LOGIN:
            lines += _login(ask, voice)
        case LinkState.PASSWORD:
            lines += _password(ask, voice)
        case LinkState.WAITING:
            lines += _waiting(ask, voice)
            label = t("Withdraw")
            return Message(html="\n".join(lines), keyboard=keyboards.cancel(ask, label))
        case _:
            return Message(html="\n".join([*lines, *_over(ask, voice)]))
    return Message(html="\n".join(lines), keyboard=keyboards.cancel(ask, t("Cancel")))


def decided(decision: LinkDecision) -> str:
    """The pop-up after an admin's answer."""
    if decision.approved:
        return t("Approved. I ask the broker now, and tell you both what it says.")
    return t("Refused. {name} is told.", name=decision.name)


def off() -> Message:
    """`/link` where the operator does not allow it."""
    return Message(html=t(OFF))


def nothing_to_cancel() -> Message:
    """`/cancel` while nothing is asked for."""
    return Message(
        html=t(
            "There is nothing to cancel: /cancel ends the linking of an account. Reckoner closes "
            "by rule, and no command starts or stops that. To close a position, use MetaTrader."
        )
    )


def account(login: int, server: str) -> str:
    """The account as it was given."""
    return t("{login} at {server}", login=code(str(login)), server=esc(server))


def _asks(ask: LinkAsk) -> bool:
    return ask.state in {LinkState.SERVER, LinkState.LOGIN, LinkState.PASSWORD}


def _title(voice: Voice, text: str) -> str:
    return f"<b>{marked(voice, text)}</b>"


def _server(voice: Voice) -> list[str]:
    return [
        _title(voice, t("🔑 Have an account guarded: 1 of 3")),
        t("At which server is it? MetaTrader shows it beside the account number."),
        t("An admin reads your request before anything happens. /cancel ends this."),
    ]


def _login(ask: LinkAsk, voice: Voice) -> list[str]:
    return [
        _title(voice, t("🔑 Have an account guarded: 2 of 3")),
        t("Server: {server}", server=esc(ask.server)),
        t("What is the account number? Write it here, within 5 minutes."),
    ]


def _password(ask: LinkAsk, voice: Voice) -> list[str]:
    if ask.renewal:
        return [
            _title(voice, t("🔑 You have this account: its new password")),
            t("Account: {account}", account=account(ask.login, ask.server)),
            t(
                "Its broker refuses the password I have. Write the new trading password here, "
                "alone in one message, within 5 minutes; I try it at the broker at once."
            ),
            t(
                "I remove your message at once and keep the password encrypted; nobody reads it. "
                "/cancel ends this."
            ),
        ]
    return [
        _title(voice, t("🔑 Have an account guarded: 3 of 3")),
        t("Account: {account}", account=account(ask.login, ask.server)),
        t(
            "What is its trading password? Write it here, alone in one message, within 5 minutes. "
            "I remove your message at once and keep the password encrypted; nobody reads it."
        ),
    ]


def _waiting(ask: LinkAsk, voice: Voice) -> list[str]:
    return [
        _title(voice, t("⏳ Sent: an admin reads it")),
        t("Account: {account}", account=account(ask.login, ask.server)),
        t("Until somebody approves it nothing happens with it, and it is not guarded."),
    ]


def _over(ask: LinkAsk, voice: Voice) -> list[str]:
    named = [t("Account: {account}", account=account(ask.login, ask.server))] if ask.login else []
    if ask.renewal:
        return _renewal_over(ask, voice, named)
    match ask.state:
        case LinkState.APPROVED:
            return [_title(voice, t("⏳ Approved: I ask the broker")), *named]
        case LinkState.LINKED:
            return [_title(voice, t("🟢 It is guarded")), *named, t("/status shows it.")]
        case LinkState.REFUSED:
            return [_title(voice, t("🔒 Your request was refused")), *named, t(NOTHING_KEPT)]
        case LinkState.CANCELLED | LinkState.EXPIRED:
            over = t("⌛ The time for this is over")
            title = t("Cancelled") if ask.state is LinkState.CANCELLED else over
            return [_title(voice, title), t(NOTHING_KEPT), t(AGAIN)]
        case _:
            why = word(FAILURES, ask.failure) if ask.failure else ""
            ended = _title(voice, t("🔴 The account is not linked"))
            return [line for line in (ended, *named, why, t(NOTHING_KEPT), t(AGAIN)) if line]


def _renewal_over(ask: LinkAsk, voice: Voice, named: list[str]) -> list[str]:
    match ask.state:
        case LinkState.APPROVED:
            title = t("⏳ I try the new password at the broker")
            return [_title(voice, title), *named, t("I tell you here what the broker says.")]
        case LinkState.LINKED:
            return [_title(voice, t("🟢 The broker takes the new password")), *named]
        case LinkState.FAILED:
            why = word(FAILURES, ask.failure) if ask.failure else ""
            ended = _title(voice, t("🔴 The new password is not taken"))
            return [line for line in (ended, *named, why, t(OLD_STAYS), t(AGAIN)) if line]
        case _:
            return [_title(voice, t("No new password was taken")), *named, t(AGAIN)]
