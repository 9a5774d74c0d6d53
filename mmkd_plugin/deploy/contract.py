"""Contract of a trained network: the data that it has learned from, and a comparison with the data that it is to read."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from mmkd_plugin.datasets.names import list_names
from mmkd_plugin.structures import SIGNAL, build_fields, check_number

from .contract_facts import channel_facts, encoder_of, normalizer_of, plain_values, stream_facts, view_entry

__all__ = ['Contract', 'check_checkpoint', 'plain_values']

STATISTICS = ('mean', 'std', 'min', 'max')
MOST = 30  # names in a message
# Times that a channel's usual size may differ between two groups of people; g and m/s² are 9.8 apart, degrees and radians 57.
SCALE = 4.0


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Everything that a network takes for granted of the signals that it reads, in plain values.

    Attributes:
        classes (tuple[str, ...]): Names of the K classes, in the order of the logits.
        channels (tuple[str, ...]): Names of the C channels, in order.
        units (tuple[str, ...]): Units of the channels, as 'm/s²'; empty where the data do not say.
        stream (str): Sensor that the channels are of, where the data have several; 'signal' is the recordings' own.
        rate (float): In Hz.
        window (int): Samples of a window.
        hop (int): Samples from the start of a window to that of the next.
        normalizer (tuple[Mapping, ...], optional): Transforms from the recorded signal to what the network gets, with all
            arguments; None where unknown.
        statistics (Mapping): ``mean``, ``std``, ``min`` and ``max`` of the training subjects' recordings, each of C numbers.
        view (Mapping, optional): Settings of the view that the network reads; empty for the signal, None where unknown.
        subjects (tuple[str, ...]): Subjects of training.
        data (str): Fingerprint of all recordings; empty where unknown.
        config (str): Fingerprint of the settings that decided what was learned; empty where unknown.
        network (Mapping, optional): Config of a :class:`~mmkd_plugin.models.distillers.Network` without sizes; None where
            unknown, and for a network that reads the features of others.
        weights (str): Fingerprint of the network's weights; empty where unknown.
        figures (Mapping): Metrics of the network under 'val' and 'test', shares from 0 to 1; empty where unknown.

    Raises:
        ValueError: A value is of the wrong kind.
    """

    classes: tuple[str, ...]
    channels: tuple[str, ...]
    units: tuple[str, ...] = ()
    stream: str = SIGNAL
    rate: float
    window: int
    hop: int
    normalizer: tuple[Mapping, ...] | None = None
    statistics: Mapping[str, tuple[float, ...]]
    view: Mapping | None = None
    subjects: tuple[str, ...]
    data: str = ''
    config: str = ''
    network: Mapping | None = None
    weights: str = ''
    figures: Mapping = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ('classes', 'channels', 'units', 'subjects'):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        check_number('rate', self.rate, above=0)
        for name in ('window', 'hop'):
            if type(getattr(self, name)) is not int or getattr(self, name) < 1:
                raise ValueError(f'{name} must be a number of samples, at least 1, got {getattr(self, name)!r}')
        if self.normalizer is not None:
            entries = self.normalizer if isinstance(self.normalizer, (list, tuple)) else (self.normalizer,)
            object.__setattr__(self, 'normalizer', tuple(_settings('normalizer', entry) for entry in entries))
        for name in ('view', 'network'):
            if getattr(self, name) is not None:
                _settings(name, getattr(self, name))
        for name in ('stream', 'data', 'config', 'weights'):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f'{name} must be a text, got {getattr(self, name)!r}')
        rows = [self.statistics.get(name) for name in STATISTICS] if isinstance(self.statistics, Mapping) else [None]
        if not all(isinstance(row, (list, tuple)) and [type(v) for v in row] == [float] * len(self.channels) for row in rows):
            raise ValueError(f'statistics must have {", ".join(STATISTICS)}, of {len(self.channels)} channels each')

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a window, ``(C, T)``."""
        return len(self.channels), self.window

    def fits_golden(self, signal: Any, *outputs: Any) -> bool:
        """Say whether values are windows as recorded, at least one, with outputs of each: float32 arrays or tensors."""
        shapes = [
            tuple(x.shape) if isinstance(x, (Tensor, np.ndarray)) and str(x.dtype).endswith('float32') else ()
            for x in (signal, *outputs)
        ]
        count = shapes[0][0] if shapes[0] else 0
        return count > 0 and shapes == [(count, *self.shape), *[(count, len(self.classes))] * len(outputs)]

    @classmethod
    def from_dataset(cls, dataset: Any, cfg: Mapping, view: str | None = None, config: str = '') -> Contract | None:
        """Return the contract of a network that reads a data set.

        Args:
            dataset (Any): Any split of a :class:`~mmkd_plugin.datasets.WindowDataset`.
            cfg (Mapping): Config of the run, for the pipeline of its test split and the settings of its views.
            view (str, optional): View that the network reads, unknown by default.
            config (str): Fingerprint of the config.

        Returns:
            Contract, optional: None for a data set of another kind, which does not know channels, rate and subjects.
        """
        metainfo = getattr(dataset, 'metainfo', {})
        entry = {} if view is None else view_entry(cfg, view)
        facts = channel_facts(metainfo, entry)
        if facts is None:
            return None
        contract, data = cls(**facts), getattr(dataset, 'data', None)
        return dataclasses.replace(
            contract,
            normalizer=normalizer_of(cfg, contract.stream, contract.rows(metainfo)),
            view=None if view is None else encoder_of(entry),
            data='' if data is None else data.fingerprint(),
            config=config,
        )

    @classmethod
    def from_meta(cls, meta: Any) -> Contract | None:
        """Return the contract in a checkpoint's ``meta``.

        Returns:
            Contract, optional: Of a checkpoint that the host's tools have written, the part that its ``dataset_meta``
            knows; None of a checkpoint from elsewhere.

        Raises:
            ValueError: The contract is damaged.
        """
        if not isinstance(meta, Mapping):
            return None
        if 'contract' in meta:
            return build_fields(cls, meta['contract'], 'the contract in the checkpoint')
        facts = channel_facts(meta.get('dataset_meta'))
        return None if facts is None else cls(**facts)

    def rows(self, metainfo: Mapping) -> list[int]:
        """Return the indices of the channels in their stream of a data set.

        Args:
            metainfo (Mapping): Of a data set that this contract fits.
        """
        names = list(stream_facts(metainfo, self.stream)['channels'])
        return [names.index(channel) for channel in self.channels]

    def to_meta(self) -> dict:
        """Return the contract as dicts, lists, texts and numbers, which a checkpoint may hold."""
        return plain_values(dataclasses.asdict(self))

    def mismatch(self, other: Contract) -> str | None:
        """Say in a sentence what a network has learned from and these data are not.

        Only names are compared of the sensors, whose kinds follow from them, and not the hop, which no network sees.

        Args:
            other (Contract): Of the network.

        Returns:
            str, optional: None where the network fits these data.
        """
        differences = list(self._differences(other))
        return f'was trained on {"; on ".join(differences)}' if differences else None

    def _differences(self, other: Contract) -> Iterator[str]:
        for name in ('classes', 'channels', 'units'):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs and (name != 'units' or (ours and theirs)):
                order = ', the same in another order' if sorted(ours) == sorted(theirs) else ''
                yield f'the {name} {list_names(theirs, MOST)}, and the data have {list_names(ours, MOST)}{order}'
        if self.stream != other.stream:
            yield f"the stream '{other.stream}', and the data have '{self.stream}'"
        if self.rate != other.rate:
            yield f'{other.rate:g} Hz, and the data have {self.rate:g} Hz'
        if self.window != other.window:
            yield f'windows of {other.window} samples, and the data have windows of {self.window}'
        for name in ('normalizer', 'view'):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours is not None and theirs is not None and plain_values(ours) != plain_values(theirs):
                yield f'the {name} {_spell(theirs)}, and the data have {_spell(ours)}'
        if self.channels == other.channels and not (self.units and other.units):  # where units are known, they decide
            yield from self._scales(other)

    def _scales(self, other: Contract) -> Iterator[str]:
        """Name a channel whose usual size is so different that its unit must be another one."""
        for index, channel in enumerate(self.channels):
            ours, theirs = (math.hypot(*(each.statistics[key][index] for key in ('mean', 'std'))) for each in (self, other))
            if min(ours, theirs) > 0 and not 1 / SCALE < ours / theirs < SCALE:
                sizes = f'about {theirs:.3g}, and the data have about {ours:.3g}'
                yield f'values of channel {channel} of {sizes}, as if in another unit'
                return


def check_checkpoint(
    origin: str, meta: Any, cfg: Mapping, dataset: Any, view: str | None = None, split: str | None = 'test'
) -> None:
    """Hold a checkpoint against the data that its network is to read.

    Args:
        origin (str): What the checkpoint is, for the message.
        meta (Any): The checkpoint's. One without a contract, of mmpretrain for example, passes.
        cfg (Mapping): Config of the run; with ``allow_seen_subjects=True`` a network may have learned from anybody.
        dataset (Any): Any split of the data. Nothing is compared with data that know no channels.
        view (str, optional): View that the network is to read, where known.
        split (str, optional): Split whose subjects the network must not have learned from; None for none.

    Raises:
        ValueError: The network was trained on other data, or has learned from subjects of the split.
    """
    try:
        other = Contract.from_meta(meta)
    except ValueError as error:
        raise ValueError(f'{origin}: {error}') from error
    data = Contract.from_dataset(dataset, cfg, view)
    if other is None or data is None:
        return
    message = data.mismatch(other)
    if message:
        raise ValueError(f'{origin} {message}')
    subjects = dataset.metainfo['subjects'][split] if split and not cfg.get('allow_seen_subjects') else ()
    seen = [subject for subject in subjects if subject in other.subjects]
    if seen:
        raise ValueError(
            f'{origin} has learned from {split} subject(s) {list_names(seen, MOST)}; --allow-seen-subjects, or '
            'allow_seen_subjects=True in the config, lets it pass'
        )


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
        raise ValueError(f'{name} must be a list of names, got {value!r}')
    return tuple(value)


def _settings(name: str, value: Any) -> Mapping:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must have settings as dict(type='…', …), got {' '.join(repr(value).split()):.80}")
    return value


def _spell(settings: Mapping | Sequence[Mapping]) -> str:
    """Return settings as they would be called: ``NormalizeSignal(method='zscore')``."""
    entries = [settings] if isinstance(settings, Mapping) else settings
    calls = []
    for entry in entries:
        arguments = ', '.join(f'{key}={value!r}' for key, value in entry.items() if key != 'type' and value is not None)
        calls.append(f'{entry.get("type")}({arguments})' if entry else 'sig, the signal itself')
    return ' and '.join(calls) or 'none'
