"""The guided conversation by which a client links an account, one answer at a time.

An answer is taken in the very transaction that journals its message, and the journal gets the
message without its words. So a crash at any moment leaves either an answer that Telegram gives
once more, or one that was taken; and never a password that somebody can read. Whatever could be the
password is to be removed from the chat, also where it comes at the wrong question, too late, or
once more.
"""

from datetime import datetime
from typing import Any

from core.domain import alerts_links as k
from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.link_heard import NOTHING, Ask, Heard
from core.domain.linking import (
    ANSWER_TIME,
    ASKING,
    LATE_MAX,
    OPEN,
    REQUEST_TIME,
    WITHDRAWABLE,
    WRONG_MAX,
    Failure,
    LinkAsk,
    LinkPolicy,
    LinkState,
    Problem,
    may_be_password,
)
from core.domain.people import Person, Role
from core.ports import (
    Clock,
    KeysUnusable,
    PasswordVault,
    Secret,
    Store,
    Transaction,
    UnreadableRow,
)
from core.records import AccountRow, UserRow
from core.records_links import LinkRequestRow
from core.services import audit
from core.services.errors import Refused
from core.services.link_damage import SoundRequests
from core.services.link_hearing import (
    Said,
    asks_next,
    is_asked_already,
    is_near,
    judged,
    was_asked,
)
from core.services.link_places import known_as
from core.services.link_renewals import own_account, refuse_needless
from core.services.link_requests import (
    actor_of,
    begin,
    facts,
    is_renewal,
    moved,
    newest,
    refuse_full,
    refuse_too_many,
    rivals,
    shown,
    told_of,
)
from core.services.speaking import speak


