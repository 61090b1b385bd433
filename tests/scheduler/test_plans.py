"""The plans that a daemon follows: a bad file never replaces the plan that runs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.loader import load_plan
from jobs.status import Refusal, status
from ledger.engine import Ledger
from scheduler.plans import NoPlanError, Plans
from tests.support.ledgers import at, open_ledger
from tests.support.small_plan import OVERRIDES, PLAN, changed, save

NOW = at("03-06 10:00")
BAD = changed("leader: 陈军宣", "leader: 无此人")


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    made = open_ledger(tmp_path)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plan's folder."""
    place = tmp_path / "plan"
    place.mkdir()
    return save(place)


@pytest.fixture
def running(book: Ledger, folder: Path) -> Plans:
    """The plan, started."""
    plans = Plans(book, [folder])
    plans.start(NOW)
    return plans


def _notices(book: Ledger) -> list[dict[str, list[str]]]:
    with book.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT data FROM letter WHERE kind = 'notice' ORDER BY id"
        ).scalars()
        return [json.loads(data) for data in found]


def _refused(book: Ledger) -> Refusal | None:
    with book.read() as connection:
        (found,) = status(connection, NOW).plans
    return found.refused


def _keys(book: Ledger) -> set[str]:
    with book.read() as connection:
        return set(connection.exec_driver_sql("SELECT key FROM obligation").scalars())


def _deadline(book: Ledger, key: str) -> str:
    with book.read() as connection:
        found = connection.exec_driver_sql("SELECT deadline FROM obligation WHERE key = ?", (key,))
        return str(found.scalar_one())


def test_a_plan_is_loaded_and_entered_at_the_start(running: Plans, book: Ledger) -> None:
    (bureau,) = running.bureaus.values()
    assert bureau.plan.id == "demo-2023"
    assert "monthly/2023-03/财务科" in _keys(book)


def test_nothing_is_read_again_while_the_files_look_the_same(
    running: Plans, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "duban")
    before = list(running.bureaus.values())
    running.follow(NOW)
    assert all(a is b for a, b in zip(running.bureaus.values(), before, strict=True))
    assert caplog.messages == []


def test_a_good_change_is_taken_up(running: Plans, book: Ledger, folder: Path) -> None:
    save(folder, PLAN, OVERRIDES)
    running.follow(NOW)
    assert _deadline(book, "special/2023-03/财务科").startswith("2023-03-28 09:30")


def test_f27_a_bad_file_leaves_the_old_plan_whole_and_the_office_is_told_line_and_column(
    running: Plans, book: Ledger, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = (_keys(book), list(running.bureaus.values()))
    save(folder, BAD)
    running.follow(NOW)
    assert (_keys(book), list(running.bureaus.values())) == before
    (expected,) = load_plan(folder).errors
    (notice,) = _notices(book)
    assert notice["details"] == [str(expected)]
    assert notice["details"][0].startswith("plan.yaml:25:13: ")
    assert "plan.refused" in caplog.messages
    running.follow(NOW)
    assert len(_notices(book)) == 1  # told once, until the file changes again


def test_f27_the_mended_file_is_taken_up(running: Plans, book: Ledger, folder: Path) -> None:
    save(folder, BAD)
    running.follow(NOW)
    save(folder, changed("due: {monthly: 25}", "due: {monthly: 20}"))
    running.follow(NOW)
    assert _deadline(book, "monthly/2023-03/财务科").startswith("2023-03-20")


def test_f27_the_status_says_since_when_the_files_do_not_count_until_they_are_mended(
    running: Plans, book: Ledger, folder: Path
) -> None:
    """Whoever asks why an edit has no effect is told where the mistakes are."""
    assert _refused(book) is None
    for hour in (11, 12):
        save(folder, BAD + "\n" * hour)
        running.follow(at(f"03-06 {hour}:00"))
    refused = _refused(book)
    assert refused is not None
    assert (refused.since, refused.count) == (at("03-06 11:00"), 1)
    assert refused.problems[0].startswith("plan.yaml:25:13: ")
    again = Plans(book, [folder])
    again.start(at("03-07 08:00"))  # with the kept plan
    assert _refused(book) == refused
    save(folder, PLAN)
    again.follow(at("03-07 09:00"))
    assert _refused(book) is None


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(PLAN.encode()) - 1), st.binary(max_size=3))
def test_f27_whatever_happens_to_the_file_the_plan_that_runs_is_a_whole_one(
    running: Plans, folder: Path, place: int, noise: bytes
) -> None:
    content = PLAN.encode()
    save(folder, content[:place] + noise + content[place + 1 :])
    loaded = load_plan(folder)
    before = running.bureaus[1]
    running.follow(NOW)
    now = running.bureaus[1]
    if loaded.plan is None or loaded.plan.id != before.plan.id:
        assert now is before
    else:
        assert now.plan.digest == loaded.plan.digest


