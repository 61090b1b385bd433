"""The office's plans: what is to be confirmed, and changes with a preview of who hears of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from board.deskpage import Said, desk_page
from board.door import Door, Visitor
from board.upload import text_of
from config import edit
from config.loader import Loaded, load_plan
from config.problems import Problem
from duban.bureau import Bureau
from jobs.preview import Preview, preview
from ledger import events

_MOST_BYTES: Final = 2_000_000
_MOST_LINES: Final = 200
_REASON_CHARACTERS: Final = 500
_APPLIED: Final = "已保存，片刻后生效；时限有变的，将函告有关科室。"
_OTHER_ID: Final = "没有保存：方案编号（plan 下的 id）不能在这里改，请改回 {id}。"
_CHANGED: Final = (
    "没有保存：这个文件刚才已被别人或命令改过。请复制您的修改，重新打开本页，在新的内容上再改。"
)
_EDITED: Final = "没有保存：预览之后内容又改过。请看新的预览，无误再点“生效”。"
_WRONG: Final = "没有保存：有{count}处错误，请按下列位置（文件:行:列）更正后再预览。"
_NO_REASON: Final = "没有保存：请写明修改的原因，再点“生效”。"


@dataclass(frozen=True, slots=True)
class _Place:
    """A plan that runs, its folder on this machine and its row."""

    bureau: Bureau
    folder: Path
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the files of a plan are: what is wrong or to be confirmed, and whether they run yet."""

    bureau: Bureau
    errors: Sequence[Problem]
    warnings: Sequence[Problem]
    to_confirm: Sequence[Problem]
    ahead: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A text for a file, tried out; `mark` names it, so that what is applied was seen."""

    text: str
    mark: str
    errors: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    lines: Sequence[str] = ()
    found: Preview | None = None


class _StaysError(Exception):
    """Nothing is written; the message says why, in Chinese."""


def desk_plan_routes(door: Door) -> list[Route]:
    """`/desk/plans`, and a page for each of a plan's files."""
    plans = _Plans(door)
    path = "/desk/plans/{plan}/{file}"
    return [
        door.page("/desk/plans", plans.listed),
        door.page(path, plans.show),
        door.upload(path, plans.take, _MOST_BYTES),
    ]


