"""Procrastinate: N jobs deferred in PostgreSQL, then PROCESSES workers on the queue.

python run_procrastinate.py LETTER COUNT PROCESSES SMTP_PORT DATABASE_PORT
"""

import asyncio
import json
import multiprocessing
import queue
import smtplib
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import procrastinate

FILE, COUNT, PROCESSES, SMTP, DATABASE = sys.argv[1], *map(int, sys.argv[2:])
CONCURRENCY = 8
app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(
        conninfo=f"host=127.0.0.1 port={DATABASE} user=duban dbname=procrastinate", max_size=12
    )
)
_kept = queue.SimpleQueue()


@app.task(queue="mail")
def send(to, subject, text, html):
    """Compose and send one mail over a kept connection; such a task runs in a thread."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "duban@qzedu.example", to, subject
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    try:
        connection = _kept.get_nowait()
    except queue.Empty:
        connection = smtplib.SMTP("127.0.0.1", SMTP)
    connection.send_message(message)
    _kept.put(connection)


async def prepare(letter):
    """Make the tables and queue the jobs; gives how many seconds the jobs took."""
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        jobs = [
            {
                "to": f"s{n}@qzedu.example",
                "subject": f"{letter['subject']} {n}",
                "text": f"{letter['text']}\n{n}",
                "html": letter["html"].replace("</body>", f"<p>{n}</p></body>"),
            }
            for n in range(COUNT)
        ]
        begun = time.monotonic()
        for start in range(0, COUNT, 500):
            await send.batch_defer_async(*jobs[start : start + 500])
        return time.monotonic() - begun


async def work(go):
    """One worker, from the moment that it is told."""
    async with app.open_async():
        await asyncio.to_thread(go.wait)
        await app.run_worker_async(
            queues=["mail"], concurrency=CONCURRENCY, wait=False, install_signal_handlers=False
        )


def worker(go):
    """A process of its own."""
    asyncio.run(work(go))


if __name__ == "__main__":
    queueing = asyncio.run(prepare(json.loads(Path(FILE).read_text(encoding="utf-8"))))
    go = multiprocessing.Event()
    workers = [multiprocessing.Process(target=worker, args=(go,)) for _ in range(PROCESSES)]
    for one in workers:
        one.start()
    print("ready", queueing, flush=True)
    sys.stdin.readline()
    go.set()
    sys.stdin.readline()
    for one in workers:
        one.terminate()
        one.join()
