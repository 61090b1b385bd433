"""Years in seconds: what happens when people, the office, the relay or the daemon do otherwise."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from mailroom.relay import Mail, Outcome
from scheduler.simulator import ScriptedRelay
from tests.support.ledgers import CAIWU, ZONE, everybodys_report, one_report
from tests.support.plans import real_plan, rule
from tests.support.years import History, live, owed, say

SECTION, OFFICE = "caiwu@edu.example", "bangongshi@edu.example"
DEPUTY, HEAD = "fujuzhang@edu.example", "juzhang@edu.example"
REMINDERS = ("reminder", "escalation")


def _march(folder: Path, *script: str, last: str = "04-14 23:59") -> History:
    return live(one_report(), folder, "03-01 00:00", last, *script)


def test_where_everybody_is_on_time_no_official_gets_a_single_mail(tmp_path: Path) -> None:
    plan = real_plan()
    still = live(plan, tmp_path, "02-01 00:00", "02-01 00:01", name="still.sqlite")
    script = [
        say(f"{one.deadline:%Y-%m-%d} 16:00", "submit", key=one.key)
        for one in owed(still, "02-01 00:00", "05-31 23:59")
    ]
    history = live(plan, tmp_path, "02-01 00:00", "05-31 23:59", *script)
    officials = {holder.email for post in plan.file.officials for holder in post.holders}
    assert history.of_kind("receipt")
    assert not {one.mail.recipient for one in history.sent} & officials
    assert not [one for one in history.sent if one.ready.facts.light == "red"]
    assert history.simulation.refusals == []


def test_one_late_section_climbs_the_ladder_alone_until_it_hands_in(tmp_path: Path) -> None:
    script = [
        say("03-23 10:00", "submit", key="r/2023-03/组织科"),
        say("03-23 10:00", "submit", key="r/2023-03/初教科"),
        say("03-30 15:00", "submit", key=CAIWU, by="林美环"),
    ]
    history = live(everybodys_report(), tmp_path, "03-01 00:00", "04-14 23:59", *script)
    assert history.about(CAIWU) == [
        ("03-17 09:00", "reminder", SECTION),
        ("03-22 09:00", "reminder", SECTION),
        ("03-24 09:00", "reminder", SECTION),
        ("03-27 09:00", "reminder", SECTION),
        ("03-27 09:00", "escalation", DEPUTY),
        ("03-29 09:00", "reminder", SECTION),
        ("03-29 09:00", "escalation", DEPUTY),
        ("03-29 09:00", "escalation", HEAD),
        ("03-30 15:00", "receipt", SECTION),
        ("03-30 15:00", "closing", DEPUTY),
        ("03-30 15:00", "closing", HEAD),
    ]
    assert [to for _, _, to in history.about("r/2023-03/组织科")] == ["zuzhi@edu.example"] * 3


def test_f22_after_ten_days_without_the_daemon_the_section_is_reminded_before_any_official(
    tmp_path: Path,
) -> None:
    history = _march(
        tmp_path,
        say("03-19 00:00", "daemon", state="down"),
        say("03-29 10:00", "daemon", state="up"),
        last="03-31 23:59",
    )
    assert history.about(CAIWU) == [
        ("03-17 09:00", "reminder", SECTION),
        ("03-29 10:00", "reminder", SECTION),
        ("03-30 09:00", "escalation", DEPUTY),
        ("03-30 09:00", "escalation", HEAD),
    ]


def test_what_is_handed_in_while_the_daemon_is_down_is_receipted_when_it_is_back(
    tmp_path: Path,
) -> None:
    history = _march(
        tmp_path,
        say("03-19 00:00", "daemon", state="down"),
        say("03-20 10:00", "submit", key=CAIWU),
        say("03-29 10:00", "daemon", state="up"),
    )
    assert history.about(CAIWU) == [
        ("03-17 09:00", "reminder", SECTION),
        ("03-29 10:00", "receipt", SECTION),
    ]


def test_f28_a_deadline_moved_into_the_past_alarms_no_official_at_once(tmp_path: Path) -> None:
    move = say("03-20 10:00", "override", key=CAIWU, deadline="2023-03-10", reason="提前")
    history = _march(tmp_path, move, last="03-21 23:59")
    assert history.about(CAIWU) == [
        ("03-17 09:00", "reminder", SECTION),
        ("03-20 10:00", "change", SECTION),
        ("03-20 10:01", "reminder", SECTION),
        ("03-21 09:00", "escalation", DEPUTY),
        ("03-21 09:00", "escalation", HEAD),
    ]


def test_f28_a_deadline_moved_past_an_escalation_begins_again(tmp_path: Path) -> None:
    move = say("03-28 10:00", "override", key=CAIWU, deadline="2023-04-14", reason="延期")
    history = _march(tmp_path, move)
    assert [one for one in history.about(CAIWU) if one[0] > "03-28"] == [
        ("03-28 10:00", "change", SECTION),
        ("04-07 09:00", "reminder", SECTION),
        ("04-12 09:00", "reminder", SECTION),
        ("04-14 09:00", "reminder", SECTION),
    ]


def test_f28_a_deadline_that_is_moved_again_and_again_has_the_last_one_s_ladder_alone(
    tmp_path: Path,
) -> None:
    def move(at: str, deadline: str) -> str:
        return say(at, "override", key=CAIWU, deadline=deadline, reason="会议冲突")

    history = _march(
        tmp_path,
        move("03-20 10:00", "2023-04-14"),  # later
        move("03-21 10:00", "2023-03-22"),  # earlier than the plan's own
        move("03-23 10:00", "2023-03-31"),  # later again, after an escalation
        move("03-24 10:00", "2023-03-24T17:30"),  # as the plan had it
        last="03-27 23:59",
    )
    assert history.about(CAIWU)[1:] == [
        ("03-20 10:00", "change", SECTION),
        ("03-21 10:00", "change", SECTION),
        ("03-21 10:01", "reminder", SECTION),
        ("03-22 09:00", "reminder", SECTION),
        ("03-23 09:00", "reminder", SECTION),
        ("03-23 09:00", "escalation", DEPUTY),
        ("03-23 10:00", "change", SECTION),
        ("03-24 09:00", "reminder", SECTION),  # five working days before the 31st
        ("03-24 10:00", "change", SECTION),
        ("03-24 10:01", "reminder", SECTION),
        ("03-27 09:00", "reminder", SECTION),
        ("03-27 09:00", "escalation", DEPUTY),
    ]


def test_a_deadline_moved_earlier_has_its_own_rungs(tmp_path: Path) -> None:
    move = say("03-06 10:00", "override", key=CAIWU, deadline="2023-03-15", reason="提前")
    history = _march(tmp_path, move, last="03-16 23:59")
    assert history.about(CAIWU) == [
        ("03-06 10:00", "change", SECTION),
        ("03-08 09:00", "reminder", SECTION),
        ("03-13 09:00", "reminder", SECTION),
        ("03-15 09:00", "reminder", SECTION),
        ("03-16 09:00", "reminder", SECTION),
        ("03-16 09:00", "escalation", DEPUTY),
    ]


def test_f12_a_relay_that_is_down_over_the_deadline_lets_no_official_hear_first(
    tmp_path: Path,
) -> None:
    history = _march(
        tmp_path,
        say("03-20 00:00", "smtp", state="down"),
        say("03-27 14:00", "smtp", state="up"),
        last="03-28 23:59",
    )
    about = history.about(CAIWU)
    assert [one[1:] for one in about] == [
        ("reminder", SECTION),
        ("reminder", SECTION),
        ("escalation", DEPUTY),
    ]
    assert "03-27 14:00" <= about[1][0] <= "03-27 15:00"
    assert about[2][0] == "03-28 09:00"
    notices = [one.ready.facts.title for one in history.of_kind("notice")]
    assert notices == ["邮件发送曾经中断，现已恢复"]


def test_f29_a_successor_gets_what_comes_after_he_took_over(tmp_path: Path) -> None:
    history = _march(
        tmp_path,
        say("03-28 10:00", "holder", post="副局长", name="毛伟雄", email="mao@edu.example"),
        say("03-30 10:00", "submit", key=CAIWU),
    )
    officials = [one for one in history.about(CAIWU) if one[2] not in (SECTION, HEAD)]
    assert officials == [
        ("03-27 09:00", "escalation", DEPUTY),
        ("03-29 09:00", "escalation", "mao@edu.example"),
        ("03-30 10:00", "closing", "mao@edu.example"),
    ]


def test_an_exemption_and_a_return_by_script(tmp_path: Path) -> None:
    history = live(
        everybodys_report(),
        tmp_path,
        "03-01 00:00",
        "03-31 23:59",
        say("03-10 10:00", "exempt", key="r/2023-03/组织科", reason="并入专题"),
        say("03-13 10:00", "submit", key=CAIWU),
        say("03-14 10:00", "return", key=CAIWU, deadline="2023-03-31"),
        say("03-15 10:00", "submit", key=CAIWU),
        say("03-16 10:00", "accept", key=CAIWU, by="办公室"),
        say("03-20 10:00", "override", key="r/2023-03/初幼教科", reassign="财务科"),
    )
    assert history.about("r/2023-03/组织科") == [("03-10 10:00", "change", "zuzhi@edu.example")]
    assert history.about(CAIWU, "receipt", "notice") == [
        ("03-13 10:00", "receipt", SECTION),
        ("03-14 10:00", "notice", SECTION),
        ("03-15 10:00", "receipt", SECTION),
    ]
    assert history.simulation.refusals == []


def test_a_whole_period_is_handed_in_by_item_and_period(tmp_path: Path) -> None:
    line = say("03-10 10:00", "submit", item="r", period="2023-03")
    history = live(everybodys_report(), tmp_path, "03-01 00:00", "03-31 23:59", line)
    assert len(history.of_kind("receipt")) == 3
    assert history.of_kind("reminder") == []


def test_a_script_may_begin_with_the_very_first_moment(tmp_path: Path) -> None:
    history = _march(tmp_path, say("03-01 00:00", "submit", key=CAIWU))
    assert history.simulation.refusals == []
    assert history.about(CAIWU) == [("03-01 08:00", "receipt", SECTION)]


def test_what_the_ledger_refuses_is_kept_for_the_reader_and_nothing_stops(tmp_path: Path) -> None:
    history = _march(
        tmp_path,
        say("03-10 10:00", "accept", key="r/2023-09/财务科"),
        say("03-10 11:00", "exempt", key="x/2023-03/财务科"),
        say("03-10 12:00", "submit", key="r/2023-03/无此科"),
        say("03-10 13:00", "smtp", state="sideways"),
        say("03-10 14:00", "daemon", state="asleep"),
        say("03-10 15:00", "return", key=CAIWU),
        say("03-10 16:00", "holder", post="无此岗", name="毛伟雄", email="mao@edu.example"),
    )
    assert [refusal[:16] for refusal in history.simulation.refusals] == [
        f"2023-03-10 {hour:02}:00" for hour in range(10, 17)
    ]
    assert "smtp state 'sideways' is not up, down, defer" in history.simulation.refusals[3]
    assert len(history.about(CAIWU, *REMINDERS)) > 5


def test_a_refused_address_is_refused_until_the_relay_is_up_again(tmp_path: Path) -> None:
    history = _march(
        tmp_path,
        say("03-20 00:00", "smtp", state=f"reject:{SECTION.upper()}"),
        say("03-23 00:00", "smtp", state="up"),
        last="03-24 23:59",
    )
    assert [one[0] for one in history.about(CAIWU)] == ["03-17 09:00", "03-24 09:00"]
    assert [one.mail.recipient for one in history.of_kind("notice")] == [OFFICE]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("up", Outcome.ACCEPTED),
        ("down", Outcome.TEMPORARY),
        ("defer", Outcome.TEMPORARY),
        ("reject: CAIWU@edu.example", Outcome.PERMANENT),
        ("reject:other@edu.example", Outcome.ACCEPTED),
    ],
)
def test_the_scripted_relay_answers_by_its_state(state: str, outcome: Outcome) -> None:
    relay = ScriptedRelay()
    relay.set(state)
    reply = asyncio.run(relay.send(Mail(OFFICE, SECTION, "<1@edu.example>", b"")))
    assert reply.outcome is outcome
    asyncio.run(relay.close())


def test_the_simulation_ends_where_nothing_will_ever_happen_again(tmp_path: Path) -> None:
    history = _march(tmp_path, say("03-01 00:00", "daemon", state="down"), last="12-31 23:59")
    assert history.sent == []
    assert history.simulation.clock.now().astimezone(ZONE).date().isoformat() == "2023-03-01"


_LIVE_AND_PRINT = """
import sys
from hashlib import sha256
from pathlib import Path
from tests.support.plans import real_plan
from tests.support.years import live, say
folder = Path(sys.argv[1])
script = [
    say("03-20 10:00", "submit", item="monthly", period="2023-03"),
    say("03-21 10:00", "override", item="special", period="2023-03", deadline="2023-03-28",
        reason="会议冲突"),
    say("03-22 00:00", "smtp", state="down"),
    say("03-22 15:00", "smtp", state="up"),
    say("03-23 00:00", "smtp", state="reject:caiwu@jyj.quanzhou.example"),
    say("03-24 00:00", "daemon", state="down"),
    say("03-27 10:00", "daemon", state="up"),
]
history = live(real_plan(), folder, "03-01 00:00", "04-14 23:59", *script)
history.ledger.close()
for one in history.sent:
    print(one.at.isoformat(), one.mail.recipient, one.mail.message_id,
          sha256(one.mail.content).hexdigest())
print(sha256((folder / "year.sqlite").read_bytes()).hexdigest())
"""


def test_i6_the_same_plan_script_and_seed_give_the_same_bytes_whatever_python_hashes(
    tmp_path: Path,
) -> None:
    histories = []
    for seed in ("0", "1"):
        folder = tmp_path / seed
        folder.mkdir()
        command = [sys.executable, "-c", _LIVE_AND_PRINT, str(folder)]
        done = subprocess.run(
            command,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        )
        histories.append(done.stdout)
    assert len(histories[0].splitlines()) > 100
    assert histories[0] == histories[1]


def test_several_reports_of_a_day_are_one_letter_in_the_simulated_year_too(tmp_path: Path) -> None:
    rules = [rule({"monthly": 25}), rule({"yearly": "03-25"}) | {"id": "special"}]
    history = live(one_report(rules=rules), tmp_path, "03-01 00:00", "03-17 23:59")
    (sent,) = history.of_kind("reminder")
    assert len(sent.ready.keys) == 2
