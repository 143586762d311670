"""Why somebody is not let in, blocked or changed as asked; why a setting is not taken."""

from bot.i18n import later, t
from bot.markup import esc
from bot.views.message import Voice
from bot.views.refusal_parts import BY, Facts, at, outside

ANSWERED = {
    "approved": later("Already approved{by}{at}."),
    "blocked": later("Already blocked{by}{at}."),
}
ANSWERED_SOMEHOW = later("Already answered{by}{at}.")
LISTED = {
    "client": later("{name} is client by the people file, and it decides: change it there."),
    "admin": later("{name} is admin by the people file, and it decides: change it there."),
    "owner": later("{name} is owner by the people file, and it decides: change it there."),
}
LISTED_SOMEHOW = later("The people file lists {name}, and it decides: change it there.")
BY_NOW = {
    "pending": later("{name} waits for an answer by now. Nothing was changed."),
    "client": later("{name} is client by now. Nothing was changed."),
    "admin": later("{name} is admin by now. Nothing was changed."),
    "owner": later("{name} is owner by now. Nothing was changed."),
    "blocked": later("{name} is blocked by now. Nothing was changed."),
}
BY_NOW_SOMEHOW = later("{name} is something else by now. Nothing was changed.")


def unknown_zone(facts: Facts, _voice: Voice) -> str:
    """A zone that nobody keeps, and those that are spelt like it."""
    near = t(" or ").join(str(name) for name in facts.get("near", ()))
    return t(
        "I know no time zone{zone}.{meant} An example: Europe/London.",
        zone=outside(facts, "zone", " {zone}"),
        meant=t(" Did you mean {zones}?", zones=esc(near, 120)) if near else "",
    )


def request_answered(facts: Facts, voice: Voice) -> str:
    """Another admin was first."""
    text = ANSWERED.get(str(facts.get("state", "")), ANSWERED_SOMEHOW)
    return t(text, by=outside(facts, "by", BY), at=at(facts, "at", voice))


def listed_in_file(facts: Facts, _voice: Voice) -> str:
    """The people file says who they are."""
    name = outside(facts, "name") or t("This person")
    return t(LISTED.get(str(facts.get("role", "")), LISTED_SOMEHOW), name=name)


def not_pending(facts: Facts, _voice: Voice) -> str:
    """Somebody is not (any more) what the button was made for."""
    name = outside(facts, "name") or t("This person")
    return t(BY_NOW.get(str(facts.get("role", "")), BY_NOW_SOMEHOW), name=name)


def confirm_expired(facts: Facts, _voice: Voice) -> str:
    """It was looked at for too long."""
    limit = outside(facts, "limit")
    if not limit:
        return t("A preview is good for a short time. Please ask again.")
    return t("A preview is good for {limit} s. Please ask again.", limit=limit)


def code_expired(facts: Facts, voice: Voice) -> str:
    """A link that came too late."""
    return t("This code expired{at}. Ask your admin for a new link.", at=at(facts, "at", voice))
