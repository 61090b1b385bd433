"""Watches the clock for jumps: at a jump officials' letters wait, and the office is told."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from duban.bureau import Bureau
from duban.jumps import believed_again, jump
from jobs.collect import tell_office
from jobs.log import event
from jobs.status import JUMP, TICK
from ledger import events, letters, obligations, plans
from ledger.engine import Ledger
from scheduler.clock import Clock


class ClockWatch:
    """Compares how far the clock went between two looks with the time that really passed."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._last: tuple[datetime, timedelta] | None = None
        self._doubted: tuple[datetime, datetime] | None = None

    def look(self, bureaus: Collection[Bureau]) -> datetime | None:
        """Until when officials are not told, None where the clock is believed.

        The first look has only the ledger's last tick to compare with: a clock behind that was set
        back, or had been wrong; how long the daemon was down it cannot know.
        """
        now, passed = self._clock.now(), self._clock.elapsed()
        if self._last is None:
            far = self._since_last_run(now)
        else:
            far = jump(now - self._last[0], passed - self._last[1])
        if far is not None:
            self._doubt(bureaus, now, far)
        self._last = now, passed
        if self._doubted and self._doubted[0] <= now < self._doubted[1]:
            return self._doubted[1]
        return None

    def _since_last_run(self, now: datetime) -> timedelta | None:
        with self._ledger.read() as connection:
            known = plans.get_mark(connection, JUMP)
            told = plans.get_mark(connection, TICK)
        if known:
            self._doubted = (
                datetime.fromisoformat(known["at"]),
                datetime.fromisoformat(known["until"]),
            )
        gone = now - datetime.fromisoformat(told) if told else timedelta()
        return jump(min(gone, timedelta()), timedelta())

    def _doubt(self, bureaus: Collection[Bureau], now: datetime, far: timedelta) -> None:
        until = believed_again(bureaus, now).astimezone(UTC)
        self._doubted = now, until
        said: dict[str, Any] = {
            "seconds": round(far.total_seconds()),
            "until": until.isoformat(timespec="seconds"),
        }
        event("clock.jumped", logging.ERROR, **said)
        with self._ledger.write() as connection:
            plans.set_mark(connection, JUMP, {"at": now.isoformat(), **said}, now)
            events.record(connection, now, "clock.jumped", **said)
            if far < timedelta():
                # what was put off by the clock that was ahead would wait until then
                obligations.look_again(connection, now)
                letters.try_again(connection, now)
        for bureau in bureaus:
            tell_office(self._ledger, bureau, now, _TITLE, _message(bureau, far, until), [])


_TITLE = "系统时钟跳变，暂缓报告领导"


def _message(bureau: Bureau, far: timedelta, until: datetime) -> list[str]:
    way = "向后倒退" if far < timedelta() else "向前跳变"
    hours = round(abs(far) / timedelta(hours=1))
    return [
        f"督办系统所在服务器的时钟{way}了约{hours}小时。",
        f"给科室的提醒照常发送；报告领导的函暂缓到{bureau.local(until):%Y年%m月%d日%H:%M}，以免误报。",
        "请系统管理员在此之前核对服务器时间。",
    ]
