"""A year in seconds: the real jobs, ledger and templates under a virtual clock.

The clock jumps from one instant at which something can happen to the next; between them the
daemon's ticks would find nothing to do. The same plan, script and seed give the same history, byte
for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from config.model import Holder, Override
from config.plan import Plan
from config.suggest import did_you_mean
from duban.bureau import Bureau
from duban.deadlines import Obligation, expand, instant
from jobs.circulate import circulate, next_digest
from jobs.collect import Act, RefusedError, accept, give_back, submit
from jobs.deliver import Carrier, deliver
from jobs.marking import Sent
from jobs.prepare import Claims
from jobs.reconcile import horizon, reconcile
from jobs.remind import remind
from jobs.saying import Voice
from ledger import letters, obligations, plans
from ledger.engine import Ledger
from mailroom.relay import Mail, Outcome, Reply
from mailroom.render import Speaker
from scheduler.clock import VirtualClock
from scheduler.script import Action, Timed

_SOONEST = timedelta(seconds=1)
_WHO = "script"


@dataclass
class ScriptedRelay:
    """A relay that does what the script says: up, down, deferring, refusing single addresses."""

    state: str = "up"
    refused: set[str] = field(default_factory=set)

    def set(self, state: str) -> None:
        """`up`, `down`, `defer` or `reject:ADDRESS`; raises ValueError for anything else."""
        if state.startswith("reject:"):
            self.refused.add(state.removeprefix("reject:").strip().lower())
            return
        if state not in ("up", "down", "defer"):
            raise ValueError(f"smtp state {state!r} is not up, down, defer or reject:ADDRESS")
        self.state = state
        if state == "up":
            self.refused.clear()

    async def send(self, mail: Mail) -> Reply:
        """The answer that a relay in this state would give."""
        if self.state == "down":
            return Reply(Outcome.TEMPORARY, "connection refused", None)
        if self.state == "defer":
            return Reply(Outcome.TEMPORARY, "451 4.7.1 try again later", 451)
        if mail.recipient.lower() in self.refused:
            return Reply(Outcome.PERMANENT, "550 5.1.1 no such user", 550)
        return Reply(Outcome.ACCEPTED, "250 2.0.0 accepted", 250)

    async def close(self) -> None:
        """Nothing to give back."""


class Simulation:
    """One plan's history from `start` on, under a virtual clock that the caller advances."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        speaker: Speaker,
        start: datetime,
        script: list[Timed] | None = None,
        on_sent: Callable[[Sent], None] = lambda sent: None,
    ) -> None:
        self.bureau, self.ledger = Bureau(plan), ledger
        self.clock = VirtualClock(start.astimezone(UTC))
        self.relay = ScriptedRelay()
        self.script = sorted(script or [], key=lambda timed: timed.at)
        self.refusals: list[str] = []
        self.daemon_up = True
        self._next_action = 0
        self._plan_id: int | None = None
        self._listed: tuple[Bureau, date, list[Obligation]] | None = None
        self.carrier = Carrier(
            careful=False,  # nothing is left of a simulated year that crashes
            relay=self.relay,
            speaker=speaker,
            clock=self.clock.now,
            claims=Claims(owner="simulator", batch=200),
            voice=Voice(sender="", sender_name=""),
            on_sent=on_sent,
        )

    @property
    def bureaus(self) -> dict[int, Bureau]:
        """The plan by its id in the ledger; none before its first tick."""
        return {} if self._plan_id is None else {self._plan_id: self.bureau}

    async def run(self, until: datetime) -> None:
        """Live through everything up to `until`."""
        for _ in self.moments(until):
            await self.tick()

    def moments(self, until: datetime) -> Iterator[datetime]:
        """Set the clock to each instant at which something can happen; act between the steps."""
        now: datetime | None = self.clock.now()
        while now is not None and now <= until:
            self.clock.instant = now
            yield now
            now = self.next_moment()

    async def tick(self) -> None:
        """Do what the script says by now, then what the daemon would do."""
        now = self.clock.now()
        while self._next_action < len(self.script) and self.script[self._next_action].at <= now:
            self.act(self.script[self._next_action].action)
            self._next_action += 1
        if not self.daemon_up:
            return
        reconcile(self.ledger, self.bureau, now)
        if self._plan_id is None:
            with self.ledger.read() as connection:
                self._plan_id = plans.ids(connection)[self.bureau.plan.id]
        bureaus = self.bureaus
        circulate(self.ledger, bureaus, now)
        remind(self.ledger, bureaus, now)
        await deliver(self.ledger, bureaus, self.carrier)

    def next_moment(self) -> datetime | None:
        """The next instant at which anything can happen, later than now; None when nothing will."""
        now = self.clock.now()
        waiting: list[datetime] = []
        if self._next_action < len(self.script):
            waiting.append(self.script[self._next_action].at)
        if self.daemon_up:
            waiting.extend(self._daemon_moments(now))
        if not waiting:
            return None
        return max(min(waiting).astimezone(UTC), now + _SOONEST)

    def _daemon_moments(self, now: datetime) -> list[datetime]:
        with self.ledger.read() as connection:
            rungs = obligations.next_action(connection), letters.next_due(connection, rungs=True)
            other = letters.next_due(connection, rungs=False)
        bureau = self.bureau
        moments = [bureau.next_reminding(max(at, now)) for at in rungs if at is not None]
        if other is not None:
            moments.append(bureau.opening(max(other, now)))
        moments.append(next_digest(bureau, now))
        return moments

    def act(self, action: Action) -> None:
        """Let one line of a script happen now; what is refused is noted in `refusals`."""
        now = self.clock.now()
        try:
            match action.do:
                case "smtp":
                    self.relay.set(action.state or "")
                case "daemon":
                    self.daemon_up = _up(action.state)
                case "holder":
                    self._succeed(action, now)
                case "exempt" | "override":
                    self._override(action)
                case _:
                    self._hand_in(action, now)
        except (RefusedError, ValueError, KeyError) as error:
            self._refuse(action, error)

    def _refuse(self, action: Action, error: Exception) -> None:
        reason = error.args[0] if error.args else error
        at = self.bureau.local(self.clock.now())
        self.refusals.append(f"{at:%Y-%m-%d %H:%M} {action.do}: {reason}")

    def _succeed(self, action: Action, now: datetime) -> None:
        holder = Holder.model_validate(
            {"name": action.name, "email": action.email, "from": self.bureau.day(now)}
        )
        self.bureau = Bureau(self.bureau.plan.with_holder(action.post or "", holder))

    def _override(self, action: Action) -> None:
        item, period, section = action.named()
        made = Override(
            item=item,
            period=period,
            section=section,
            deadline=action.deadline,
            exempt=action.do == "exempt",
            reassign=action.reassign,
            reason=action.reason or "（未说明）",
            by=action.by,
        )
        if not self._keys(action):
            raise RefusedError(f"the plan has no {item}/{period}/{section or '*'}")
        self.bureau = Bureau(self.bureau.plan.with_overrides(made))

    def _hand_in(self, action: Action, now: datetime) -> None:
        if self.daemon_up:  # the script may begin before the ledger's first tick
            self._be_born(now)
        keys = self._keys(action)
        if not keys:
            raise RefusedError(f"the plan has no {'/'.join(n or '*' for n in action.named())}")
        for key in keys:
            act = Act(key, now, action.by or _WHO, via="script", reason=action.reason)
            try:
                self._do(act, action)
            except RefusedError as error:
                self._refuse(action, error)

    def _do(self, act: Act, action: Action) -> None:
        if action.do == "submit":
            submit(self.ledger, self.bureau, act)
        elif action.do == "accept":
            accept(self.ledger, self.bureau, act)
        else:
            self._return(act, action.deadline)

    def _be_born(self, now: datetime) -> None:
        with self.ledger.read() as connection:
            born = plans.find(connection, self.bureau.plan.id) is not None
        if not born:
            reconcile(self.ledger, self.bureau, now)

    def _return(self, act: Act, deadline: date | datetime | None) -> None:
        plan = self.bureau.plan
        item = plan.items[act.key.partition("/")[0]]
        limit = None if deadline is None else instant(plan, item, deadline)
        reason = act.reason or "（未说明）"
        give_back(self.ledger, self.bureau, Act(act.key, act.at, act.who, act.via, reason), limit)

    def _keys(self, action: Action) -> list[str]:
        item, period, section = action.named()
        plan = self.bureau.plan
        named = None if section is None else _section(plan, section)
        return [
            o.key
            for o in self._owed()
            if (o.item.id, o.period) == (item, period) and named in (None, o.section)
        ]

    def _owed(self) -> list[Obligation]:
        """All that the plan lists now; worked out anew only for another plan or month."""
        bureau, until = self.bureau, horizon(self.bureau.day(self.clock.now()))
        if self._listed is None or self._listed[:2] != (bureau, until):
            self._listed = bureau, until, expand(bureau.plan, bureau.calendar, until)
        return self._listed[2]


def _section(plan: Plan, name: str) -> str:
    try:
        return plan.section(name).name
    except KeyError:
        known = [section.name for section in plan.file.sections]
        raise RefusedError(f"unknown section {name!r}{did_you_mean(name, known)}") from None


def _up(state: str | None) -> bool:
    if state not in ("up", "down"):
        raise ValueError(f"daemon state {state!r} is not up or down")
    return state == "up"
