"""The command line. Each command's module is imported only when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from scheduler.cli.output import INTERRUPTED, UNREAD, UnreadError, complain
from scheduler.cli.root import duban


def main() -> None:
    """The console script `duban`: ends the process with the command's exit code."""
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would try again at exit, and say so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its code.

    0 fine, 1 findings or refused, 2 usage, 130 interrupted, 141 where nobody reads the answer.
    """
    try:
        result = duban.main(list(arguments), prog_name="duban", standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except UnreadError:
        return UNREAD
    except click.ClickException as error:
        return complain(error, as_json="--json" in arguments)
    return result if isinstance(result, int) else 0