def test_f27_a_missing_file_leaves_the_old_plan(running: Plans, book: Ledger, folder: Path) -> None:
    (folder / "plan.yaml").unlink()
    running.follow(NOW)
    assert running.bureaus[1].plan.id == "demo-2023"
    assert "there is no plan.yaml" in _notices(book)[0]["details"][0]


def test_another_plans_file_is_no_change_of_this_one(
    running: Plans, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(folder, changed("id: demo-2023", "id: other"))
    running.follow(NOW)
    assert running.bureaus[1].plan.id == "demo-2023"
    assert "plan.refused" in caplog.messages


def test_looking_again_reads_files_that_look_the_same(
    running: Plans, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "duban")
    running.look_again()
    running.follow(NOW)
    assert caplog.messages == ["plan.loaded"]


def test_a_plan_that_never_ran_is_refused_with_its_lines(book: Ledger, tmp_path: Path) -> None:
    place = tmp_path / "bad"
    place.mkdir()
    save(place, BAD)
    with pytest.raises(NoPlanError) as caught:
        Plans(book, [place]).start(NOW)
    assert [problem.line for problem in caught.value.problems] == [25]
    assert str(caught.value).startswith(f"{place}/plan.yaml:25:13: ")
    assert _keys(book) == set()


def test_f27_a_start_with_a_bad_file_runs_the_plan_that_ran_before(
    running: Plans, book: Ledger, folder: Path
) -> None:
    (folder / "holidays").mkdir()
    save(folder, PLAN, OVERRIDES)
    running.follow(NOW)
    before = _deadline(book, "special/2023-03/财务科")
    save(folder, BAD)
    again = Plans(book, [folder])
    again.start(NOW)
    assert again.bureaus[1].plan.id == "demo-2023"
    assert _deadline(book, "special/2023-03/财务科") == before
    assert len(_notices(book)) == 1


def test_a_kept_plan_has_its_holiday_notices_too(
    running: Plans, book: Ledger, folder: Path
) -> None:
    (folder / "holidays").mkdir()
    notices = Path(__file__).parents[1] / "fixtures" / "notices"
    (folder / "holidays" / "2023.txt").write_bytes((notices / "2023.txt").read_bytes())
    running.follow(NOW)
    assert set(running.bureaus[1].plan.notices) == {2023}
    save(folder, BAD)
    again = Plans(book, [folder])
    again.start(NOW)
    assert set(again.bureaus[1].plan.notices) == {2023}


def test_a_kept_plan_that_this_version_cannot_read_is_refused(
    running: Plans, book: Ledger, folder: Path
) -> None:
    save(folder, BAD)
    with book.write() as connection:
        connection.exec_driver_sql(
            "UPDATE mark SET value = ? WHERE key LIKE 'plan of %'",
            (json.dumps({"plan.yaml": b"nothing: here".hex()}),),
        )
    with pytest.raises(NoPlanError):
        Plans(book, [folder]).start(NOW)


def test_f31_two_folders_with_the_same_id_are_refused(book: Ledger, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save(tmp_path / name)
    with pytest.raises(NoPlanError, match="its id 'demo-2023' is also that of"):
        Plans(book, [tmp_path / "a", tmp_path / "b"]).start(NOW)


def test_several_plans_run_side_by_side(book: Ledger, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save(tmp_path / name, changed("id: demo-2023", f"id: {name}"))
    plans = Plans(book, [tmp_path / "a", tmp_path / "b"])
    plans.start(NOW)
    assert [bureau.plan.id for bureau in plans.bureaus.values()] == ["a", "b"]


def test_f17_a_plan_with_a_damaged_obligation_leaves_the_others_running(
    book: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = {name: changed("id: demo-2023", f"id: {name}") for name in ("a", "b")}
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        save(tmp_path / name, text)
    plans = Plans(book, [tmp_path / "a", tmp_path / "b"])
    plans.start(NOW)
    with book.write() as connection:
        connection.exec_driver_sql("UPDATE obligation SET deadline = 'rubbish' WHERE id = 1")
    for name, text in texts.items():
        save(tmp_path / name, f"{text}\n# seen again\n")
    plans.follow(NOW)
    assert [bureau.plan.id for bureau in plans.bureaus.values()] == ["b"]
    assert "plan.unreadable" in [record.msg for record in caplog.records]
