"""What a lease store promises, whoever keeps it (DESIGN, section 7): one owner at a time.

A store is named here by what makes one. Instants are the store's own seconds.
"""

from collections.abc import Callable

import pytest

from tests.simulation.leases import TTL_S, Lease, Leases

STORES: tuple[Callable[[], Leases], ...] = (Leases,)


@pytest.fixture(params=STORES, ids=lambda made: made.__name__)
def store(request: pytest.FixtureRequest) -> Leases:
    """A store in which nobody owns anything yet."""
    made: Callable[[], Leases] = request.param
    return made()


def claimed(store: Leases, owner: str, now_s: float) -> Lease:
    """A lease that must be had."""
    lease = store.claim(owner, now_s)
    assert lease is not None
    return lease


def test_the_first_who_claims_owns(store: Leases) -> None:
    assert claimed(store, "a", 0.0) == Lease("a", 1)


def test_while_one_owns_nobody_else_does(store: Leases) -> None:
    mine = claimed(store, "a", 0.0)
    assert store.claim("b", TTL_S - 0.001) is None
    assert store.holds(mine, TTL_S - 0.001)


def test_not_even_the_owner_claims_twice(store: Leases) -> None:
    """A second process of the same name is another owner."""
    claimed(store, "a", 0.0)
    assert store.claim("a", 1.0) is None


def test_at_its_end_a_lease_is_free_and_the_epoch_rises(store: Leases) -> None:
    old = claimed(store, "a", 0.0)
    assert not store.holds(old, TTL_S)
    assert claimed(store, "b", TTL_S) == Lease("b", 2)


def test_who_renews_in_time_goes_on_under_the_same_epoch(store: Leases) -> None:
    mine = claimed(store, "a", 0.0)
    assert store.renew(mine, TTL_S - 0.001)
    assert store.claim("b", TTL_S + 1.0) is None
    assert store.holds(mine, 2 * TTL_S - 0.002)


def test_who_renews_too_late_has_lost_it(store: Leases) -> None:
    """Also where nobody came meanwhile: somebody may have, and gone again."""
    mine = claimed(store, "a", 0.0)
    assert not store.renew(mine, TTL_S)
    assert claimed(store, "a", TTL_S).epoch == 2


def test_an_old_owner_neither_renews_nor_releases_the_new_ones(store: Leases) -> None:
    old = claimed(store, "a", 0.0)
    new = claimed(store, "b", TTL_S)
    assert not store.renew(old, TTL_S + 0.1)
    store.release(old)
    assert store.holds(new, TTL_S + 0.1)


def test_what_is_released_can_be_claimed_at_once_with_a_new_epoch(store: Leases) -> None:
    store.release(claimed(store, "a", 0.0))
    assert claimed(store, "b", 0.0) == Lease("b", 2)


def test_no_epoch_is_given_twice(store: Leases) -> None:
    epochs = [claimed(store, "ab"[n % 2], n * TTL_S).epoch for n in range(20)]
    assert epochs == sorted(set(epochs))
