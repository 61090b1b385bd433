"""What an officer does about one obligation: each form is taken once, and for what it showed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from board.deskpage import Said, row_id
from board.door import Door, Visitor
from board.told import came_first
from board.upload import files_of, kept_files, text_of
from config.splice import OverrideRefusedError
from duban.deadlines import instant
from jobs import collect, decide, desk, extensions
from jobs.collect import Act, MeanwhileError, RefusedError
from jobs.desk import Task
from ledger import events
from ledger.archive import TooLargeError
from mailroom import words

VIA: Final = "board"
_TEXT_CHARACTERS: Final = 2000
_REASON_CHARACTERS: Final = 500
_LISTS: Final = ("/desk", "/desk/requests")
_REASONED: Final = ("return", "refuse", "exempt", "extend")
_CHANGED: Final = "现在的情况已不能这样办，没有登记。请看下面的情况，再作决定。"
_INCOMPLETE: Final = "表单不完整，没有登记。请重新填写。"
_NO_FOLDER: Final = (
    "没有登记：这台服务器现在不能改方案文件。请在主持督办的服务器上办理，或联系系统管理员。"
)


class NotTakenError(ValueError):
    """The form lacks something; the message tells the officer what, in Chinese."""


ShowTask = Callable[[Visitor, Task, Said | None, int], Response]


class Deeds:
    """Takes the forms about obligations; `show` gives the page of one, with what to say there."""

    def __init__(self, door: Door, show: ShowTask) -> None:
        self.door, self.context, self._show = door, door.context, show

    def take(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """Do what a form says, and go back to where it stood; or say why not, and what to do."""
        which, what = row_id(request), text_of(form, "act")
        typed = {
            name: text_of(form, name)[:_TEXT_CHARACTERS] for name in ("reason", "note", "date")
        }
        try:
            task = self._task(which)
            self._do(what, task, visitor, form, typed)
        except MeanwhileError as error:
            # the page as it is now, with the first officer's deed in it
            task = self._task(which)
            text = came_first(error.done, visitor.name, task.bureau, task.now)
            return self._show(visitor, task, Said(text, about=what, typed=typed), 409)
        except RefusedError:
            task = self._task(which)
            return self._show(visitor, task, Said(_CHANGED, about=what, typed=typed), 409)
        except (NotTakenError, TooLargeError, OverrideRefusedError) as error:
            return self._show(visitor, task, Said(self._why(error), about=what, typed=typed), 422)
        with self.context.ledger.read() as connection:
            done = events.latest_deeds(connection, [which])[which]
        back = text_of(form, "back")
        page = back if back in _LISTS else f"/desk/obligations/{which}"
        return self.door.go(f"{page}?done={done.id}")

    def _task(self, which: int) -> Task:
        with self.context.ledger.read() as connection:
            bureaus, now = self.context.bureaus(), self.context.clock()
            task = desk.one_task(connection, bureaus, which, now)
        if task is None:
            raise HTTPException(404)
        return task

    def _why(self, error: Exception) -> str:
        match error:
            case TooLargeError():
                return f"没有登记：{self.door.too_much}"
            case OverrideRefusedError():
                first = error.problems[0] if error.problems else error
                return f"没有登记：方案文件有误（{first}），请先更正。"
            case _:
                return str(error)

    def _do(
        self, what: str, task: Task, visitor: Visitor, form: FormData, typed: Mapping[str, str]
    ) -> None:
        seen = text_of(form, "seen")
        if not (seen.isascii() and seen.isdigit()):
            raise NotTakenError(_INCOMPLETE)
        act = Act(
            task.item.facts.key,
            self.context.clock(),
            visitor.name or "",
            via=VIA,
            reason=typed["reason"][:_REASON_CHARACTERS] or None,
            seen=int(seen),
        )
        if what in _REASONED and not act.reason:
            raise NotTakenError("没有登记：请写明原因，科室会看到。")
        ledger, bureau = self.context.ledger, task.bureau
        match what:
            case "accept":
                collect.accept(ledger, bureau, act)
            case "withdraw":
                collect.withdraw(ledger, bureau, act)
            case "refuse":
                extensions.refuse(ledger, bureau, act)
            case "hand_in":
                self._hand_in(task, replace(act, reason=typed["note"] or None), form)
            case "return":
                self._give_back(task, act, typed["date"])
            case _:
                self._override(what, task, act, typed["date"])

    def _hand_in(self, task: Task, act: Act, form: FormData) -> None:
        if not files_of(form) and not act.reason:
            raise NotTakenError("没有登记：请选择文件；没有文件的，请在“说明”中写明收到了什么。")
        files = kept_files(self.context.archive, form)
        collect.submit(self.context.ledger, task.bureau, replace(act, files=files))

    def _give_back(self, task: Task, act: Act, day: str) -> None:
        item = task.bureau.plan.items.get(task.item.item)
        if item is None:
            raise RefusedError("the plan no longer has its item")
        limit = instant(task.bureau.plan, item, _day(day))
        if limit <= act.at:
            raise NotTakenError("没有登记：新的时限要晚于现在。")
        collect.give_back(self.context.ledger, task.bureau, act, limit)

    def _override(self, what: str, task: Task, act: Act, day: str) -> None:
        """Decisions that stand in the plan's `overrides.yaml`; the daemon follows the file."""
        folder = self.context.folders().get(task.plan)
        if folder is None:
            raise NotTakenError(_NO_FOLDER)
        ledger, bureau = self.context.ledger, task.bureau
        try:
            match what:
                case "exempt":
                    decide.exempt(ledger, bureau, folder, act)
                case "extend":
                    decide.extend(ledger, bureau, folder, act, self._later(task, day))
                case "grant":
                    extensions.grant(ledger, bureau, folder, act, self._later(task, day))
                case _:
                    raise NotTakenError(_INCOMPLETE)
        except OSError as error:
            raise NotTakenError(_unwritable(folder, error)) from error
        self.context.hasten()

    def _later(self, task: Task, day: str) -> date:
        chosen, due = _day(day), task.item.facts.deadline.date()
        if chosen <= max(due, task.now.date()):
            now = words.day(due, task.now)
            raise NotTakenError(f"没有登记：新的时限要晚于今天和现在的时限（{now}）。")
        return chosen


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotTakenError("没有登记：请选择新的时限。") from None


def _unwritable(folder: Path, error: OSError) -> str:
    return (
        f"没有登记：不能写入方案文件夹 {folder}（{error.strerror}）。"
        "请系统管理员按部署说明允许督办程序写入。"
    )
