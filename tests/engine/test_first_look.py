"""What is said of a start: only what is true, and how it stands once every account is known."""

from datetime import timedelta

from core.domain import alerts_app as own
from core.domain import alerts_terminal as t
from core.domain.alert_parts import Unguarded
from core.ports import BrokerUnavailable, TerminalHealth, TerminalStarting, TerminalState
from core.records import AccountStateRow
from core.services.first_look import FIRST_LOOK_MAX
from tests.engine.house import ADMIN_CHAT, EUR, GBP, USD, House


async def begin(house: House) -> None:
    """Start anew and say so, as the app does."""
    await house.restart()
    await house.engine.announce_start(None)


async def go_on(house: House, seconds: float) -> None:
    """Let time pass, with what the app does after each cycle and each second."""
    await house.run(seconds)
    for account_id in house.ids.values():
        house.engine.first_look.note(account_id)
    await house.engine.first_look.tell()


async def told(house: House) -> list[own.AppStanding]:
    """How it stood, as the admins were told."""
    return [x for x in await house.said(ADMIN_CHAT) if isinstance(x, own.AppStanding)]


def failing(house: House, *logins: int, error: BrokerUnavailable) -> None:
    """These accounts cannot be read from now on."""
    admit = house.gateway._admit  # noqa: SLF001 - the one place that knows whose read it is

    def refuse(login: int) -> None:
        admit(login)
        if login in logins:
            raise error

    house.gateway._admit = refuse  # type: ignore[method-assign]  # noqa: SLF001 - as above


async def test_guarding_is_not_claimed_before_anything_was_read(house: House) -> None:
    await begin(house)
    await house.engine.first_look.tell()
    assert [type(x) for x in await house.said(ADMIN_CHAT)][-1] is own.AppStarted
    assert not house.engine.first_look.done
    assert await told(house) == []
    await go_on(house, 0)
    assert house.engine.first_look.done
    (standing,) = await told(house)
    assert (standing.guarded, standing.started.accounts, standing.unguarded) == (3, 3, ())


async def test_how_it_stands_is_told_once_a_start(house: House) -> None:
    for starts in (1, 2):
        await begin(house)
        await go_on(house, 0)
        await go_on(house, 30)
        assert len(await told(house)) == starts


async def test_ready_waits_for_the_outage_of_an_unlinked_account_to_be_told(house: House) -> None:
    """Told after three failed reads; the others are guarded meanwhile."""
    await begin(house)
    house.gateway.healths[EUR] = TerminalHealth(
        state=TerminalState.UNLINKED, since=house.clock.now()
    )
    failing(house, EUR, error=BrokerUnavailable("no terminal is linked"))
    await go_on(house, 0)
    assert not house.engine.first_look.done
    await go_on(house, 20)
    assert house.engine.first_look.done
    (standing,) = await told(house)
    assert standing.guarded == 2
    assert standing.unguarded == (Unguarded(EUR, "no terminal is linked"),)


async def test_an_account_that_cannot_be_closed_is_not_guarded(house: House) -> None:
    house.fault(GBP, "autotrading_off")
    await begin(house)
    await go_on(house, 0)
    (standing,) = await told(house)
    assert standing.guarded == 2
    assert standing.unguarded == (Unguarded(GBP, "", ("autotrading_off",)),)


async def test_a_start_after_an_old_outage_waits_for_the_terminal(house: House) -> None:
    """Since before the restart the account is told of as unreadable; now it is only starting."""
    failing(house, USD, error=BrokerUnavailable("IPC timeout"))
    await house.run(30)
    await begin(house)
    failing(house, USD, error=TerminalStarting("the terminal is being started"))
    await go_on(house, 10)
    assert not house.engine.first_look.done
    house.gateway._admit = type(house.gateway)._admit.__get__(house.gateway)  # type: ignore[method-assign]  # noqa: SLF001 - back again
    await go_on(house, 10)
    (standing,) = await told(house)
    assert standing.guarded == 3


async def test_the_first_look_is_bounded(house: House) -> None:
    """Nothing happened to an account at all: it is told as not read."""
    await begin(house)
    house.clock.instant += FIRST_LOOK_MAX - timedelta(seconds=1)
    assert not house.engine.first_look.done
    house.clock.instant += timedelta(seconds=1)
    assert house.engine.first_look.done
    await house.engine.first_look.tell()
    (standing,) = await told(house)
    assert (standing.guarded, standing.started.accounts) == (0, 3)


async def test_a_made_up_flat_of_an_account_never_read(house: House) -> None:
    """Nobody ever saw what is open there: neither its outage nor a stop may say that nothing is."""
    async with house.store.writing() as tx:
        await tx.update(AccountStateRow, {}, observed_at=None)
    await house.restart()
    failing(house, GBP, USD, EUR, error=BrokerUnavailable("IPC timeout"))
    await house.run(30)
    outages = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, t.AccountUnavailable)]
    assert [x.positions_count for x in outages] == [None, None, None]
    await house.engine.announce_stop()
    stopping = (await house.said(ADMIN_CHAT))[-1]
    assert isinstance(stopping, own.AppStopping)
    assert (stopping.accounts, stopping.never_read) == (3, (GBP, USD, EUR))


async def test_a_stop_counts_what_was_open_when_last_read(house: House) -> None:
    house.open(USD, "buy", "0.10")
    await house.run(11)
    await house.restart()
    await house.engine.announce_stop()
    stopping = (await house.said(ADMIN_CHAT))[-1]
    assert isinstance(stopping, own.AppStopping)
    assert (stopping.open_positions, stopping.never_read) == (1, ())
