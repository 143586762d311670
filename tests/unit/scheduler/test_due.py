"""The heap of due accounts: the longest due first, each once, and never more than asked for."""

from datetime import timedelta

import pytest

from scheduler import Due
from tests.fakes.clock import START


def due(*entries: tuple[int, float]) -> Due:
    """Accounts and when they are due, in seconds from the start."""
    heap = Due()
    for account_id, s in entries:
        heap.put(account_id, START + timedelta(seconds=s))
    return heap


def popped(heap: Due, s: float, most: int = 100) -> list[int]:
    """The accounts taken at an instant."""
    return [account_id for account_id, _ in heap.pop(START + timedelta(seconds=s), most)]


def test_the_longest_due_come_first_and_equals_in_the_order_they_were_put() -> None:
    assert popped(due((1, 3), (2, 1), (3, 2), (4, 1)), 3) == [2, 4, 3, 1]


def test_what_is_not_due_stays() -> None:
    heap = due((1, 1), (2, 2))
    assert (popped(heap, 0.999), popped(heap, 1), len(heap)) == ([], [1], 1)
    assert heap.next() == START + timedelta(seconds=2)


@pytest.mark.parametrize(("most", "taken"), [(0, []), (1, [1]), (2, [1, 2]), (3, [1, 2])])
def test_no_more_are_taken_than_there_is_room_for(most: int, taken: list[int]) -> None:
    assert popped(due((1, 0), (2, 0)), 0, most) == taken


def test_the_last_word_on_an_account_counts() -> None:
    heap = due((1, 0), (1, 5), (2, 1), (2, 0.5), (2, 0.5))
    assert (popped(heap, 0), popped(heap, 4), len(heap)) == ([], [2], 1)
    assert popped(heap, 5) == [1]
    assert heap.next() is None
