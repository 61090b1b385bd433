"""What duban says of a rung is not believed: each lie about it is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.checker.case import Case
from tests.checker.claims import claims_hold
from tests.years.eventful import eventful
from tests.years.world import World

KEY = "monthly/2023-02/财务科"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Half a year with the true claims."""
    world = World(eventful(), tmp_path_factory.mktemp("claims"))
    world.run()
    made = world.case
    world.close()
    return made


def lies(case: Case, lie: Callable[[Document], None]) -> list[str]:
    """What is found where one sent rung of the silent section is told of otherwise."""
    document = next(d for d in case.claims if d["key"] == KEY)
    told = [r for r in document["rungs"] if r["fates"] and r["fates"][-1]["state"] == "sent"]
    before = dict(told[0]["fates"][-1]), list(told[0]["fates"])
    lie(told[0])
    found = [one.says for one in claims_hold(case)]
    told[0]["fates"] = before[1]
    told[0]["fates"][-1].update(before[0])
    return found


def test_the_truth_is_believed(case: Case) -> None:
    assert list(claims_hold(case)) == []


def test_a_letter_that_the_server_never_had_is_not_sent(case: Case) -> None:
    (found,) = lies(case, lambda rise: rise["fates"][-1].update(message_id="<none@edu.example>"))
    assert found.endswith("but the server knows nothing of it")


def test_nothing_is_void_without_a_reason(case: Case) -> None:
    (found,) = lies(case, lambda rise: rise["fates"][-1].update(state="void", reason=""))
    assert found.endswith("is void without a reason")


def test_nothing_is_void_where_nothing_happened(case: Case) -> None:
    claim = {"state": "void", "reason": "submitted meanwhile"}
    (found,) = lies(case, lambda rise: rise["fates"][-1].update(claim))
    assert found.endswith("but nothing of the kind happened")


def test_the_last_rung_is_not_superseded(case: Case) -> None:
    document = next(d for d in case.claims if d["key"] == KEY)
    rise = max((r for r in document["rungs"] if r["fates"]), key=lambda r: str(r["at"]))
    before = dict(rise["fates"][-1])
    rise["fates"][-1] |= {"state": "superseded", "reason": "a later rung has come"}
    found = [one.says for one in claims_hold(case)]
    rise["fates"][-1] = before
    assert [f for f in found if f.endswith("but no later rung came")]


def test_a_rung_of_which_nothing_is_told_is_found(case: Case) -> None:
    (found,) = lies(case, lambda rise: rise.update(fates=[]))
    assert found.endswith("came, and nothing is known of it")
