"""Who lives in the demo world: two admins, four clients, a stranger, and the bot.

The broker has one account more than Reckoner knows, to be linked in the chat.

A private chat has the id of its person, as in Telegram; the admins share one supergroup.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

BOT_TOKEN: Final = "42:SANDBOX"  # noqa: S105 - opens nothing outside this machine's loopback
BOT_ID: Final = 42
BOT_NAME: Final = "Reckoner"
BOT_USERNAME: Final = "reckoner_demo_bot"

ADMIN_CHAT_ID: Final = -1_001_000_000_001
ADMIN_CHAT_TITLE: Final = "Reckoner desk"

BROKER_SERVER: Final = "Reckoner-Demo"
TIME_ZONE: Final = "Europe/London"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with a Telegram account; ``known`` ones have pressed Start long ago."""

    user_id: int
    first_name: str
    username: str
    role: Literal["admin", "client", "stranger"]

    @property
    def known(self) -> bool:
        """Whether the bot may write to them before they write to it."""
        return self.role != "stranger"


@dataclass(frozen=True, slots=True)
class Client:
    """A client's broker account: its owner, login, currency and how it counts positions."""

    person: Person
    login: int
    currency: str
    margin_mode: Literal["hedging", "netting"]
    symbols: tuple[str, ...]
    """What the owner likes to trade; the first is the favourite."""


@dataclass(frozen=True, slots=True)
class Spare:
    """An account at the broker that Reckoner does not know: somebody may link it in the chat."""

    login: int
    currency: str
    margin_mode: Literal["hedging", "netting"]
    password: str


@dataclass(frozen=True, slots=True)
class People:
    """Everyone, by role."""

    admins: tuple[Person, ...]
    clients: tuple[Client, ...]
    strangers: tuple[Person, ...]
    spares: tuple[Spare, ...] = ()

    def everyone(self) -> tuple[Person, ...]:
        """List all persons, admins first."""
        return (*self.admins, *(client.person for client in self.clients), *self.strangers)

    def roster(self) -> dict[str, list[dict[str, Any]]]:
        """Everybody the app should know, in the form of a people file; strangers are not in it."""
        members = (*self.admins, *(client.person for client in self.clients))
        return {
            "user": [
                {
                    "telegram_id": person.user_id,
                    "name": person.first_name,
                    "role": person.role,
                    "time_zone": TIME_ZONE,
                }
                for person in members
            ],
            "account": [
                {
                    "login": client.login,
                    "server": BROKER_SERVER,
                    "owner": client.person.user_id,
                    "currency": client.currency,
                    "margin_mode": client.margin_mode,
                    "name": f"{client.person.first_name} {client.currency}",
                }
                for client in self.clients
            ],
        }


DEMO_PEOPLE: Final = People(
    admins=(Person(11, "Ada", "ada_desk", "admin"), Person(12, "Omar", "omar_desk", "admin")),
    clients=(
        Client(
            Person(101, "Alice", "alice", "client"), 50001, "GBP", "hedging", ("XAUUSD", "EURUSD")
        ),
        Client(Person(102, "Ben", "ben", "client"), 50002, "USD", "hedging", ("EURUSD", "XAUUSD")),
        Client(
            Person(103, "Carla", "carla", "client"), 50003, "EUR", "netting", ("EURUSD", "XAUUSD")
        ),
        Client(Person(104, "Dai", "dai", "client"), 50004, "GBP", "hedging", ("GBPJPY", "XAUUSD")),
    ),
    strangers=(Person(999, "Sam", "sam_nobody", "stranger"),),
    spares=(Spare(50005, "GBP", "hedging", "Spare-5005"),),
)
