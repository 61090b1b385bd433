"""The plans that a daemon runs: read again when a file changes, kept whole when a file is bad."""

from __future__ import annotations

import gc
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.loader import Loaded, load_plan
from config.problems import Problem
from config.watcher import fingerprint
from duban.bureau import Bureau
from jobs.collect import tell_office
from jobs.log import event
from jobs.reconcile import reconcile, stamp
from jobs.status import REFUSED
from ledger import plans
from ledger.engine import Ledger, UnreadableRowsError

_KEPT = "plan of "
_SHOWN = 5
_FILES = ("plan.yaml", "overrides.yaml", "holidays/*.txt")


class NoPlanError(ValueError):
    """A plan that cannot be run at all; `problems` say why, by file, line and column."""

    def __init__(self, folder: Path, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(f"{folder}/{p}" for p in problems))
        self.problems = problems


@dataclass
class _Followed:
    """One folder: the plan that runs, and how its files looked when they were last read."""

    folder: Path
    bureau: Bureau
    seen: str


class Plans:
    """The folders that the daemon follows. A bad file never replaces the plan that runs.

    Of several nodes on one ledger only the one that `decides` brings the ledger to the files. The
    others carry letters of those plans alone that they have read as the ledger has them:
    `bureaus` are the plans that may be acted upon, by their rows' ids.
    """

    def __init__(self, ledger: Ledger, folders: list[Path], *, decides: bool = True) -> None:
        self.decides = decides
        self._ledger = ledger
        self._folders = [folder.resolve() for folder in folders]
        self._followed: list[_Followed] = []
        self.bureaus: dict[int, Bureau] = {}

    def start(self, now: datetime) -> None:
        """Load every plan; a bad one runs on as it last was. Raises NoPlanError if it never ran."""
        with _all_to_stay():
            self._load(now)
            self._refuse_twins()
            self.reconcile(now)

    def _load(self, now: datetime) -> None:
        for folder in self._folders:
            seen = fingerprint(folder)
            loaded = load_plan(folder)
            if loaded.plan is None:
                bureau = self._last_good(folder, loaded)
                self._followed.append(_Followed(folder, bureau, seen))
                self._complain(bureau, loaded, now)
            else:
                self._followed.append(_Followed(folder, Bureau(loaded.plan), seen))
                self._keep(folder, loaded.plan.id, now)

    def follow(self, now: datetime) -> None:
        """Read again what has changed, then bring the ledger to it."""
        for followed in self._followed:
            seen = fingerprint(followed.folder)
            if seen == followed.seen:
                continue
            followed.seen = seen
            loaded = load_plan(followed.folder)
            if loaded.plan is None:
                self._complain(followed.bureau, loaded, now)
            elif loaded.plan.id != followed.bureau.plan.id:
                event(
                    "plan.refused",
                    logging.ERROR,
                    folder=followed.folder,
                    reason=f"its id changed from {followed.bureau.plan.id} to {loaded.plan.id}; "
                    "restart duban for another plan",
                )
            else:
                followed.bureau = Bureau(loaded.plan)
                self._keep(followed.folder, loaded.plan.id, now)
                event("plan.loaded", plan=loaded.plan.id, folder=followed.folder)
        self.reconcile(now)

    def look_again(self) -> None:
        """Forget how the files looked, so that they are read at the next `follow`."""
        for followed in self._followed:
            followed.seen = ""

    def folders(self) -> dict[int, Path]:
        """Where the plans' files are written, by the ids of `bureaus`; none where another decides.

        Several machines have a copy each: only what the one that decides reads comes to anything.
        """
        if not self.decides:
            return {}
        places = {f.bureau.plan.id: f.folder for f in self._followed}
        return {which: places[bureau.plan.id] for which, bureau in self.bureaus.items()}

    def reconcile(self, now: datetime) -> None:
        """Bring the ledger to the plans; costs one small read where nothing has changed."""
        known = self._known()
        if self.decides:
            behind = [
                f.bureau
                for f in self._followed
                if not _up_to_date(f.bureau, known, stamp(f.bureau, now))
            ]
            for bureau in behind:
                try:
                    self._reconcile(bureau, now)
                except UnreadableRowsError as error:  # the other plans go on
                    event(
                        "plan.unreadable",
                        logging.ERROR,
                        plan=bureau.plan.id,
                        reason=str(error),
                    )
            known = self._known() if behind else known
        self.bureaus = {
            known[f.bureau.plan.id][0]: f.bureau
            for f in self._followed
            if _up_to_date(f.bureau, known, f.bureau.plan.digest)
        }

    def _known(self) -> dict[str, tuple[int, str]]:
        with self._ledger.read() as connection:
            return plans.stamps(connection)

    def _reconcile(self, bureau: Bureau, now: datetime) -> None:
        done = reconcile(self._ledger, bureau, now)
        if done:
            event(
                "plan.reconciled",
                plan=bureau.plan.id,
                created=len(done.created),
                changed=len(done.changed),
                exempted=len(done.exempted),
                dropped=len(done.dropped),
            )

    def _refuse_twins(self) -> None:
        ids: dict[str, Path] = {}
        for followed in self._followed:
            plan_id = followed.bureau.plan.id
            if plan_id in ids:
                twin = f"its id {plan_id!r} is also that of {ids[plan_id]}; ids are unique"
                raise NoPlanError(followed.folder, (Problem("plan.yaml", 1, 1, twin),))
            ids[plan_id] = followed.folder

    def _complain(self, bureau: Bureau, loaded: Loaded, now: datetime) -> None:
        """The old plan stays, whole; the log and the office are told the lines."""
        for problem in loaded.errors:
            event("plan.refused", logging.ERROR, plan=bureau.plan.id, problem=problem)
        if not self.decides:
            return
        self._note_refusal(bureau.plan.id, loaded.errors, now)
        tell_office(
            self._ledger,
            bureau,
            now,
            "行动方案文件有误，修改未生效",
            [
                f"方案文件有{len(loaded.errors)}处错误，督办系统仍按修改前的方案运行，提醒照常发送。",
                "请按下列位置更正；保存后一分钟内自动生效。",
            ],
            [str(problem) for problem in loaded.errors],
        )

    def _note_refusal(self, plan_id: str, problems: tuple[Problem, ...], now: datetime) -> None:
        """For `status`: until the files are mended."""
        key = f"{REFUSED}{plan_id}"
        with self._ledger.write() as connection:
            known = plans.get_mark(connection, key) or {"since": now.isoformat()}
            shown = [str(problem) for problem in problems[:_SHOWN]]
            refused = {"since": known["since"], "count": len(problems), "problems": shown}
            plans.set_mark(connection, key, refused, now)

    def _keep(self, folder: Path, plan_id: str, now: datetime) -> None:
        """Remember the files of a good plan, for a start on a day when they are bad."""
        if not self.decides:
            return
        files = {
            str(path.relative_to(folder)): path.read_bytes().hex()
            for pattern in _FILES
            for path in sorted(folder.glob(pattern))
        }
        with self._ledger.write() as connection:
            plans.set_mark(connection, _mark(folder), files, now)
            plans.set_mark(connection, f"{REFUSED}{plan_id}", None, now)

    def _last_good(self, folder: Path, loaded: Loaded) -> Bureau:
        with self._ledger.read() as connection:
            kept = plans.get_mark(connection, _mark(folder))
        if not kept:
            raise NoPlanError(folder, loaded.errors)
        with tempfile.TemporaryDirectory() as place:
            for name, content in kept.items():
                path = Path(place, name)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(bytes.fromhex(content))
            old = load_plan(Path(place)).plan
        if old is None:
            raise NoPlanError(folder, loaded.errors)
        return Bureau(old)


@contextmanager
def _all_to_stay() -> Iterator[None]:
    """The plans of a province are millions of objects, and none of them garbage.

    Looking through all of them again and again would take a third of a start, and later hold up
    letters: the collector leaves alone what was made here.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def _up_to_date(bureau: Bureau, known: Mapping[str, tuple[int, str]], mark: str) -> bool:
    """Whether the ledger was last reconciled with a plan's files (and, in `mark`, the horizon)."""
    return known.get(bureau.plan.id, (0, ""))[1].startswith(mark)


def _mark(folder: Path) -> str:
    return f"{_KEPT}{folder}"
