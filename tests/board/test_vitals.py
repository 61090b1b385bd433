"""What machines ask of the pages: life, readiness, figures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from board.context import Vitals
from board.middleware import SAFE_HEADERS
from mailroom.relay import Outcome
from tests.support.ledgers import ON_SQLITE, at
from tests.support.pages import ELSEWHERE, MACHINE, PUBLIC, MakePages, Pages

TOKEN = "a token of sixteen"


def figures(text: str) -> dict[str, float]:
    """Every figure by its name and labels, such as `duban_letters_total{reminder,sent}`."""
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_daemon_that_ticks_is_alive_and_ready(pages: Pages) -> None:
    browser = pages.browser(ELSEWHERE)
    for probe in ("/healthz", "/readyz"):
        answer = browser.get(probe)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("state", ["starting", "failing", "late"])
def test_f51_a_daemon_that_does_not_tick_says_so_in_one_word(pages: Pages, state: str) -> None:
    pages.vitals = Vitals(state=state)
    for probe in ("/healthz", "/readyz"):
        answer = pages.browser().get(probe)
        assert (answer.status_code, answer.json()) == (503, {"status": state})


def test_without_plans_it_lives_and_is_not_ready(make_pages: MakePages) -> None:
    browser = make_pages(bureaus=dict).browser()
    assert browser.get("/healthz").status_code == 200
    assert browser.get("/readyz").json() == {"status": "plans"}


@ON_SQLITE
def test_without_its_ledger_it_lives_and_is_not_ready(pages: Pages) -> None:
    bureaus = pages.desk.bureaus
    pages.context = replace(pages.context, bureaus=lambda: bureaus)
    _spoil(pages)
    browser = pages.browser()
    assert browser.get("/healthz").status_code == 200
    answer = browser.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "ledger"})


@ON_SQLITE
def test_without_its_ledger_it_has_no_figures_and_tells_monitoring_so_in_english(
    pages: Pages,
) -> None:
    bureaus = pages.desk.bureaus
    pages.context = replace(pages.context, bureaus=lambda: bureaus)
    _spoil(pages)
    answer = pages.browser(base=MACHINE).get("/metrics")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == ("the ledger cannot be read at the moment; the daemon's log says why\n")
    assert "page.failed" in [name for name, _ in pages.said]


def _spoil(pages: Pages) -> None:
    """Let the ledger's file be something else."""
    path = pages.desk.ledger.path
    assert path is not None
    pages.desk.ledger.close()
    path.write_bytes(b"rubbish" * 1000)


def test_the_figures_are_the_ledgers(pages: Pages) -> None:
    pages.desk.beat("03-17 09:00")
    pages.desk.go("03-22 08:00")
    pages.desk.reconcile()
    pages.desk.go("03-22 09:00").remind()
    pages.vitals = replace(
        pages.vitals,
        ticks=4,
        ticks_took_s=0.5,
        answer=Outcome.ACCEPTED,
        answered_at=at("03-17 09:00"),
    )
    pages.desk.go("03-27 09:00")
    found = figures(pages.browser(base=MACHINE).get("/metrics").text)
    plan = pages.desk.bureau.plan.id
    assert found[f"duban_obligations{{{plan},overdue}}"] == 1
    assert found[f"duban_obligations{{{plan},pending}}"] == 0
    assert found["duban_letters_total{reminder,sent}"] == 1
    assert found[f"duban_letters_waiting{{{plan}}}"] == 1
    assert found[f"duban_letters_oldest_age_seconds{{{plan}}}"] == 5 * 86_400
    assert found[f"duban_provisional_deadlines{{{plan}}}"] == 0
    assert found["duban_tick_seconds_sum{}"] / found["duban_tick_seconds_count{}"] == 0.125
    answered = found["duban_relay_answered_timestamp_seconds{accepted}"]
    assert answered == at("03-17 09:00").timestamp()
    assert (found["duban_well{}"], found["duban_relay_trouble{}"]) == (1, 0)


def test_before_the_first_tick_and_answer_there_are_no_ages(pages: Pages) -> None:
    pages.vitals = Vitals(state="starting")
    found = figures(pages.browser(base=MACHINE).get("/metrics").text)
    assert found["duban_well{}"] == 0
    assert [name for name in found if "age_seconds{}" in name or "answered" in name] == []


def test_figures_name_no_person(pages: Pages) -> None:
    pages.desk.beats("03-17 09:00", "03-22 09:00", "03-24 09:00", "03-27 09:00")
    text = pages.browser(base=MACHINE).get("/metrics").text
    people = [h.name for o in pages.desk.bureau.plan.file.officials for h in o.holders]
    assert people
    assert [name for name in people if name in text] == []


@pytest.mark.parametrize(
    ("token", "shown", "status"),
    [
        (None, None, 403),
        (None, "Bearer ", 403),
        (TOKEN, None, 403),
        (TOKEN, f"Basic {TOKEN}", 403),
        (TOKEN, f"Bearer {TOKEN}!", 403),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
)
def test_another_machine_needs_the_token_for_figures(
    make_pages: MakePages, token: str | None, shown: str | None, status: int
) -> None:
    browser = make_pages(metrics_token=token).browser(ELSEWHERE, MACHINE)
    headers = {"Authorization": shown} if shown is not None else {}
    assert browser.get("/metrics", headers=headers).status_code == status


def test_what_comes_by_the_public_name_is_not_this_machine(pages: Pages) -> None:
    assert pages.browser(base=MACHINE).get("/metrics").status_code == 200
    assert pages.browser(base=PUBLIC).get("/metrics").status_code == 403


def test_a_client_without_an_address_is_another_machine(pages: Pages) -> None:
    assert pages.browser(("testclient", 0), MACHINE).get("/metrics").status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nothing"])
def test_every_answer_has_the_strict_headers(pages: Pages, path: str) -> None:
    headers = pages.browser().get(path).headers
    assert {name: headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_f38_the_log_of_requests_holds_no_path_and_no_query(pages: Pages) -> None:
    browser = pages.browser()
    browser.get("/healthz")
    assert pages.said == []
    browser.get("/r/a-secret-token?key=another")
    ((name, fields),) = pages.said
    assert name == "http.request"
    assert isinstance(fields.pop("ms"), int)
    assert fields == {"method": "GET", "route": "/r/{token}", "status": 403}
