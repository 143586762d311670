"""`audit`: verify, print and re-key the proof of what was done."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from bot.cli.composition import audited_store, change_audit_key
from bot.cli.options import AuditOptions, UsageError
from bot.cli.private import keep_to_this_user
from bot.cli.run import settings_or_usage
from bot.cli.saying import complain, say
from core.config import Settings
from core.domain.audit import SYSTEM, plain
from core.domain.audit_check import HEAD_DIGITS
from core.domain.audit_findings import sentence
from core.ports import KeysUnusable, Store, StoreUnavailable, UnreadableRow
from core.records import AccountRow, AuditRow
from core.services.audit import newest
from core.services.audit_verify import ROWS_AT_ONCE, Verified, VerifyAudit

TAMPERED: Final = 1


def audit(options: AuditOptions) -> int:
    """Do as asked and answer the exit status. Raises UsageError."""
    keep_to_this_user()
    settings = settings_or_usage()
    try:
        match options.verb:
            case "verify":
                return asyncio.run(_verify(settings, options))
            case "show":
                return asyncio.run(_show(settings, options))
            case "heads":
                return asyncio.run(_heads(settings))
            case verb:
                count = asyncio.run(change_audit_key(settings, lost=verb == "new-key"))
    except KeysUnusable as error:
        return complain(f"{error}")
    except (StoreUnavailable, UnreadableRow) as error:
        return complain(f"the database cannot be read: {error}")
    say(
        f"{count} chains are under a new key. The old ones stay in audit.keys: what was signed "
        "with them is verified with them. Keep a copy of the file apart"
    )
    return 0


async def _verify(settings: Settings, options: AuditOptions) -> int:
    async with audited_store(settings) as opened:
        if opened is None:
            raise UsageError("audit: there is no database yet, so there is nothing to verify")
        store, keys = opened
        verifier = VerifyAudit(store, keys)
        names = _Names(await _accounts(store))
        heads: dict[int, dict[int, str]] = {}
        for word in options.heads:
            name, sequence, digest = word.rsplit(":", 2)
            heads.setdefault(names.one(name), {})[int(sequence)] = digest
        wanted = {*names.all(options.chain), *heads} if options.chain else None
        account_ids = await verifier.account_ids() if wanted is None else sorted({SYSTEM, *wanted})
        sound = True
        for account_id in account_ids:
            found = await verifier.chain(account_id, heads.get(account_id, {}))
            sound = _report(found, names.of(account_id)) and sound
    say("sound" if sound else "NOT SOUND: the lines above name what was tampered with")
    return 0 if sound else TAMPERED


def _report(found: Verified, name: str) -> bool:
    """Say what was found of one chain; answers whether it is sound."""
    for finding in found.findings:
        say(f"{name}: {sentence(finding)}")
    if found.left_out:
        say(f"{name}: and {found.left_out} more")
    if found.findings:
        return False
    head = f"{name}:{found.head.sequence}:{found.head.hash[:HEAD_DIGITS]}"
    say(f"{name}: {found.links} links, head {head}" if found.links else f"{name}: no link yet")
    return True


async def _show(settings: Settings, options: AuditOptions) -> int:
    async with audited_store(settings) as opened:
        if opened is None:
            raise UsageError("audit: there is no database yet, so there is nothing to show")
        store, keys = opened
        names = _Names(await _accounts(store))
        if options.chain:
            account_ids = names.all(options.chain)
        else:
            account_ids = await VerifyAudit(store, keys).account_ids()
        for account_id in account_ids:
            async for row in _links(store, account_id, options.since, options.until):
                say(_json(row))
    return 0


async def _heads(settings: Settings) -> int:
    async with audited_store(settings) as opened:
        if opened is None:
            raise UsageError("audit: there is no database yet, so there is no head")
        store, keys = opened
        names = _Names(await _accounts(store))
        for account_id in await VerifyAudit(store, keys).account_ids():
            async with store.reading() as tx:
                last = await newest(tx, account_id)
            if last is not None:
                say(f"{names.of(account_id)}:{last.sequence}:{last.hash[:HEAD_DIGITS]}")
    return 0


async def _links(
    store: Store, account_id: int, since: int, until: int | None
) -> AsyncIterator[AuditRow]:
    after = since - 1
    while True:
        async with store.reading() as tx:
            rows = await tx.find(
                AuditRow,
                order_by="sequence",
                limit=ROWS_AT_ONCE,
                account_id=account_id,
                sequence__gt=after,
            )
        for row in rows:
            if until is not None and row.sequence > until:
                return
            yield row
        if len(rows) < ROWS_AT_ONCE:
            return
        after = rows[-1].sequence


def _json(row: AuditRow) -> str:
    fields = msgspec.structs.asdict(row)
    return msgspec.json.encode({**fields, "created_at": plain(row.created_at)}).decode()


async def _accounts(store: Store) -> list[AccountRow]:
    async with store.reading() as tx:
        return await tx.find(AccountRow)


class _Names:
    """Chains as operators call them: by login; by id where several servers have the login."""

    def __init__(self, accounts: list[AccountRow]) -> None:
        self._by_login: dict[int, list[int]] = {}
        for account in accounts:
            self._by_login.setdefault(account.login, []).append(account.id)
        self._names = {ids[0]: str(login) for login, ids in self._by_login.items() if len(ids) == 1}

    def of(self, account_id: int) -> str:
        """What a chain is called."""
        return "system" if account_id == SYSTEM else self._names.get(account_id, f"id={account_id}")

    def all(self, name: str) -> list[int]:
        """The chains of this name. Raises UsageError where there is none."""
        if name == "system":
            return [SYSTEM]
        if name.startswith("id="):
            return [int(name.removeprefix("id="))]
        found = self._by_login.get(int(name))
        if not found:
            raise UsageError(f"audit: there is no account {name}")
        return found

    def one(self, name: str) -> int:
        """The chain of this name. Raises UsageError unless there is exactly one."""
        found = self.all(name)
        if len(found) > 1:
            ids = ", ".join(f"id={account_id}" for account_id in found)
            raise UsageError(f"--head: {name} is an account at several servers; say one of {ids}")
        return found[0]
