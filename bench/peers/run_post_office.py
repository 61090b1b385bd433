"""django-post-office: N mails queued, then sent by its own command's function.

python run_post_office.py LETTER COUNT PROCESSES SMTP_PORT DATABASE_PORT
"""

import json
import sys
import time
from pathlib import Path

import django
from django.conf import settings

FILE, COUNT, PROCESSES, SMTP, DATABASE = sys.argv[1], *map(int, sys.argv[2:])
settings.configure(
    INSTALLED_APPS=["post_office"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "PORT": DATABASE,
            "USER": "duban",
            "NAME": "post_office",
        }
    },
    EMAIL_BACKEND="post_office.EmailBackend",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=SMTP,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    POST_OFFICE={"BATCH_SIZE": 1000, "THREADS_PER_PROCESS": 4, "LOG_LEVEL": 1},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from post_office import mail  # noqa: E402

letter = json.loads(Path(FILE).read_text(encoding="utf-8"))
call_command("migrate", verbosity=0)
made = [
    {
        "sender": "duban@qzedu.example",
        "recipients": [f"s{n}@qzedu.example"],
        "subject": f"{letter['subject']} {n}",
        "message": f"{letter['text']}\n{n}",
        "html_message": letter["html"].replace("</body>", f"<p>{n}</p></body>"),
    }
    for n in range(COUNT)
]
begun = time.monotonic()
for start in range(0, COUNT, 1000):
    mail.send_many(made[start : start + 1000])
print("ready", time.monotonic() - begun, flush=True)
sys.stdin.readline()
mail.send_queued_mail_until_done("post_office", processes=PROCESSES, log_level=1)
sys.stdin.readline()
