"""Settings of linking in the chat: whether clients may, at which servers, on which terminals."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode

from core.agent_command import CommandError, host_name
from core.config_fields import text
from core.domain.linking import SERVERS_MAX, TERMINALS_MAX, LinkPolicy, Place, Places
from core.domain.linking import is_server_name as _is_server_name

PORTABLE: Final = "/portable"
"""MetaTrader's own switch, behind the path of a portable terminal."""
HOST_SIGN: Final = "@"
PATH_CHARS_MAX: Final = 1024


def _servers(value: object) -> object:
    """`Broker-Live,Broker-Demo` as names, each once; a tuple stays one."""
    if not isinstance(value, str):
        return value
    names = tuple(part.strip() for part in value.split(",") if part.strip())
    one_spelling = {name.casefold() for name in names}
    if len(names) > SERVERS_MAX or len(one_spelling) < len(names):
        raise ValueError
    if not all(map(_is_server_name, names)):
        raise ValueError
    return names


def _terminals(value: object) -> object:
    """`C:/MT5/7/terminal64.exe /portable@host,...` as places; a tuple stays one."""
    if not isinstance(value, str):
        return value
    places = tuple(_place(part.strip()) for part in value.split(",") if part.strip())
    if len(places) > TERMINALS_MAX:
        raise ValueError
    return places


def _place(entry: str) -> Place:
    path, at, host = entry.rpartition(HOST_SIGN)
    if not at:
        path, host = entry, ""
    elif not host.strip():
        raise ValueError
    host = host.strip()
    path = path.strip()
    portable = path.endswith(f" {PORTABLE}")
    path = path.removesuffix(PORTABLE).strip() if portable else path
    if not path or not path.isprintable() or len(path) > PATH_CHARS_MAX:
        raise ValueError
    try:
        return Place(path=path, host=host_name(host) if host else "", portable=portable)
    except CommandError:
        raise ValueError from None


Servers = Annotated[Any, NoDecode, BeforeValidator(_servers)]
Terminals = Annotated[Any, NoDecode, BeforeValidator(_terminals)]


class LinkSettings(BaseSettings):
    """What a client may link in the private chat; nothing, unless the operator says so."""

    guided_linking: bool = text(
        default=False, accepts="true or false", meaning="let clients ask for accounts in the chat"
    )
    guided_servers: Servers = text(
        "",
        f"at most {SERVERS_MAX} names of brokers' servers, separated by commas, each once",
        "the servers at which an account may be",
        validate_default=True,
    )
    guided_terminals: Terminals = text(
        "",
        f"at most {TERMINALS_MAX} terminals, separated by commas: PATH, PATH /portable, PATH@HOST",
        "spare terminals that wait for an account",
        validate_default=True,
    )

    def link_policy(self, base_url: str | None) -> LinkPolicy | None:
        """What clients may link; None where they may not. `base_url`: where terminals answer."""
        if not self.guided_linking:
            return None
        places = Places(spare=self.guided_terminals, base_url=base_url or "")
        return LinkPolicy(servers=self.guided_servers, places=places)


def linking_mistakes(settings: LinkSettings, base_url: str | None) -> list[str]:
    """Say what linking in the chat lacks."""
    if not settings.guided_linking:
        return []
    mistakes = []
    if not settings.guided_servers:
        mistakes.append(
            "GUIDED_SERVERS: expected with GUIDED_LINKING the names of the brokers' servers, "
            "got nothing"
        )
    if base_url is None and not settings.guided_terminals:
        mistakes.append(
            "GUIDED_TERMINALS: expected with GUIDED_LINKING the paths of terminals that wait for "
            "an account, got nothing"
        )
    return mistakes
