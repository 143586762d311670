"""Bearer tokens of the HTTP API: minted and revoked by their owner, kept as digests only."""

import hmac
import secrets

from msgspec.structs import replace

from core.domain import audit_words as words
from core.domain.answers import ApiToken, MintedToken
from core.domain.audit import SYSTEM
from core.domain.people import Person
from core.ports import Clock, Store, Transaction
from core.records import ApiTokenRow, UserRow
from core.services import audit
from core.services.errors import Refused
from core.services.expected import TOKEN_BYTES, token_digest
from core.services.persons import person_of

TOKENS_MAX = 5
"""Tokens of one person that are good at the same time."""
LABEL_LENGTH_MAX = 40


class ApiTokens:
    """Mint, list, revoke, and tell whose a token is."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def mint(self, actor: Person, label: str) -> MintedToken:
        """A new token for the person's own rights. Raises Refused: too_many_tokens, bad_label."""
        label = " ".join(label.split())
        if len(label) > LABEL_LENGTH_MAX or not label.isprintable():
            raise Refused("bad_label", limit=LABEL_LENGTH_MAX)
        text = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock.now()
        row = ApiTokenRow(
            user_id=actor.user_id,
            digest=token_digest(text),
            label=label or f"token of {now:%Y-%m-%d}",
            created_at=now,
        )
        async with self._store.writing() as tx:
            if len(await _good(tx, actor.user_id)) >= TOKENS_MAX:
                raise Refused("too_many_tokens", limit=TOKENS_MAX)
            row = replace(row, id=await tx.insert(row))
            await self._audit(tx, actor, words.API_ACCESS_GIVEN, row)
        return MintedToken(token=_shown(row), text=text)

    async def list_of(self, actor: Person) -> tuple[ApiToken, ...]:
        """The person's tokens that are good, oldest first."""
        async with self._store.reading() as tx:
            return tuple(_shown(row) for row in await _good(tx, actor.user_id))

    async def revoke(self, actor: Person, token_id: int) -> ApiToken:
        """End a token now. Raises Refused: no_such_token, of one that is not theirs too."""
        async with self._store.writing() as tx:
            row = await tx.get(ApiTokenRow, token_id)
            if row is None or row.user_id != actor.user_id or row.revoked_at is not None:
                raise Refused("no_such_token")
            await tx.update(ApiTokenRow, {"id": row.id}, revoked_at=self._clock.now())
            await self._audit(tx, actor, words.API_ACCESS_ENDED, row)
        return _shown(row)

    async def whose(self, text: str) -> Person | None:
        """The person whose token this is, with the rights they have now; None where nobody's."""
        digest = token_digest(text)
        async with self._store.reading() as tx:
            row = await tx.first(ApiTokenRow, digest=digest)
            if row is None or row.revoked_at is not None:
                return None
            if not hmac.compare_digest(row.digest, digest):
                return None
            return await active_person_of(tx, await tx.get(UserRow, row.user_id))

    async def _audit(self, tx: Transaction, actor: Person, word: str, row: ApiTokenRow) -> None:
        detail = {"token": row.id, "label": row.label}
        await audit.append(tx, SYSTEM, actor.name, word, detail, self._clock.now())


async def active_person_of(tx: Transaction, user: UserRow | None) -> Person | None:
    """The person with their accounts; None where there is none, or may do nothing."""
    person = None if user is None else await person_of(tx, user)
    return person if person is not None and person.is_active else None


async def _good(tx: Transaction, user_id: int) -> list[ApiTokenRow]:
    return await tx.find(ApiTokenRow, user_id=user_id, revoked_at=None)


def _shown(row: ApiTokenRow) -> ApiToken:
    return ApiToken(token_id=row.id, label=row.label, created_at=row.created_at)