class _Plans:
    def __init__(self, door: Door) -> None:
        self.door, self.context = door, door.context

    def listed(self, request: Request, visitor: Visitor) -> Response:
        """Every plan with what its files leave open."""
        standings = [_standing(place) for place in self._places()]
        return desk_page(
            self.door,
            visitor,
            "deskplans.html",
            standings=standings,
            files=edit.EDITABLE,
            said=None,
        )

    def show(self, request: Request, visitor: Visitor) -> Response:
        """A file as it is, to be changed."""
        place, name = self._asked(request)
        said = Said(_APPLIED, good=True) if request.query_params.get("done") == "1" else None
        try:
            draft = edit.draft(place.folder, name)
        except ValueError as error:
            text = f"这个文件不是能读的文本（{error}）。请在服务器上更正。"
            return self.door.pages.message(409, "不能打开", text)
        return self._page(visitor, place, name, draft.digest, Trial(text=draft.text, mark=""), said)

    def take(self, request: Request, visitor: Visitor, form: FormData) -> Response:
        """Try a text out, or apply the one that was tried."""
        place, name = self._asked(request)
        sent, was = form.get("text"), text_of(form, "was")
        text = (sent if isinstance(sent, str) else "").replace("\r\n", "\n")
        trial = self._try(place, name, text)
        said, status = None, 200
        if trial.errors:
            said, status = Said(_WRONG.format(count=len(trial.errors))), 422
        elif text_of(form, "act") == "apply":
            try:
                self._apply(place, name, trial, was, form, visitor)
                return self.door.go(f"{request.url.path.removeprefix(self.context.root)}?done=1")
            except _StaysError as error:
                said, status = Said(str(error), typed={"reason": text_of(form, "reason")}), 409
        return self._page(visitor, place, name, was, trial, said, status)

    def _try(self, place: _Place, name: str, text: str) -> Trial:
        loaded = edit.tried(place.folder, name, text)
        mark = sha256(text.encode()).hexdigest()
        warnings = _of(loaded, "warning")
        if loaded.plan is None:
            return Trial(text=text, mark="", errors=loaded.errors, warnings=warnings)
        if loaded.plan.id != place.bureau.plan.id:
            wrong = Problem(name, 1, 1, _OTHER_ID.format(id=place.bureau.plan.id))
            return Trial(text=text, mark="", errors=(wrong,), warnings=warnings)
        found = preview(self.context.ledger, Bureau(loaded.plan), self.context.clock())
        lines = _changed_lines(place.folder, name, text)
        return Trial(text=text, mark=mark, warnings=warnings, lines=lines, found=found)

    def _apply(
        self, place: _Place, name: str, trial: Trial, was: str, form: FormData, visitor: Visitor
    ) -> None:
        reason = text_of(form, "reason")[:_REASON_CHARACTERS]
        if text_of(form, "mark") != trial.mark:
            raise _StaysError(_EDITED)
        if not reason:
            raise _StaysError(_NO_REASON)
        now, who = self.context.clock(), visitor.name or ""
        try:
            with self.context.ledger.write() as connection:
                events.record(
                    connection, now, "plan.edited", who, plan=place.id, file=name, reason=reason
                )
                # the file last, before the commit: what cannot be written is not in the log
                loaded = edit.write(place.folder, name, trial.text, was)
                if loaded.plan is None:
                    raise _StaysError(_WRONG.format(count=len(loaded.errors)))
        except edit.ChangedMeanwhileError as error:
            raise _StaysError(_CHANGED) from error
        except OSError as error:
            text = f"没有保存：不能写入 {place.folder}（{error.strerror}）。请联系系统管理员。"
            raise _StaysError(text) from error
        self.context.hasten()

    def _places(self) -> list[_Place]:
        folders = self.context.folders()
        running = self.context.bureaus().items()
        return [_Place(b, folders[i], i) for i, b in running if i in folders]

    def _asked(self, request: Request) -> tuple[_Place, str]:
        key, name = request.path_params["plan"], request.path_params["file"]
        found = [place for place in self._places() if place.bureau.plan.id == key]
        if not found or name not in edit.EDITABLE:
            raise HTTPException(404)
        return found[0], name

    def _page(
        self,
        visitor: Visitor,
        place: _Place,
        name: str,
        was: str,
        trial: Trial,
        said: Said | None,
        status: int = 200,
    ) -> Response:
        now: datetime = place.bureau.local(self.context.clock())
        return desk_page(
            self.door,
            visitor,
            "deskplan.html",
            status,
            bureau=place.bureau,
            name=name,
            was=was,
            trial=trial,
            now=now,
            said=said,
        )


def _standing(place: _Place) -> Standing:
    loaded = load_plan(place.folder)
    return Standing(
        bureau=place.bureau,
        errors=loaded.errors,
        warnings=_of(loaded, "warning"),
        to_confirm=_of(loaded, "confirm"),
        ahead=loaded.plan is not None and loaded.plan.digest != place.bureau.plan.digest,
    )


def _of(loaded: Loaded, severity: str) -> list[Problem]:
    return [problem for problem in loaded.problems if problem.severity == severity]


def _changed_lines(folder: Path, name: str, text: str) -> list[str]:
    """The lines that go (`-`) and come (`+`), with one about each change."""
    try:
        old = edit.draft(folder, name).text.splitlines()
    except ValueError:  # it cannot be read, so all of it is new
        old = []
    found = list(unified_diff(old, text.splitlines(), n=1, lineterm=""))[2:]
    return found[:_MOST_LINES]
