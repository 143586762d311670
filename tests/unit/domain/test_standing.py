"""Who may change what of whom: the whole table, written out."""

import pytest

from core.domain.people import Role
from core.domain.standing import Change, refusal
from tests.fakes.access import user_line

NOBODY = dict.fromkeys((Role.CLIENT, Role.PENDING, Role.BLOCKED), "not_admin")


@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("actor", list(NOBODY))
def test_only_admins_and_owners_change_anybody(change: Change, actor: Role) -> None:
    why = refusal(change, actor_id=9, actor_role=actor, line=user_line(), active_admins=2)
    assert why == "not_admin"


@pytest.mark.parametrize(
    ("actor", "target", "why"),
    [
        (Role.ADMIN, Role.CLIENT, None),
        (Role.ADMIN, Role.PENDING, None),
        (Role.ADMIN, Role.ADMIN, "owners_only"),
        (Role.ADMIN, Role.OWNER, "owners_only"),
        (Role.ADMIN, Role.BLOCKED, "blocked_already"),
        (Role.OWNER, Role.CLIENT, None),
        (Role.OWNER, Role.ADMIN, None),
        (Role.OWNER, Role.OWNER, None),
    ],
)
def test_who_may_block_whom(actor: Role, target: Role, why: str | None) -> None:
    line = user_line(role=target)
    assert refusal(Change.BLOCK, actor_id=9, actor_role=actor, line=line, active_admins=2) == why


def test_the_last_one_who_may_decide_is_not_blocked() -> None:
    line = user_line(role=Role.ADMIN)
    why = [
        refusal(Change.BLOCK, actor_id=9, actor_role=Role.OWNER, line=line, active_admins=n)
        for n in (1, 2)
    ]
    assert why == ["last_admin", None]


@pytest.mark.parametrize(
    ("actor", "in_file", "why"),
    [
        (Role.ADMIN, None, None),
        (Role.ADMIN, Role.CLIENT, None),
        (Role.ADMIN, Role.BLOCKED, "listed_in_file"),
        (Role.ADMIN, Role.ADMIN, "owners_only"),
        (Role.OWNER, Role.ADMIN, None),
    ],
)
def test_a_block_is_lifted_as_far_as_the_file_goes(
    actor: Role, in_file: Role | None, why: str | None
) -> None:
    line = user_line(role=Role.BLOCKED, file_role=in_file)
    got = refusal(Change.UNBLOCK, actor_id=9, actor_role=actor, line=line, active_admins=2)
    assert got == why
