"""Facts of a contract, as a data set and the config of a run tell them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mmkd_plugin.registry import MODELS, TRANSFORMS, find_type
from mmkd_plugin.structures import SIGNAL, choose_channels, unknown_name

__all__ = ['channel_facts', 'encoder_of', 'normalizer_of', 'plain_values', 'stream_facts', 'view_entry']

METAINFO = ('classes', 'channels', 'rate', 'window', 'step', 'subjects', 'statistics')  # of a WindowDataset


def channel_facts(metainfo: Any, entry: Mapping | None = None) -> dict[str, Any] | None:
    """Return what a data set knows of the channels that a network reads, by the names of a contract's fields.

    Args:
        metainfo (Any): Of a data set.
        entry (Mapping, optional): Config of the view that the network reads; all channels of the signal by default.

    Returns:
        dict, optional: None for a data set of another kind.

    Raises:
        ValueError: The data have no such stream or channel.
    """
    if not isinstance(metainfo, Mapping) or not set(METAINFO) <= metainfo.keys():
        return None
    entry = entry or {}
    stream, patterns = entry.get('stream') or SIGNAL, entry.get('channels')
    facts = stream_facts(metainfo, stream)
    names, units = list(facts['channels']), list(facts.get('units', ()))
    rows = range(len(names)) if patterns is None else choose_channels(patterns, names)
    return dict(
        classes=metainfo['classes'],
        channels=[names[row] for row in rows],
        units=[units[row] for row in rows] if units else [],
        stream=stream,
        rate=facts['rate'],
        window=facts['window'],
        hop=max(1, round(metainfo['step'] * facts['rate'] / metainfo['rate'])),
        statistics={key: [values[row] for row in rows] for key, values in facts['statistics'].items()},
        subjects=metainfo['subjects']['train'],
    )


def stream_facts(metainfo: Mapping, stream: str) -> Mapping:
    """Return what a data set knows of a stream: channels, units, rate, window and statistics."""
    if stream == SIGNAL:
        return metainfo
    streams = metainfo.get('streams') or {}
    if stream not in streams:
        raise ValueError(unknown_name('stream', stream, list(streams)))
    return streams[stream]


def normalizer_of(cfg: Mapping, stream: str, rows: Sequence[int]) -> tuple[dict, ...] | None:
    """Return the transforms that a deployed network's signals go through; augmentation is no part of the test split's.

    Args:
        cfg (Mapping): Config of a run.
        stream (str): The one that the network reads.
        rows (Sequence[int]): Indices of the channels that it reads.

    Returns:
        tuple[dict, ...], optional: With all arguments; None where the config has no test split.
    """
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    pipeline = (dataset.get('pipelines') or {}).get(stream, dataset.get('pipeline'))
    if pipeline is None:
        return None
    own = [entry for entry in pipeline if str(entry['type']).rpartition('.')[2] != 'PackWindows']
    return tuple(_narrow(_complete(entry, TRANSFORMS), rows) for entry in own)


def view_entry(cfg: Mapping, view: str) -> dict:
    """Return the config of a view, empty for the signal itself with all of its channels."""
    preprocessor = cfg.get('data_preprocessor') or (cfg.get('model') or {}).get('data_preprocessor') or {}
    return dict((preprocessor.get('views') or {}).get(view) or {})


def encoder_of(entry: Mapping) -> dict:
    """Return the settings of a view's encoder, empty for a view that is a signal."""
    settings = {key: value for key, value in entry.items() if key not in ('stream', 'channels')}
    return _complete(settings, MODELS) if 'type' in settings else {}


def _narrow(entry: dict, rows: Sequence[int]) -> dict:
    """Return the config of a transform whose numbers for each channel are those of some channels."""
    kind = find_type(TRANSFORMS, entry['type'])
    own = {key: entry[key] for key in getattr(kind, 'per_channel', ()) if isinstance(entry.get(key), list)}
    return {**entry, **{key: [values[row] for row in rows] for key, values in own.items()}}


def _complete(entry: Mapping, registry: Any) -> dict:
    """Return the config of an object with the defaults of what it does not give."""
    target = find_type(registry, entry['type'])
    if target is None:
        return plain_values(entry)
    parameters = inspect.signature(target).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty and p.kind is not p.VAR_KEYWORD}
    given = {key: value for key, value in entry.items() if key != '_scope_'}
    return plain_values({**defaults, **given, 'type': getattr(target, '__name__', str(target))})


def plain_values(value: Any) -> Any:
    """Return dicts, lists, texts and numbers only, as JSON knows them."""
    return json.loads(json.dumps(value, default=str))
