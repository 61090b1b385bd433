"""A scribe writes what this process would, and whatever becomes of it harms no letter."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from duban.bureau import Bureau
from jobs import scribe as scribes
from jobs.links import Links
from jobs.log import FIELDS
from jobs.prepare import Claims, at_work, claim
from jobs.saying import Said, Voice, order, say
from jobs.scribe import Made, Scribe
from ledger import mentions
from ledger.letters import Letter
from mailroom.render import Speaker
from mailroom.written import write
from scheduler.clock import VirtualClock
from tests.support.ledgers import CAIWU, Desk, at, everybodys_report, open_ledger

Result = TypeVar("Result")
LINKS = Links("https://duban.edu.example/", ("a key of these tests",))
VOICE = Voice("duban@edu.example", "督办", LINKS)


@dataclass
class Bench:
    """Three claimed letters, and a scribe for them."""

    desk: Desk
    letters: list[Letter]
    scribe: Scribe

    def here(self) -> list[Made | None]:
        """What this process makes of the letters."""
        desk = self.desk
        with desk.ledger.read() as connection:
            said = say(connection, desk.bureaus, self.letters, LINKS, desk.now)
        made: list[Made | None] = []
        for row, one in zip(self.letters, said, strict=True):
            assert isinstance(one, Said)
            written = write(Speaker(), order(desk.bureau, VOICE, row, one))
            made.append(Made(one._replace(facts=one.facts.outline()), written))
        return made

    def asks(self, *letters: Letter, bureaus: dict[int, Bureau] | None = None) -> Awaitable[Answer]:
        """Ask the scribe for these, or for all."""
        desk = self.desk
        return self.scribe.write(bureaus or desk.bureaus, letters or self.letters, desk.now)

    def run(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do it while the scribe is there."""

        async def do() -> Result:
            self.scribe.begin(self.desk.bureaus)
            await self.scribe.started()
            try:
                return await work()
            finally:
                await self.scribe.close()

        return asyncio.run(do())

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.scribe._process is not None
        self.scribe._process.send_signal(number)


Answer = list[Made | None]


