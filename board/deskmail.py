"""The office's mail: what could not be matched is attached or put aside; bad addresses mended."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from board.deeds import NotTakenError
from board.deskpage import Said, asked_row, desk_page, kept_file, row_id
from board.door import Door, Visitor
from board.upload import text_of
from jobs import deskmail, triage
from jobs.collect import RefusedError
from jobs.desk import deed
from jobs.deskmail import MailTask, zone_of
from ledger.mails import MailState
from ledger.tables import obligation
from mailroom import words

_REASON_CHARACTERS: Final = 500
_DECIDED: Final = {
    MailState.ASSIGNED.value: "登记为报送",
    MailState.DISMISSED.value: "定为不作报送",
}


def desk_mail_routes(door: Door) -> list[Route]:
    """`/desk/mails` with each mail and its form, `/desk/addresses` with its form."""
    mail, addresses = _Mail(door), _Addresses(door)
    return [
        door.page("/desk/mails", mail.listed),
        door.page("/desk/mails/{number:int}", mail.one),
        door.page("/desk/mails/{number:int}/original", mail.original),
        door.form("/desk/mails/{number:int}", mail.take),
        door.page("/desk/addresses", addresses.listed),
        door.form("/desk/addresses", addresses.take),
    ]


class _Mail:
    def __init__(self, door: Door) -> None:
        self.door, self.context = door, door.context

    def listed(self, request: Request, visitor: Visitor) -> Response:
        """All mail that waits for the office."""
        with self.context.ledger.read() as connection:
            bureaus, now = self.context.bureaus(), self.context.clock()
            tasks = deskmail.waiting_mails(connection, bureaus, now)
        said = None
        which = asked_row(request, "done")
        if which is not None:
            said = self._done(which, visitor)
        return desk_page(self.door, visitor, "deskmails.html", tasks=tasks, said=said)

    def one(self, request: Request, visitor: Visitor) -> Response:
        """One mail, with what may be done about it."""
        return self._page(visitor, self._task(row_id(request)), None)

    def original(self, request: Request, visitor: Visitor) -> Response:
        """The mail as it came."""
        task = self._task(row_id(request))
        return kept_file(self.door, task.row.sha256, f"来信{task.row.id}.eml")

    def take(self, request: Request, visitor: Visitor, fields: FormData) -> Response:
        """Attach a mail to an obligation, or say that it hands nothing in."""
        which = row_id(request)
        task = self._task(which)
        what, reason = text_of(fields, "act"), text_of(fields, "reason")[:_REASON_CHARACTERS]
        ledger, now, who = self.context.ledger, self.context.clock(), visitor.name or ""
        try:
            match what:
                case "assign":
                    self._assign(which, text_of(fields, "obligation"), who)
                case "dismiss" if not reason:
                    raise NotTakenError("没有登记：请写明原因，以便日后查核。")
                case "dismiss":
                    triage.dismiss(ledger, which, who, now, reason)
                case _:
                    raise NotTakenError("表单不完整，没有登记。请重新填写。")
        except NotTakenError as error:
            return self._page(visitor, task, Said(str(error)), 422)
        except RefusedError:
            return self._refused(visitor, which)
        return self.door.go(f"/desk/mails?done={which}")

    def _assign(self, which: int, chosen: str, who: str) -> None:
        """Attach it to one of the obligations that its page offers."""
        bureaus, now = self.context.bureaus(), self.context.clock()
        with self.context.ledger.read() as connection:
            row = None
            if chosen.isascii() and chosen.isdigit() and len(chosen) < 10:
                asked = obligation.select().where(obligation.c.id == int(chosen))
                row = connection.execute(asked).one_or_none()
        if row is None or row.plan_id not in bureaus:
            raise NotTakenError("没有登记：请选择它报送的是哪一项。")
        triage.assign(self.context.ledger, bureaus[row.plan_id], which, row.key, who, now)

    def _refused(self, visitor: Visitor, which: int) -> Response:
        """Somebody was quicker: with this mail, or with the obligation that it should hand in."""
        task = self._task(which)
        if task.row.decided_by is None:
            text = "没有登记：所选事项刚才已经报送或不需报送。请另选一项，或定为不作报送。"
            return self._page(visitor, task, Said(text), 409)
        at = words.stamp(task.row.decided_at.astimezone(task.now.tzinfo), task.now)
        who = "您" if task.row.decided_by == visitor.name else task.row.decided_by
        text = f"{who}已于{at}把这封信{_DECIDED[task.row.state]}，这次没有重复办理。"
        return self._page(visitor, task, Said(text), 409)

    def _task(self, which: int) -> MailTask:
        with self.context.ledger.read() as connection:
            bureaus, now = self.context.bureaus(), self.context.clock()
            task = deskmail.one_mail(connection, bureaus, which, now)
        if task is None:
            raise HTTPException(404)
        return task

    def _page(
        self, visitor: Visitor, task: MailTask, said: Said | None, status: int = 200
    ) -> Response:
        with self.context.ledger.read() as connection:
            bureaus, now = self.context.bureaus(), self.context.clock()
            choices = deskmail.choices(connection, bureaus, task, now) if task.waits else []
        return desk_page(
            self.door,
            visitor,
            "deskmail.html",
            status,
            task=task,
            choices=choices,
            decided=_DECIDED.get(task.row.state, "处理"),
            said=said,
        )

    def _done(self, which: int, visitor: Visitor) -> Said | None:
        """What the visitor has just decided, if the ledger bears it out."""
        with self.context.ledger.read() as connection:
            bureaus, now = self.context.bureaus(), self.context.clock()
            task = deskmail.one_mail(connection, bureaus, which, now)
        if task is None or task.row.decided_by != visitor.name or not visitor.name:
            return None
        return Said(f"已把“{task.row.subject}”{_DECIDED[task.row.state]}。", good=True)


class _Addresses:
    def __init__(self, door: Door) -> None:
        self.door, self.context = door, door.context

    def listed(self, request: Request, visitor: Visitor) -> Response:
        """The addresses that letters come back from."""
        which, said = asked_row(request, "done"), None
        if which is not None:
            with self.context.ledger.read() as connection:
                done = deed(connection, which)
            if done is not None and (done.what, done.who) == ("address.works", visitor.name):
                text = f"已消除 {done.data['to']} 的退信标记，此后的函照常发往该地址。"
                said = Said(text, good=True)
        return self._page(visitor, said)

    def take(self, request: Request, visitor: Visitor, fields: FormData) -> Response:
        """The address works again: take its mark away."""
        address = text_of(fields, "address").lower()
        now, zone, refused = self.context.clock(), zone_of(self.context.bureaus()), False
        try:
            triage.say_works(self.context.ledger, address, visitor.name or "", now)
        except RefusedError:
            refused = True
        with self.context.ledger.read() as connection:
            done = deskmail.last_cleared(connection, address)
        if done is None:
            return self._page(visitor, Said("没有登记：这个地址没有退信标记。"), 422)
        if not refused:
            return self.door.go(f"/desk/addresses?done={done.id}")
        at = words.stamp(done.at.astimezone(zone), now.astimezone(zone))
        who = "您" if done.who == visitor.name else done.who
        text = f"{address} 的标记已由{who}于{at}消除，这次没有重复办理。"
        return self._page(visitor, Said(text), 409)

    def _page(self, visitor: Visitor, said: Said | None, status: int = 200) -> Response:
        with self.context.ledger.read() as connection:
            bureaus, now = self.context.bureaus(), self.context.clock()
            found = deskmail.returned_addresses(connection, bureaus, now)
        return desk_page(
            self.door, visitor, "deskaddresses.html", status, returned=found, said=said
        )
