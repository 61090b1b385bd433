"""All proofs over one history."""

from __future__ import annotations

from itertools import chain

from tests.checker import claims, manners, rungs
from tests.checker.case import Case, Finding

PROOFS = (
    manners.known_kinds,
    rungs.every_rung_is_sent,
    claims.claims_hold,
    rungs.every_change_is_told,
    rungs.every_submission_has_its_receipt,
    manners.nothing_after_its_submission,
    manners.everything_to_whom_the_plan_names,
    manners.no_second_copies,
    manners.no_unfair_escalation,
    manners.office_hours,
    manners.one_letter_for_each_person,
    manners.one_digest_a_day,
    manners.no_storm,
)


def findings(case: Case) -> list[Finding]:
    """Every counter-example to the invariants; an empty list proves the history."""
    return list(chain.from_iterable(proof(case) for proof in PROOFS))