class LinkTalks:
    """Takes what clients write, and keeps where each conversation stands.

    Every method raises StoreUnavailable.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        vault: PasswordVault,
        policy: LinkPolicy,
        requests: SoundRequests,
        admin_chat_id: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._policy = policy
        self._requests = requests
        self._admin = admin_chat_id
        self._expected: set[int] = set()

    def expects(self, telegram_id: int) -> bool:
        """Whether this person's next words are the password, as far as memory knows."""
        return telegram_id in self._expected

    # --- in the journal's transaction -----------------------------------------------------------

    async def hear(self, tx: Transaction, said: Said) -> Heard:
        """Take a message of somebody's."""
        user, ask = await tx.first(UserRow, telegram_id=said.telegram_id), said.ask
        row = None if user is None else await self._newest(tx, user.id)
        now = self._clock.now()
        if user is None or ask is Ask.OTHER:
            return Heard(near=is_near(row, now))
        if user.role != Role.CLIENT:
            return await self._not_a_client(tx, user, row, ask, now, private=said.private)
        if not said.private:
            return await self._in_group(tx, user, row, ask, now)
        match ask:
            case Ask.BEGIN:
                return Heard(is_ours=True, refused=await self._begin(tx, user, row, now))
            case Ask.CANCEL:
                return Heard(is_ours=row is not None and await self._cancel(tx, row, user, now))
            case Ask.WORDS:
                return await self._words(tx, user, row, said, now)

    async def _newest(self, tx: Transaction, user_id: int) -> LinkRequestRow | None:
        try:
            return await newest(tx, user_id)
        except UnreadableRow:
            self._requests.suspect()
            raise

    async def _words(
        self,
        tx: Transaction,
        user: UserRow,
        row: LinkRequestRow | None,
        said: Said,
        now: datetime,
    ) -> Heard:
        if row is None:
            return NOTHING
        if row.state not in ASKING or now >= row.due_at:
            return await self._late(tx, row, user, now, min(said.written_at, now))
        changes = await self._answer(tx, row, user, said.text, now)
        if changes.get("state") == LinkState.PASSWORD:
            self._expected.add(user.telegram_id)
        if changes:
            await tx.update(LinkRequestRow, {"id": row.id}, **changes)
            # A server or a login that was taken is no secret; everything else may be one.
            is_plain = row.state in {LinkState.SERVER, LinkState.LOGIN} and not changes["problem"]
            return Heard(is_ours=True, remove=not is_plain)
        return Heard(is_ours=True, remove=True)

    async def _answer(
        self,
        tx: Transaction,
        row: LinkRequestRow,
        user: UserRow,
        text: Secret | None,
        now: datetime,
    ) -> dict[str, Any]:
        """The changes that an answer makes; empty where it has ended the conversation."""
        given = judged(LinkState(row.state), text, self._policy.servers)
        match given:
            case Problem():
                return await self._wrong(tx, row, user, given, now)
            case Secret():
                return await self._sealed(tx, row, user, given, now)
            case int():
                return await self._numbered(tx, row, user, given, now)
            case _:
                return asks_next(LinkState.LOGIN, now, server=given)

    async def _numbered(
        self, tx: Transaction, row: LinkRequestRow, user: UserRow, login: int, now: datetime
    ) -> dict[str, Any]:
        """Ask for the password: of a new account, or the new one of an account of theirs."""
        own = await own_account(tx, user.id, self._policy.places, login, row.server)
        if own is None:
            return asks_next(LinkState.PASSWORD, now, login=login)
        try:
            await refuse_needless(tx, own, now)
        except Refused as refused:
            why = Problem.OWN if refused.code == "no_password_asked" else Problem.TRIED
            return await self._wrong(tx, row, user, why, now)
        theirs = {"login": login, "server": own.server, "account_id": own.id}
        return asks_next(LinkState.PASSWORD, now, **theirs)

    async def _wrong(
        self, tx: Transaction, row: LinkRequestRow, user: UserRow, why: Problem, now: datetime
    ) -> dict[str, Any]:
        if row.wrong + 1 < WRONG_MAX:
            return {"wrong": row.wrong + 1, "problem": why.value, "due_at": now + ANSWER_TIME}
        await self._end(tx, row, user, LinkState.FAILED, now, failure=Failure.TRIES.value)
        return {}

    async def _sealed(
        self, tx: Transaction, row: LinkRequestRow, user: UserRow, password: Secret, now: datetime
    ) -> dict[str, Any]:
        """Encrypt the password and ask the admins; the broker at once, for what is theirs."""
        try:
            token = self._vault.seal(row.login, row.server, password)
        except KeysUnusable:
            return {"problem": Problem.KEYS.value, "due_at": now + ANSWER_TIME}
        detail = {**told_of(row), "person": user.telegram_id}
        if is_renewal(row):
            await audit.append(tx, SYSTEM, actor_of(user), words.PASSWORD_GIVEN, detail, now)
            state = LinkState.APPROVED.value
            return {"state": state, "password_token": token, "problem": "", "due_at": now}
        waiting = await tx.count(LinkRequestRow, state=LinkState.WAITING.value)
        asked = k.LinkAsked(
            **facts(row, user, now),
            known=await known_as(tx, self._policy.places, row.login, row.server),
            waiting=waiting + 1,
            rivals=await rivals(tx, row),
        )
        await speak(tx, asked, client=None, admin=self._admin, now=now)
        await audit.append(tx, SYSTEM, actor_of(user), words.LINK_ASKED, detail, now)
        return {
            "state": LinkState.WAITING.value,
            "password_token": token,
            "problem": "",
            "asked_at": now,
            "due_at": now + REQUEST_TIME,
        }

    async def _late(
        self,
        tx: Transaction,
        row: LinkRequestRow,
        user: UserRow,
        now: datetime,
        written_at: datetime,
    ) -> Heard:
        """Words when nothing is asked for: the password, if one was asked for not long ago."""
        over = row.state in ASKING  # past its time, and nobody has said so yet
        if over:
            await self._end(tx, row, user, LinkState.EXPIRED, now)
        state = LinkState.EXPIRED if over else LinkState(row.state)
        may_be = was_asked(row) and may_be_password(state, row.asked_at, row.ended_at, written_at)
        if not may_be or row.late > LATE_MAX or not is_near(row, now):
            return Heard(is_ours=over, near=is_near(row, now))
        remove = row.late < LATE_MAX
        problem = Problem.LATE if remove else Problem.LEFT
        late = {"late": row.late + 1, "problem": problem.value}
        await tx.update(LinkRequestRow, {"id": row.id}, **late)
        return Heard(is_ours=True, remove=remove)

    async def _begin(
        self, tx: Transaction, user: UserRow, row: LinkRequestRow | None, now: datetime
    ) -> str:
        """Begin a conversation, unless one is open; why not, where that is refused."""
        if row is not None and row.state in OPEN:
            if row.state not in ASKING or now < row.due_at:
                await tx.update(LinkRequestRow, {"id": row.id}, problem="")
                return ""
            await self._end(tx, row, user, LinkState.EXPIRED, now)
        try:
            await refuse_too_many(tx, user, now)
            await refuse_full(tx)
        except Refused as refused:
            return refused.code
        await begin(tx, user, now, state=LinkState.SERVER.value)
        return ""

    async def _not_a_client(
        self,
        tx: Transaction,
        user: UserRow,
        row: LinkRequestRow | None,
        ask: Ask,
        now: datetime,
        *,
        private: bool,
    ) -> Heard:
        """Somebody who was a client when they began, and is no more: what was begun ends."""
        if row is None or row.state not in WITHDRAWABLE:
            return Heard(near=is_near(row, now))
        await self._end(tx, row, user, LinkState.CANCELLED, now)
        return Heard(remove=ask is Ask.WORDS and private, near=True)

    async def _in_group(
        self,
        tx: Transaction,
        user: UserRow,
        row: LinkRequestRow | None,
        ask: Ask,
        now: datetime,
    ) -> Heard:
        """Words in a group of somebody who was asked in private not long ago.

        Where the password was asked for they may be it; its writer is warned, once.
        """
        if row is None or not is_near(row, now):
            return NOTHING
        if ask is Ask.WORDS and was_asked(row) and not row.late:
            await tx.update(LinkRequestRow, {"id": row.id}, late=1)
            left = k.WordsLeft(telegram_id=user.telegram_id, in_group=True, at=now)
            await speak(tx, left, client=user.telegram_id, admin=self._admin, now=now)
        return Heard(near=True)

    async def _cancel(
        self, tx: Transaction, row: LinkRequestRow, user: UserRow, now: datetime
    ) -> bool:
        if row.state not in WITHDRAWABLE:
            return False
        await self._end(tx, row, user, LinkState.CANCELLED, now)
        return True

    async def _end(
        self,
        tx: Transaction,
        row: LinkRequestRow,
        user: UserRow,
        state: LinkState,
        now: datetime,
        failure: str = "",
    ) -> None:
        more = {"failure": failure} if failure else {}
        await moved(
            tx,
            row,
            user,
            state,
            actor=actor_of(user),
            by=user.name if state is LinkState.CANCELLED else "",
            admin=self._admin,
            now=now,
            problem="",
            **more,
        )

    # --- buttons and answers --------------------------------------------------------------------

    async def current(self, person: Person) -> LinkAsk:
        """Where the person's newest request stands.

        Raises Refused: link_clients_only, no_link.
        """
        if person.role is not Role.CLIENT:
            raise Refused("link_clients_only")
        async with self._store.reading() as tx:
            row = await self._newest(tx, person.user_id)
        if row is None:
            raise Refused("no_link")
        return shown(row, self._policy.servers)

    async def choose(self, person: Person, request_id: int, number: int) -> LinkAsk:
        """Take the server whose button was pressed. Raises Refused: not_yours, stale_link."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            row = await self._own(tx, person, request_id)
            known = 0 <= number < len(self._policy.servers)
            if row.state != LinkState.SERVER or now >= row.due_at or not known:
                raise Refused("stale_link")
            server = self._policy.servers[number]
            changes = asks_next(LinkState.LOGIN, now, server=server)
            await tx.update(LinkRequestRow, {"id": row.id}, **changes)
            after = await newest(tx, person.user_id)
        return shown(after or row, self._policy.servers)

    async def renew(self, person: Person, account_id: int) -> LinkAsk:
        """Ask for the new password of an account of theirs; another conversation ends by that.

        Raises Refused: link_clients_only, not_yours, no_password_asked, passwords_tried,
        too_many_links.
        """
        if person.role is not Role.CLIENT:
            raise Refused("link_clients_only")
        now = self._clock.now()
        async with self._store.writing() as tx:
            user, account = (
                await tx.get(UserRow, person.user_id),
                await tx.get(AccountRow, account_id),
            )
            if user is None or account is None or account.user_id != user.id:
                raise Refused("not_yours")
            row = await self._newest(tx, user.id)
            if row is None or not is_asked_already(row, account_id, now):
                await refuse_needless(tx, account, now)
                await refuse_too_many(tx, user, now)
                if row is not None and row.state in ASKING:
                    await self._end(tx, row, user, LinkState.CANCELLED, now)
                row = await begin(
                    tx,
                    user,
                    now,
                    state=LinkState.PASSWORD.value,
                    server=account.server,
                    login=account.login,
                    account_id=account.id,
                )
        if row.state == LinkState.PASSWORD:
            self._expected.add(user.telegram_id)
        return shown(row, self._policy.servers)

    async def cancel(self, person: Person, request_id: int) -> LinkAsk:
        """End it before an admin has answered. Raises Refused: not_yours, stale_link."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            row = await self._own(tx, person, request_id)
            user = await tx.get(UserRow, row.user_id)
            if user is None or not await self._cancel(tx, row, user, now):
                raise Refused("stale_link")
            after = await newest(tx, person.user_id)
        return shown(after or row, self._policy.servers)

    async def _own(self, tx: Transaction, person: Person, request_id: int) -> LinkRequestRow:
        row = await tx.get(LinkRequestRow, request_id)
        if row is None or row.user_id != person.user_id:
            raise Refused("not_yours")
        return row

    async def not_removed(self, telegram_id: int) -> None:
        """Tell somebody that what they wrote still stands in the chat."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            left = k.WordsLeft(telegram_id=telegram_id, in_group=False, at=now)
            await speak(tx, left, client=telegram_id, admin=self._admin, now=now)

    async def pass_time(self) -> None:
        """End what nobody has answered in time, and say so."""
        now = self._clock.now()
        due = await self._requests.find(state=[s.value for s in WITHDRAWABLE], due_at__le=now)
        asked = await self._requests.find(state=LinkState.PASSWORD.value)
        async with self._store.reading() as tx:
            users = [await tx.get(UserRow, row.user_id) for row in asked]
        self._expected = {user.telegram_id for user in users if user is not None}
        for row in due:
            async with self._store.writing() as tx:
                await self._expire(tx, row.id, now)

    async def _expire(self, tx: Transaction, request_id: int, now: datetime) -> None:
        row = await tx.get(LinkRequestRow, request_id)
        user = None if row is None else await tx.get(UserRow, row.user_id)
        if row is None or user is None or row.state not in WITHDRAWABLE or now < row.due_at:
            return
        await self._end(tx, row, user, LinkState.EXPIRED, now)
        news = k.LinkNews(**facts(row, user, now), state=LinkState.EXPIRED.value)
        await speak(tx, news, client=user.telegram_id, admin=self._admin, now=now)
