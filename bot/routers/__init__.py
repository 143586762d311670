"""The conversations, one file each, and the dispatcher that joins them.

A handler parses, calls one service and gives one answer. Its `role` flag (client or admin) says who
may use it; without one it is refused. `shared` lets admins use it in the admin chat too.
"""

from collections.abc import Mapping

from aiogram import Dispatcher, Router
from msgspec import Struct

from bot.charts import Charts
from bot.limits import SendLimits
from bot.middlewares.access import AccessMiddleware, RoleMiddleware
from bot.middlewares.answers import AnswersMiddleware
from bot.middlewares.context import ContextMiddleware
from bot.middlewares.door import Door
from bot.middlewares.errors import ErrorsMiddleware
from bot.routers import (
    access,
    admin,
    adoption,
    alarms,
    approvals,
    client,
    drill,
    fallback,
    history,
    incident,
    linking,
    offers,
    oversight,
    pauses,
    release,
    reports,
    rules,
    settings,
    signals,
    start,
    tokens,
    unblock,
    users,
    warnings,
)
from bot.routers.refreshing import Refresher
from bot.services import (
    Access,
    Alarms,
    AnswerQuestion,
    AnswerRelease,
    AnswerWarning,
    ApiTokens,
    AskRelease,
    AuditLook,
    Boards,
    ClearTerminal,
    DecideApproval,
    Drill,
    Histories,
    Incidents,
    LinkDesk,
    LinkTalks,
    PauseDesk,
    People,
    PostSignal,
    Preferences,
    Questions,
    Reports,
    RuleBoards,
    SignalBoards,
    SyncNow,
    UseInvitation,
    Users,
)
from bot.speaker import Speaker
from bot.views.message import Voice
from core.ports import Clock


class Shell(Struct, frozen=True, kw_only=True):
    """Everything the conversations need, by the names handlers ask for.

    `link_talks` and `link_desk` are None where nobody links accounts in the chat.
    `symbols` are offered by the signal form; `rates` are shared with the notifier, and so
    is `moved`: which group has which new id.
    """

    people: People
    access: Access
    use_invitation: UseInvitation
    users: Users
    post_signal: PostSignal
    decide_approval: DecideApproval
    boards: Boards
    sync_now: SyncNow
    drill: Drill
    answer_warning: AnswerWarning
    pause_desk: PauseDesk
    signal_boards: SignalBoards
    audit_look: AuditLook
    ask_release: AskRelease
    answer_release: AnswerRelease
    clear_terminal: ClearTerminal
    api_tokens: ApiTokens
    questions: Questions
    adopt_position: AnswerQuestion
    disown_position: AnswerQuestion
    histories: Histories
    reports: Reports
    incidents: Incidents
    rule_boards: RuleBoards
    preferences: Preferences
    alarms: Alarms
    link_talks: LinkTalks | None = None
    link_desk: LinkDesk | None = None
    clock: Clock
    voice: Voice
    admin_chat_id: int
    symbols: tuple[str, ...]
    charts: Charts
    rates: SendLimits
    moved: Mapping[int, int] = {}


def build_router() -> Router:
    """All conversations, the one that understands anything last."""
    router = Router(name="all")
    router.include_routers(
        start.build(),
        client.build(),
        history.build(),
        reports.build(),
        incident.build(),
        rules.build(),
        alarms.build(),
        settings.build(),
        signals.build(),
        approvals.build(),
        offers.build(),
        oversight.build(),
        admin.build(),
        drill.build(),
        warnings.build(),
        pauses.build(),
        release.build(),
        access.build(),
        users.build(),
        linking.build(),
        unblock.build(),
        tokens.build(),
        adoption.build(),
        fallback.build(),
    )
    return router


def build_dispatcher(shell: Shell) -> Dispatcher:
    """A dispatcher that knows no state machine: what must last is in the database."""
    speaker = Speaker(shell.charts, shell.rates)
    dispatcher = Dispatcher(
        disable_fsm=True,
        boards=shell.boards,
        access=shell.access,
        use_invitation=shell.use_invitation,
        users=shell.users,
        post_signal=shell.post_signal,
        decide_approval=shell.decide_approval,
        sync_now=shell.sync_now,
        drill=shell.drill,
        answer_warning=shell.answer_warning,
        pause_desk=shell.pause_desk,
        signal_boards=shell.signal_boards,
        audit_look=shell.audit_look,
        ask_release=shell.ask_release,
        answer_release=shell.answer_release,
        clear_terminal=shell.clear_terminal,
        api_tokens=shell.api_tokens,
        questions=shell.questions,
        adopt_position=shell.adopt_position,
        disown_position=shell.disown_position,
        histories=shell.histories,
        reports=shell.reports,
        incidents=shell.incidents,
        rule_boards=shell.rule_boards,
        preferences=shell.preferences,
        alarms=shell.alarms,
        link_talks=shell.link_talks,
        link_desk=shell.link_desk,
        links=shell.link_talks is not None,
        clock=shell.clock,
        voice=shell.voice,
        symbols=shell.symbols,
        speaker=speaker,
        refresher=Refresher(speaker),
    )
    dispatcher.update.outer_middleware(ContextMiddleware())
    dispatcher.update.outer_middleware(
        ErrorsMiddleware(shell.people, shell.voice, shell.admin_chat_id, shell.moved)
    )
    known = AccessMiddleware(
        shell.people, shell.voice, Door(shell.people, shell.access, shell.use_invitation)
    )
    roles = RoleMiddleware(shell.people, shell.admin_chat_id, shell.moved)
    for observer in (dispatcher.message, dispatcher.callback_query):
        observer.outer_middleware(known)
        observer.middleware(roles)
    dispatcher.callback_query.middleware(AnswersMiddleware())
    dispatcher.include_router(build_router())
    return dispatcher
