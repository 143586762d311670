"""The engine's services over one set of ports: assembled once, by the app and by tests alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.domain import alerts_app as own
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.people_file import PeopleFile
from core.ports import Clock, Metrics, Store, TerminalGateway
from core.records import AccountRow, AccountStateRow, AuditRow, CloseJobRow
from core.services import audit
from core.services.adoption import Adoption
from core.services.alarms import Alarms
from core.services.answering import AnswerDesk
from core.services.approvals import DecideApproval, ExpireOffers
from core.services.audit_heads import RecordHeads
from core.services.boards import Boards
from core.services.close_progress import CloseProgress
from core.services.close_reports import CloseReports
from core.services.close_requests import SendClose
from core.services.converge import Converge
from core.services.desk import ACTIVE_JOB_STATES, Desk
from core.services.digest import SendDigests
from core.services.disown import Disown
from core.services.drill import Drill
from core.services.expected import ExpectedTrades, Tokens
from core.services.fencing import FencedGateway
from core.services.first_look import FirstLook
from core.services.gap_close import GapClose
from core.services.history import History
from core.services.incidents import Incidents
from core.services.invitations import UseInvitation
from core.services.latch import LatchWatch
from core.services.market_guard import MarketGuard
from core.services.outage import Outage
from core.services.pauses import Pauses
from core.services.pausing import PauseDesk
from core.services.people import People
from core.services.policy import EnginePolicy
from core.services.questions import Questions
from core.services.release import AnswerRelease, AskRelease
from core.services.reports import Reports
from core.services.rule_boards import RuleBoards
from core.services.rule_setting import AlignRules
from core.services.signals import PostSignal
from core.services.speaking import speak
from core.services.startup import AlignLimits, Enrol
from core.services.sync_account import SyncAccount
from core.services.sync_now import SyncNow
from core.services.terminal_block import ClearTerminal, TerminalBlock
from core.services.warnings import AnswerWarning


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a start begins with.

    `accounts` are in the order of their first cycles: those with an unfinished close, then latched
    ones, then the rest. `last_read_at` is when any account was last read before, None if never.
    """

    accounts: list[int]
    last_read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Every use case, ready to be called."""

    store: Store
    clock: Clock
    policy: EnginePolicy
    version: str
    desk: Desk
    sync: SyncAccount
    market: MarketGuard
    pause_desk: PauseDesk
    people: People
    use_invitation: UseInvitation
    post_signal: PostSignal
    decide_approval: DecideApproval
    expire_offers: ExpireOffers
    boards: Boards
    first_look: FirstLook
    sync_now: SyncNow
    drill: Drill
    answer_warning: AnswerWarning
    ask_release: AskRelease
    answer_release: AnswerRelease
    clear_terminal: ClearTerminal
    questions: Questions
    adoption: Adoption
    disown: Disown
    histories: History
    reports: Reports
    incidents: Incidents
    send_digests: SendDigests
    record_heads: RecordHeads
    expected: ExpectedTrades
    tokens: Tokens
    enrol: Enrol
    align_limits: AlignLimits
    align_rules: AlignRules
    rule_boards: RuleBoards

    async def prepare(self, people: PeopleFile | None) -> Prepared:
        """Bring people, limits and open warnings in line before anything is read."""
        if people is not None:
            await self.enrol(people)
        self.align_limits.remember(people)
        self.align_rules.remember(people)
        await self.align()
        await self._audit_rules()
        await self.pause_desk.load()
        await self.market.load()
        async with self.store.reading() as tx:
            accounts = [account.id for account in await tx.find(AccountRow, enabled=True)]
            jobs = await tx.find(CloseJobRow, state=ACTIVE_JOB_STATES)
            latched = await tx.find(AccountStateRow, latched_at__ne=None)
            out = await tx.find(AccountStateRow, unavailable_since__ne=None)
            newest = await tx.first(AccountStateRow, order_by="-observed_at")
        first = [job.account_id for job in jobs] + [state.id for state in latched]
        known = set(accounts)
        order = [i for i in dict.fromkeys([*first, *accounts]) if i in known]
        self.first_look.begin(order, {state.id: state.unavailable_since for state in out})
        return Prepared(order, newest.observed_at if newest else None)

    async def _audit_rules(self) -> None:
        """Keep what the settings say under their version, once after each change of them."""
        version = self.policy.version()
        async with self.store.writing() as tx:
            last = await tx.first(
                AuditRow, account_id=SYSTEM, action=words.RULES_IN_FORCE, order_by="-sequence"
            )
            if last is None or last.detail.get("version") != version:
                detail = {"version": version, "rules": self.policy.shown()}
                now = self.clock.now()
                await audit.append(tx, SYSTEM, "settings", words.RULES_IN_FORCE, detail, now)

    @property
    def alarms(self) -> Alarms:
        """What somebody has to have; it remembers nothing that is not in the store."""
        policy = self.policy
        return Alarms(self.store, self.clock, policy.admin_chat_id, policy.alarm_repeat_s)

    async def align(self) -> None:
        """Bring limits in line with the settings; changed accounts are read anew."""
        for account_id in {*await self.align_limits(), *await self.align_rules()}:
            self.desk.drop(account_id)

    async def announce_start(self, last_read_at: datetime | None) -> None:
        """Tell the admins that Reckoner has started, and what it found."""
        await self.first_look.announce(last_read_at)

    async def announce_stop(self) -> None:
        """Tell the admins that nothing is guarded from now on."""
        await self.market.keep()
        await self.people.settle()
        board = await self.boards.system()
        now = self.clock.now()
        async with self.store.writing() as tx:
            accounts = await tx.find(AccountRow, enabled=True)
            states = {state.id: state for state in await tx.find(AccountStateRow)}
            read = {i: s for i, s in states.items() if s.observed_at is not None}
            alert = own.AppStopping(
                accounts=len(accounts),
                open_positions=sum(read[x.id].positions_count for x in accounts if x.id in read),
                unfinished_closes=board.unfinished_closes,
                never_read=tuple(x.login for x in accounts if x.id not in read),
                at=now,
            )
            await speak(tx, alert, client=None, admin=self.policy.admin_chat_id, now=now)


def assemble(  # noqa: PLR0913 - each port is named once
    *,
    store: Store,
    gateway: TerminalGateway,
    clock: Clock,
    metrics: Metrics,
    policy: EnginePolicy,
    epoch: int,
    version: str,
    wake: Callable[[int], None],
) -> Engine:
    """Build every service over these ports. `wake` makes an account due now."""
    gateway, desk = FencedGateway(gateway, store, epoch), Desk(store, clock, policy.version())
    pauses = Pauses(store, clock, policy.admin_chat_id)
    market = MarketGuard(store, clock, metrics, desk, policy, wake, pauses)
    block = TerminalBlock(store=store, clock=clock, policy=policy)
    sync = _cycle(store, gateway, clock, metrics, desk, market, block, policy, epoch)
    trading = (store, gateway, clock, desk, policy, block, market)
    answers = AnswerDesk(store, gateway, clock, desk, policy, block, wake)
    boards = Boards(
        store=store, gateway=gateway, clock=clock, desk=desk, epoch=epoch, version=version
    )
    return Engine(
        store=store,
        clock=clock,
        policy=policy,
        version=version,
        desk=desk,
        sync=sync,
        market=market,
        pause_desk=PauseDesk(pauses, market),
        people=People(store, clock),
        use_invitation=UseInvitation(store=store, clock=clock, policy=policy, moved=desk.drop),
        post_signal=PostSignal(*trading, pauses),
        decide_approval=DecideApproval(*trading, wake, pauses),
        expire_offers=ExpireOffers(store=store, clock=clock, policy=policy),
        boards=boards,
        first_look=FirstLook(store, gateway, clock, desk, boards, policy),
        drill=Drill(store=store, gateway=gateway, clock=clock, policy=policy),
        sync_now=SyncNow(store=store, clock=clock, desk=desk, policy=policy, sync=sync),
        answer_warning=AnswerWarning(market),
        ask_release=AskRelease(store=store, clock=clock, desk=desk, policy=policy),
        answer_release=AnswerRelease(store=store, clock=clock, desk=desk, policy=policy, wake=wake),
        clear_terminal=ClearTerminal(store=store, clock=clock, desk=desk, policy=policy, wake=wake),
        questions=Questions(store),
        adoption=Adoption(answers),
        disown=Disown(answers),
        histories=History(store, clock),
        reports=Reports(store, clock, policy),
        incidents=Incidents(store, clock),
        send_digests=SendDigests(store, clock, policy),
        record_heads=RecordHeads(store, clock, policy),
        expected=ExpectedTrades(store, clock, desk),
        tokens=Tokens(store),
        enrol=Enrol(store=store, clock=clock, policy=policy),
        align_limits=AlignLimits(store=store, clock=clock, policy=policy),
        align_rules=AlignRules(store=store, clock=clock, policy=policy),
        rule_boards=RuleBoards(store=store, clock=clock, desk=desk, countdown_s=policy.countdown_s),
    )


def _cycle(  # noqa: PLR0913, PLR0917 - the ports, passed on
    store: Store,
    gateway: TerminalGateway,
    clock: Clock,
    metrics: Metrics,
    desk: Desk,
    market: MarketGuard,
    block: TerminalBlock,
    policy: EnginePolicy,
    epoch: int,
) -> SyncAccount:
    return SyncAccount(
        gateway=gateway,
        store=store,
        clock=clock,
        metrics=metrics,
        desk=desk,
        converge=Converge(
            clock=clock,
            policy=policy,
            send=SendClose(
                gateway=gateway, store=store, clock=clock, policy=policy, block=block, epoch=epoch
            ),
            progress=CloseProgress(store=store, clock=clock, policy=policy),
            reports=CloseReports(store=store, clock=clock, metrics=metrics, policy=policy),
        ),
        latch=LatchWatch(store=store, clock=clock, metrics=metrics, policy=policy, epoch=epoch),
        gap_close=GapClose(
            store=store, clock=clock, policy=policy, epoch=epoch, closing=market.closing
        ),
        outage=Outage(store=store, gateway=gateway, clock=clock, policy=policy, block=block),
        block=block,
        market=market,
        policy=policy,
        epoch=epoch,
    )