def failures(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The fields of what the log says of scribes that failed."""
    return [getattr(one, FIELDS) for one in caplog.records if one.message == "scribe.failed"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = VirtualClock(at("03-01 08:00"))
    ledger = open_ledger(tmp_path, durable=True)
    desk = Desk(ledger, Bureau(everybodys_report()), clock)
    desk.reconcile()
    desk.go("03-17 09:00").remind()
    claimed, _ = claim(
        ledger, desk.bureaus, at_work(desk.bureaus, desk.now), Claims(owner="a"), desk.now
    )
    scribe = Scribe(str(ledger.url), None, VOICE)
    yield Bench(desk, [one.row for one in claimed], scribe)
    ledger.close()


def test_a_scribe_writes_the_same_bytes_as_this_process(bench: Bench) -> None:
    made = bench.run(bench.asks)
    assert len(made) == 3
    assert made == bench.here()


def test_what_is_ordered_at_once_comes_back_each_to_its_own(bench: Bench) -> None:
    async def each() -> list[Answer]:
        return await asyncio.gather(*map(bench.asks, bench.letters))

    assert bench.run(each) == [[one] for one in bench.here()]


def test_a_scribe_speaks_by_the_office_s_own_templates(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "reminder.subject").write_text("催报", encoding="utf-8")
    bench.scribe = Scribe(str(bench.desk.ledger.url), tmp_path, VOICE)
    made = bench.run(bench.asks)
    assert {one.written.subject for one in made if one and one.written} == {"催报"}


def test_a_letter_that_has_nothing_to_say_comes_back_with_the_reason(bench: Bench) -> None:
    bench.desk.submit(CAIWU)
    with bench.desk.ledger.write() as connection:
        mentions.drop_settled(connection, [row.id for row in bench.letters])
    made = bench.run(bench.asks)
    names = [row.name for row in bench.letters]
    assert made[names.index("财务科")] == Made("nothing in it is owed any more", None)
    assert [one.written is None for one in made if one is not None].count(True) == 1


def test_a_letter_that_cannot_be_written_does_not_take_others_with_it(bench: Bench) -> None:
    unfit = bench.letters[0]._replace(kind="no kind of ours")
    first, second = bench.run(lambda: bench.asks(unfit, bench.letters[1]))
    assert first is None
    assert second is not None


def test_a_scribe_goes_by_the_plan_as_it_is_now(bench: Bench) -> None:
    async def before_and_after() -> Answer:
        await bench.asks()
        sections = bench.desk.bureau.plan.file.sections
        moved = [{"name": one.name, "email": "new@edu.example"} for one in sections]
        bench.desk.bureau = Bureau(everybodys_report(sections=moved))
        return await bench.asks()

    said = [one.said for one in bench.run(before_and_after) if one is not None]
    assert {one.address for one in said if isinstance(one, Said)} == {"new@edu.example"}


def test_a_scribe_knows_only_so_many_plans_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribes, "_PLANS_MAX", 2)
    bureaus = {n: Bureau(replace(bench.desk.bureau.plan)) for n in range(1, 8)}
    known: list[int] = []

    async def one_after_the_other() -> list[Answer]:
        made = []
        for n in (*bureaus, *bureaus):
            row = bench.letters[0]._replace(plan_id=n)
            made.append(await bench.asks(row, bureaus=bureaus))
            known.append(len(bench.scribe._known))
        return made

    assert bench.run(one_after_the_other) == [bench.here()[:1]] * 14
    assert max(known) == 2


def test_a_scribe_without_a_ledger_writes_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.scribe = Scribe(f"sqlite:///{tmp_path}/nowhere/ledger", None, VOICE)
    assert bench.run(bench.asks) == [None, None, None]


def test_a_scribe_rehearses_what_its_letters_will_ask_the_ledger(bench: Bench) -> None:
    place = scribes._Desk(str(bench.desk.ledger.url), None, VOICE)
    plans = {i: bureau.plan for i, bureau in bench.desk.bureaus.items()}
    assert place.write(scribes._Task(1, plans, False, (), None)) == []
    nothing, nobody, digest = place.rehearse()
    assert nothing == nobody == "nothing in it is owed any more"
    assert isinstance(digest, Said)


def test_a_scribe_that_was_killed_writes_nothing_and_raises_nothing(bench: Bench) -> None:
    async def killed() -> list[Answer]:
        bench.send(signal.SIGKILL)
        return [await bench.asks(), await bench.asks()]

    assert bench.run(killed) == [[None] * 3] * 2


def test_an_answer_that_nobody_waited_for_is_taken_for_no_other(bench: Bench) -> None:
    async def given_up() -> tuple[Answer, bool]:
        async def one(row: Letter) -> Answer:
            return await bench.asks(row)

        first, second, third = [asyncio.create_task(one(row)) for row in bench.letters]
        await asyncio.sleep(0)
        second.cancel()
        await first
        return await third, bench.scribe.ready

    assert bench.run(given_up) == ([None], False)


def test_a_scribe_that_is_closed_while_it_answers_is_not_ready_for_ever(bench: Bench) -> None:
    async def closed() -> bool:
        asking = asyncio.ensure_future(bench.asks())
        await asyncio.sleep(0)
        await bench.scribe.close()
        await asking
        return bench.scribe.ready

    assert bench.run(closed) is False


def test_a_scribe_makes_no_ledger_where_there_is_none(bench: Bench, tmp_path: Path) -> None:
    bench.scribe = Scribe(f"sqlite:///{tmp_path}/away.sqlite", None, VOICE)
    assert bench.run(bench.asks) == [None, None, None]
    assert not (tmp_path / "away.sqlite").exists()


def test_a_scribe_that_was_killed_can_be_begun_again(bench: Bench) -> None:
    async def killed() -> Answer:
        bench.send(signal.SIGKILL)
        await bench.asks()
        assert not bench.scribe.ready
        bench.scribe.begin(bench.desk.bureaus)
        await bench.scribe.started()
        return await bench.asks()

    assert bench.run(killed) == bench.here()


def test_a_scribe_that_is_closed_while_it_starts_leaves_no_process(bench: Bench) -> None:
    begun = asyncio.Event()

    class Slow(Scribe):
        async def _answer(self, number: int) -> Answer | None:
            begun.set()
            return await super()._answer(number)

    async def run() -> int | None:
        scribe = Slow(str(bench.desk.ledger.url), None, VOICE)
        scribe.begin(bench.desk.bureaus)
        await asyncio.wait_for(begun.wait(), 30)
        process = scribe._process
        assert process is not None
        await scribe.close()
        return process.returncode

    assert asyncio.run(run()) == -signal.SIGKILL


def test_a_scribe_that_hangs_is_given_up_and_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hung() -> tuple[Answer, int]:
        monkeypatch.setattr(scribes, "_PATIENCE_S", 0.2)
        process = bench.scribe._process
        assert process is not None
        bench.send(signal.SIGSTOP)
        return await bench.asks(), await asyncio.wait_for(process.wait(), 30)

    assert bench.run(hung) == ([None] * 3, -signal.SIGKILL)


def test_a_scribe_that_talks_nonsense_is_given_up_and_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nonsense() -> tuple[Answer, int]:
        process = bench.scribe._process
        assert process is not None
        monkeypatch.setattr("jobs.scribe.pickle.loads", lambda _body: 1 / 0)
        return await bench.asks(), await asyncio.wait_for(process.wait(), 30)

    assert bench.run(nonsense) == ([None] * 3, -signal.SIGKILL)


def test_a_scribe_that_hung_is_left_alone_for_an_hour(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    monkeypatch.setattr(scribes, "_now_s", lambda: now_s[0])

    async def begun(at_s: float) -> bool:
        now_s[0] = at_s
        bench.scribe.begin(bench.desk.bureaus)
        await bench.scribe.started()
        return bench.scribe.ready

    async def hung() -> list[bool]:
        with monkeypatch.context() as impatient:
            impatient.setattr(scribes, "_PATIENCE_S", 0.2)
            bench.send(signal.SIGSTOP)
            await bench.asks()
        return [await begun(at_s) for at_s in (0.0, 3599.0, 3600.0)]

    assert bench.run(hung) == [False, False, True]
    (fields,) = failures(caplog)
    assert fields["reason"] == "it gave no answer in 0.2 s"
    assert fields["follows"].endswith("another scribe is begun in 3600 s")


def test_the_log_says_how_a_scribe_ended_and_what_follows(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def killed() -> Answer:
        bench.send(signal.SIGKILL)
        return await bench.asks()

    bench.run(killed)
    follows = "this process words the letters; another scribe is begun with the next letters"
    assert failures(caplog) == [
        {"reason": "it was ended by signal 9", "said": None, "follows": follows}
    ]


def test_the_log_says_that_a_scribe_talks_nonsense(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nonsense() -> Answer:
        monkeypatch.setattr("jobs.scribe.pickle.loads", lambda _body: (0, []))
        return await bench.asks()

    bench.run(nonsense)
    assert [one["reason"] for one in failures(caplog)] == ["it talked nonsense (ValueError)"]


def test_the_log_says_that_no_scribe_can_be_started(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.scribe.sys.executable", "/nowhere/python")
    assert bench.run(bench.asks) == [None] * 3
    (fields,) = failures(caplog)
    assert fields["reason"] == "it cannot be started (No such file or directory)"
    assert fields["follows"].endswith("in 3600 s")


def test_f38_the_log_has_a_scribe_s_last_words_without_the_password(
    bench: Bench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint = "import sys; sys.exit('the first line\\nrefused with canary\\n')"
    monkeypatch.setattr(scribes, "_COMMAND", ("-c", complaint))
    bench.scribe = Scribe("postgresql://duban:canary@db.example/duban", None, VOICE)
    bench.run(bench.asks)
    (fields,) = failures(caplog)
    assert (fields["reason"], fields["said"]) == ("it ended with status 1", "refused with …")
    assert fields["follows"].endswith("in 3600 s")


def test_a_scribe_that_complains_at_length_is_heard_and_does_not_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud = f"import sys; sys.stderr.write('x' * 1_000_000); {scribes._COMMAND[-1]}"
    monkeypatch.setattr(scribes, "_COMMAND", ("-P", "-c", loud))
    assert bench.run(bench.asks) == bench.here()


def test_a_scribe_that_we_end_is_no_failure(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    async def closed() -> None:
        asking = asyncio.ensure_future(bench.asks())
        await asyncio.sleep(0)
        await bench.scribe.close()
        await asking

    bench.run(closed)
    assert failures(caplog) == []


def test_f38_a_scribe_inherits_none_of_our_secrets(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBAN_SMTP_PASSWORD", "canary")

    async def environment() -> str:
        assert bench.scribe._process is not None
        told = Path(f"/proc/{bench.scribe._process.pid}/environ")
        return await asyncio.to_thread(told.read_text, "utf-8")

    said = bench.run(environment)
    assert "PYTHONPATH" in said
    assert "canary" not in said


_PARENT = """
import asyncio
from jobs.saying import Voice
from jobs.scribe import Scribe
async def run():
    scribe = Scribe("sqlite://", None, Voice("", ""))
    scribe.begin({})
    await scribe.started()
    print(scribe._process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(run())
"""


def test_f01_a_scribe_ends_when_its_daemon_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        scribe = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    ended, _, _ = select.select([scribe], [], [], 30)
    os.close(scribe)
    assert ended
