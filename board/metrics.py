"""Figures for Prometheus, read from the ledger when they are asked for: a restart loses none."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from board.context import Context, Vitals
from jobs.status import PlanStatus, Status, letters_ended, status

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition(context: Context) -> bytes:
    """All figures in Prometheus's text format. Raises LedgerError."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(context))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        """Read once, and tell."""
        now = self._context.clock()
        keys = [bureau.plan.id for bureau in self._context.bureaus().values()]
        with self._context.ledger.read() as connection:
            found = status(connection, now, keys)
            ended = letters_ended(connection)
        yield from _of_daemon(self._context.vitals(), found)
        letters = CounterMetricFamily(
            "duban_letters", "Letters that came to their end", labels=["kind", "outcome"]
        )
        for (kind, outcome), count in ended.items():
            letters.add_metric([kind, outcome], count)
        yield letters
        yield from _of_queue(found.plans, now.timestamp())
        yield from _of_obligations(found.plans)


def _of_daemon(vitals: Vitals, found: Status) -> Iterator[Metric]:
    yield GaugeMetricFamily("duban_well", "1 while the daemon does its work", int(vitals.well))
    ticks = SummaryMetricFamily("duban_tick_seconds", "Ticks that ended well, and their time")
    ticks.add_metric([], vitals.ticks, vitals.ticks_took_s)
    yield ticks
    if vitals.tick_age_s is not None:
        yield GaugeMetricFamily(
            "duban_tick_age_seconds", "Since the last good tick", vitals.tick_age_s
        )
    answered = GaugeMetricFamily(
        "duban_relay_answered_timestamp_seconds", "The relay's last answer", labels=["outcome"]
    )
    if vitals.answer is not None and vitals.answered_at is not None:
        answered.add_metric([vitals.answer.value], vitals.answered_at.timestamp())
    yield answered
    trouble = int(found.trouble_since is not None)
    yield GaugeMetricFamily("duban_relay_trouble", "1 while no letter gets through", trouble)


def _of_queue(plans: tuple[PlanStatus, ...], now: float) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("duban_letters_waiting", "Letters not sent yet", labels=["plan"])
    oldest = GaugeMetricFamily(
        "duban_letters_oldest_age_seconds",
        "Since the oldest letter that waits was written; 0 where none waits",
        labels=["plan"],
    )
    for plan in plans:
        waiting.add_metric([plan.key], plan.waiting)
        oldest.add_metric([plan.key], now - plan.oldest.timestamp() if plan.oldest else 0)
    yield waiting
    yield oldest


def _of_obligations(plans: tuple[PlanStatus, ...]) -> Iterator[Metric]:
    standings = GaugeMetricFamily(
        "duban_obligations", "Obligations by how they stand", labels=["plan", "standing"]
    )
    provisional = GaugeMetricFamily(
        "duban_provisional_deadlines",
        "Open deadlines that wait for the announcement of holidays",
        labels=["plan"],
    )
    for plan in plans:
        for standing, count in plan.standings.items():
            standings.add_metric([plan.key, standing.value], count)
        provisional.add_metric([plan.key], plan.provisional)
    yield standings
    yield provisional
