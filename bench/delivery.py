"""How fast letters go from due to accepted, beside other programs and the limit of the machine.

    python -m bench.delivery [--letters N …] [--only NAME …] [--runs R] [--kills K] [--out FILE]

Every contender hands the same number of letters of the same size to Postfix's smtp-sink on
loopback. What is to be sent is queued before; the time runs from the moment that it is due to the
last mail that the sink took, and once more with the time that queueing took. In each run the
contenders take turns, so that a busy machine is busy for all. duban runs as whole daemons; SQLite
waits for the disk (`synchronous=FULL`), so does PostgreSQL. Prints a table in Markdown: medians,
and how many times the best peer's two processes.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import ours, peers
from bench.figures import Figures, machine, percentile
from bench.machinery import Machinery

Contender = Callable[[Machinery, int], Figures]
CONTENDERS: dict[str, Contender] = {
    "smtp-source": peers.smtp_source,
    "duban, SQLite": ours.sqlite,
    "duban, PostgreSQL": lambda m, n: ours.postgres(m, n, 1),
    "duban, PostgreSQL, 2 daemons": lambda m, n: ours.postgres(m, n, 2),
    "django-post-office": lambda m, n: peers.run(m, n, 1, "post_office"),
    "django-post-office, 2 processes": lambda m, n: peers.run(m, n, 2, "post_office"),
    "Celery, Redis": lambda m, n: peers.run(m, n, 1, "celery"),
    "Celery, Redis, 2 processes": lambda m, n: peers.run(m, n, 2, "celery"),
    "Procrastinate": lambda m, n: peers.run(m, n, 1, "procrastinate"),
    "Procrastinate, 2 processes": lambda m, n: peers.run(m, n, 2, "procrastinate"),
}
_TWO = "2 processes"
_COLUMNS = (
    "",
    "letters/s",
    "slowest to fastest",
    "to the best peer",
    "queued and sent/s",
    "to the best peer",
    "p99 250 to commit",
    "memory",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--letters", type=int, nargs="+", default=[1000])
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kills", type=int, default=0, help="also kill -9 so often at full load")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    text = ""
    # told to end, it still ends what it started
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory() as folder, Machinery(Path(folder)) as machinery:
        text += machine(machinery) + "\n\n"
        for count in asked.letters:
            text += _table(count, _measure(machinery, count, asked.only, asked.runs))
        if asked.kills:
            again = [ours.killed(machinery, max(asked.letters)) for _ in range(asked.kills)]
            text += (
                f"Second copies after a kill -9 in the midst of {max(asked.letters):,} letters: "
            )
            text += f"{', '.join(map(str, again))}.\n"
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


def _measure(
    machinery: Machinery, count: int, names: list[str], runs: int
) -> dict[str, list[Figures]]:
    found: dict[str, list[Figures]] = defaultdict(list)
    for number in range(runs):
        for name in names:
            figures = CONTENDERS[name](machinery, count)
            found[name].append(figures)
            shown = f"{count:,} letters, run {number + 1}: {name}: {figures.rate:,.0f}/s"
            print(shown, file=sys.stderr, flush=True)
    return found


def _table(count: int, found: dict[str, list[Figures]]) -> str:
    sent = {name: statistics.median(f.rate for f in runs) for name, runs in found.items()}
    whole = {name: statistics.median(f.whole_rate for f in runs) for name, runs in found.items()}
    lines = [
        f"### {count:,} letters",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
    ]
    for name, runs in found.items():
        each = sorted(f.rate for f in runs)
        lags = [lag for f in runs for lag in f.lags_ms]
        cells = (
            name,
            f"{sent[name]:,.0f}",
            f"{each[0]:,.0f} to {each[-1]:,.0f}",
            _to_best(sent, name),
            f"{whole[name]:,.0f}" if runs[0].queueing_s else "",
            _to_best(whole, name) if runs[0].queueing_s else "",
            f"{percentile(lags, 99):.1f} ms" if lags else "",
            f"{max(f.memory_mb for f in runs):.0f} MB" if runs[0].memory_mb else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n\n"


def _to_best(rates: Mapping[str, float], name: str) -> str:
    """How many times the best peer's two processes a contender is."""
    best = max((rate for peer, rate in rates.items() if peer.endswith(_TWO)), default=None)
    return f"{rates[name] / best:.1f}" if best else ""


if __name__ == "__main__":
    main()
