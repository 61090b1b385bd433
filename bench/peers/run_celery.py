"""Celery with Redis: N tasks in the queue, then PROCESSES prefork workers are told to take them.

python run_celery.py LETTER COUNT PROCESSES SMTP_PORT REDIS_PORT
"""

import json
import os
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

from celery import Celery

app = Celery("run_celery", broker=f"redis://127.0.0.1:{os.environ.get('BENCH_REDIS', '6379')}/0")
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=64,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)
_kept = []


def _connection():
    """One connection to the relay for each worker process."""
    if not _kept:
        _kept.append(smtplib.SMTP("127.0.0.1", int(os.environ["BENCH_SMTP"])))
    return _kept[0]


@app.task
def send(to, subject, text, html):
    """Compose and send one mail."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "duban@qzedu.example", to, subject
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    _connection().send_message(message)


def main():
    """Queue, start the workers on another queue, and turn them to this one when told."""
    file, count, processes = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    letter = json.loads(Path(file).read_text(encoding="utf-8"))
    begun = time.monotonic()
    with app.producer_pool.acquire(block=True) as producer:
        for n in range(count):
            send.apply_async(
                (
                    f"s{n}@qzedu.example",
                    f"{letter['subject']} {n}",
                    f"{letter['text']}\n{n}",
                    letter["html"].replace("</body>", f"<p>{n}</p></body>"),
                ),
                queue="mail",
                producer=producer,
            )
    queueing = time.monotonic() - begun
    plain = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
    command = [sys.executable, "-m", "celery", "-A", "run_celery", "worker", "-Q", "idle"]
    worker = subprocess.Popen(
        [*command, "-c", processes, *plain],
        cwd=Path(__file__).parent,
        stdout=subprocess.DEVNULL,  # its banner is not an answer of ours
    )
    try:
        while not app.control.ping(timeout=0.5):
            time.sleep(0.1)
        print("ready", queueing, flush=True)
        sys.stdin.readline()
        app.control.add_consumer("mail")
        sys.stdin.readline()
    finally:
        worker.terminate()
        worker.wait()


if __name__ == "__main__":
    os.environ["BENCH_SMTP"], os.environ["BENCH_REDIS"] = sys.argv[4], sys.argv[5]
    app.conf.broker_url = f"redis://127.0.0.1:{sys.argv[5]}/0"
    main()
