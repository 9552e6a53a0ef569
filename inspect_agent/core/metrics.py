"""The metrics of one target: its series, and the readers that feed them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

from inspect_agent.engine.history import Series, series
from inspect_agent.errors import ProcessGone, SourceError
from inspect_agent.model.metric import Family, Metric, MetricId, NoData, Scope, Unit
from inspect_agent.ports import Reader, Source, Subject


class Catalogue:
    """The sources at hand, and which of them a metric comes from."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self.sources = tuple(sources)
        self._families: dict[tuple[Scope, str], tuple[Source, Family]] = {
            (family.scope, family.name): (source, family)
            for source in self.sources
            for family in source.families
        }

    def declaration(self, scope: Scope, metric: MetricId) -> Metric:
        """What the family says of a metric; a configuration that compiled has no unknown ones."""
        found = self._families[scope, metric.family][1].find(metric.name)
        if found is None:
            raise SourceError(f"no family has {metric}")
        return found

    def source(self, scope: Scope, metric: MetricId) -> Source:
        """Where a metric comes from."""
        return self._families[scope, metric.family][0]

    def main(self, scope: Scope, family: str) -> MetricId | None:
        """The metric that stands for a family; None where its names come from the machine."""
        metrics = self._families[scope, family][1].metrics
        return MetricId(family, metrics[0].name) if metrics else None

    def of(self, scope: Scope) -> tuple[Source, ...]:
        """The sources with a family in this scope."""
        return tuple(
            source
            for source in self.sources
            if any(family.scope == scope for family in source.families)
        )


class Metrics:
    """The series of one target; `open` connects them to a subject, `sample` reads it.

    `asked` are the metrics of its rules; what its sources show by themselves comes after them.
    """

    def __init__(self, catalogue: Catalogue, scope: Scope, asked: Iterable[MetricId]) -> None:
        self.series: dict[MetricId, Series] = {}
        self.units: dict[MetricId, Unit] = {}
        self._catalogue = catalogue
        self._scope: Scope = scope
        self._readers: list[tuple[Reader, tuple[Series, ...]]] = []
        self._inherited: Mapping[MetricId, Series] = {}
        self._asked = tuple(dict.fromkeys(asked))
        for metric in self._asked:
            self._add(metric)

    def inherit(self, others: Mapping[MetricId, Series]) -> None:
        """Takes over what an earlier configuration measured, now or when it is opened."""
        self._inherited = others
        for metric in self.series:
            self._add(metric)

    def open(self, subject: Subject) -> None:
        """Connects the series to a subject. Raises ProcessGone."""
        self.close()
        for source in self._catalogue.of(self._scope):
            try:
                self._connect(source, subject)
            except ProcessGone:
                raise
            except Exception as error:  # noqa: BLE001 (a source that raises harms only itself)
                self._fail(source, error)

    def sample(self, now: float) -> None:
        """Reads everything once. Raises ProcessGone."""
        for reader, series_ in self._readers:
            try:
                for one, value in zip(series_, reader.read(), strict=True):
                    one.add(value, now)
            except ProcessGone:
                raise
            except Exception as error:  # noqa: BLE001 (a source that raises harms only itself)
                reason = NoData(f"{type(error).__name__}: {error}", failed=True)
                for one in series_:
                    one.add(reason, now)

    def fails(self, family: str) -> bool | None:
        """Whether a family could not be asked, or answered badly; None while it was not asked."""
        if self.trouble(family):
            return True
        latest = [one.latest for metric, one in self.series.items() if metric.family == family]
        return None if all(isinstance(value, NoData) for value in latest) else False

    def trouble(self, family: str) -> str:
        """Why a family could not be asked, or how it answered badly; "" where it did well."""
        for metric, one in self.series.items():
            if metric.family == family and isinstance(one.latest, NoData) and one.latest.failed:
                return one.latest.reason
        return ""

    def close(self) -> None:
        """Lets the subject go; the series stay as they are, for who inherits them."""
        for reader, _ in self._readers:
            with contextlib.suppress(Exception):  # what is let go can harm nobody any more
                reader.close()
        self._readers.clear()

    def lose(self, reason: NoData) -> None:
        """Lets the subject go for good: no rate may span it and the next one."""
        self.close()
        for one in self.series.values():
            one.forget(reason)

    def _connect(self, source: Source, subject: Subject) -> None:
        wanted = self._wanted(source, subject)
        if wanted:
            reader = source.open(subject, wanted)
            self._readers.append((reader, tuple(self.series[metric] for metric in wanted)))

    def _wanted(self, source: Source, subject: Subject) -> tuple[MetricId, ...]:
        mine = [
            metric
            for metric in self._asked
            if self._catalogue.source(self._scope, metric) is source
        ]
        for metric in source.names(subject):
            if metric not in self.series:
                self._add(metric)
            mine.append(metric)
        return tuple(dict.fromkeys(mine))

    def _add(self, metric: MetricId) -> None:
        declared = self._catalogue.declaration(self._scope, metric)
        self.units[metric] = declared.unit
        self.series[metric] = self._inherited.get(metric) or series(declared.kind)

    def _fail(self, source: Source, error: Exception) -> None:
        reason = NoData(f"{type(error).__name__}: {error}", failed=True)
        for metric, one in self.series.items():
            if self._catalogue.source(self._scope, metric) is source:
                one.forget(reason)
