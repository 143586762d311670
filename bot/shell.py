"""The conversation side of the app, assembled: dispatcher, poller, notifier, menus."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiogram import Bot

from bot import i18n
from bot.cards import Cards
from bot.charts import Charts
from bot.limits import SendLimits
from bot.linking_part import Linking
from bot.menus import set_commands
from bot.notifier import Notifier
from bot.polling import Poller
from bot.routers import Shell, build_dispatcher
from bot.views.message import Voice
from core.config import Settings
from core.ports import Store
from core.records import UserRow
from core.services.access import Access
from core.services.api_tokens import ApiTokens
from core.services.audit_look import AuditLook
from core.services.engine import Engine
from core.services.preferences import Preferences
from core.services.signal_boards import SignalBoards
from core.services.users import Users

SYMBOLS_OFFERED = ("XAUUSD", "EURUSD", "GBPUSD", "USDJPY", "GBPJPY", "US500")
"""What the signal form offers; any other name can be written in the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What talks and listens. `hello` reaches Telegram once and sets the menus."""

    bot: Bot
    poller: Poller
    notifier: Notifier
    cards: Cards
    admin_chat_id: int
    store: Store
    group_language: str
    links: bool = False

    async def hello(self) -> None:
        """Make sure that Telegram answers, and set the command menus."""
        await self.bot.get_me()
        async with self.store.reading() as tx:
            users = await tx.find(UserRow, role=("client", "admin", "owner"))
        await set_commands(
            self.bot,
            admin_chat_id=self.notifier.moved.get(self.admin_chat_id, self.admin_chat_id),
            group_language=self.group_language,
            admins=_languages(u for u in users if u.role != "client"),
            clients=_languages(u for u in users if u.role == "client"),
            links=self.links,
        )


def _access(engine: Engine, links: Linking | None) -> Access:
    linked = links is not None
    return Access(store=engine.store, clock=engine.clock, policy=engine.policy, links=linked)


def build(engine: Engine, settings: Settings, bot: Bot, links: Linking | None) -> Conversation:
    """Join the engine's services to the conversations. Raises ValueError without an admin chat."""
    if settings.admin_chat_id is None:
        raise ValueError("ADMIN_CHAT_ID is not set")
    i18n.load()
    voice = Voice(mark=settings.message_mark, language=settings.group_language)
    rates, over = SendLimits(), (engine.store, engine.clock)
    admin, topics = settings.admin_chat_id, settings.admin_topics
    talks, desk = (None, None) if links is None else (links.talks, links.desk)
    notifier = Notifier(bot, *over, voice, admin_chat_id=admin, rates=rates, topics=topics)
    dispatcher = build_dispatcher(
        Shell(
            people=engine.people,
            access=_access(engine, links),
            users=Users(store=engine.store, clock=engine.clock, policy=engine.policy),
            use_invitation=engine.use_invitation,
            post_signal=engine.post_signal,
            decide_approval=engine.decide_approval,
            boards=engine.boards,
            sync_now=engine.sync_now,
            drill=engine.drill,
            answer_warning=engine.answer_warning,
            pause_desk=engine.pause_desk,
            signal_boards=SignalBoards(engine.store, engine.clock),
            audit_look=AuditLook(engine.store),
            ask_release=engine.ask_release,
            answer_release=engine.answer_release,
            clear_terminal=engine.clear_terminal,
            api_tokens=ApiTokens(engine.store, engine.clock),
            questions=engine.questions,
            adopt_position=engine.adoption,
            disown_position=engine.disown,
            histories=engine.histories,
            reports=engine.reports,
            incidents=engine.incidents,
            rule_boards=engine.rule_boards,
            preferences=Preferences(engine.store, engine.clock),
            alarms=engine.alarms,
            link_talks=talks,
            link_desk=desk,
            clock=engine.clock,
            voice=voice,
            admin_chat_id=settings.admin_chat_id,
            symbols=SYMBOLS_OFFERED,
            charts=Charts(),
            rates=rates,
            moved=notifier.moved,
        )
    )
    return Conversation(
        bot=bot,
        cards=_cards(engine, settings, bot, voice, rates),
        poller=Poller(bot, dispatcher, *over, admin_chat_id=admin, talks=talks),
        notifier=notifier,
        admin_chat_id=settings.admin_chat_id,
        store=engine.store,
        group_language=settings.group_language,
        links=links is not None,
    )


def _languages(users: Iterable[UserRow]) -> dict[int, str]:
    """What each chose, where that language is still there."""
    known = i18n.languages()
    return {u.telegram_id: u.language if u.language and u.language in known else "" for u in users}


def _cards(engine: Engine, settings: Settings, bot: Bot, voice: Voice, rates: SendLimits) -> Cards:
    return Cards(
        bot=bot,
        store=engine.store,
        clock=engine.clock,
        boards_of=engine.boards.accounts_of,
        voice=voice,
        rates=rates,
        interval_s=settings.card_interval_s,
    )
