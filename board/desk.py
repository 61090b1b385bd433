"""The office's desk: what waits for acceptance, requests for more time, and one obligation."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from board.deeds import Deeds
from board.deskpage import Said, asked_row, desk_page, kept_file, row_id
from board.door import Door, Visitor
from board.told import done_by_you
from jobs import desk
from jobs.desk import Task
from jobs.explain import account
from jobs.story import story
from ledger.attachments import by_ids
from mailroom import words


def desk_routes(door: Door) -> list[Route]:
    """`/desk`, `/desk/requests`, `/desk/obligations/…` with its forms, and files."""
    shown = _Desk(door)
    return [
        door.page("/desk", shown.to_accept),
        door.page("/desk/requests", shown.requests),
        door.page("/desk/obligations/{number:int}", shown.obligation),
        door.upload("/desk/obligations/{number:int}", Deeds(door, shown.render).take),
        door.page("/desk/files/{number:int}", shown.file),
    ]


class _Desk:
    def __init__(self, door: Door) -> None:
        self.door, self.context = door, door.context

    def to_accept(self, request: Request, visitor: Visitor) -> Response:
        """What was handed in and nobody has accepted."""
        with self.context.ledger.read() as connection:
            tasks = desk.to_accept(connection, self.context.bureaus(), self.context.clock())
        return self._list(request, visitor, "deskaccept.html", tasks)

    def requests(self, request: Request, visitor: Visitor) -> Response:
        """Who asks for more time."""
        with self.context.ledger.read() as connection:
            tasks = desk.asked_for_time(connection, self.context.bureaus(), self.context.clock())
        return self._list(request, visitor, "deskrequests.html", tasks)

    def obligation(self, request: Request, visitor: Visitor) -> Response:
        """One obligation with all that the office can do about it."""
        which = row_id(request)
        with self.context.ledger.read() as connection:
            bureaus, now = self.context.bureaus(), self.context.clock()
            task = desk.one_task(connection, bureaus, which, now)
        if task is None:
            raise HTTPException(404)
        return self.render(visitor, task, self._said(request, visitor))

    def render(
        self, visitor: Visitor, task: Task, said: Said | None, status: int = 200
    ) -> Response:
        """The page of one obligation with its story, and what it says above everything else."""
        with self.context.ledger.read() as connection:
            found = account(task.bureau, task.item.facts.key, task.now, connection)
        parts = [] if found is None else list(story(task.bureau, found, task.now))
        return desk_page(
            self.door, visitor, "deskobligation.html", status, task=task, said=said, story=parts
        )

    def file(self, request: Request, visitor: Visitor) -> Response:
        """A file that was handed in."""
        with self.context.ledger.read() as connection:
            found = by_ids(connection, [row_id(request)])
        if not found:
            raise HTTPException(404)
        return kept_file(self.door, found[0].sha256, found[0].name)

    def _list(
        self, request: Request, visitor: Visitor, template: str, tasks: list[Task]
    ) -> Response:
        return desk_page(
            self.door, visitor, template, tasks=tasks, said=self._said(request, visitor)
        )

    def _said(self, request: Request, visitor: Visitor) -> Said | None:
        """What the visitor has just done, if the log bears it out."""
        asked = asked_row(request, "done")
        if asked is None:
            return None
        with self.context.ledger.read() as connection:
            done = desk.deed(connection, asked)
            if done is None or done.who != visitor.name or done.obligation_id is None:
                return None
            bureaus, now = self.context.bureaus(), self.context.clock()
            task = desk.one_task(connection, bureaus, done.obligation_id, now)
        if task is None:
            return None
        called = f"{task.item.facts.section} {words.name(task.item.facts, task.now)}"
        return Said(done_by_you(done, called, task.bureau, task.now), good=True)
