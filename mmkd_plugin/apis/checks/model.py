"""The model of a config: its text, the files that it starts from, and faults that show only when it is built."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmkd_plugin.engine import missing_hooks
from mmkd_plugin.fileio import ConfigError, complete_teachers
from mmkd_plugin.models.distillers import AnomalyDetector, model_faults
from mmkd_plugin.registry import MODELS

from ..pictures import picture_faults
from .components import hooks_of
from .weights import weight_faults

__all__ = ['CAUGHT', 'build_faults', 'describe', 'preprocessor_of', 'text_faults']

# Whatever a constructor raises when a value is wrong; anything else is a fault of the program.
CAUGHT = (ValueError, KeyError, IndexError, TypeError, AssertionError, RuntimeError, OSError, ImportError)


def describe(error: Exception) -> str:
    """Return an exception as a sentence; the class is named where the message does not speak to a user."""
    message = str(error.args[0]) if error.args and isinstance(error, KeyError) else str(error)
    plain = isinstance(error, (ValueError, KeyError, OSError, ImportError))
    return message if plain else f'{type(error).__name__}: {message}'


def preprocessor_of(cfg: Mapping) -> Mapping:
    """Return the config of the data preprocessor, which stands beside the model or in it."""
    return cfg.get('data_preprocessor') or (cfg.get('model') or {}).get('data_preprocessor') or {}


def text_faults(cfg: Mapping) -> list[str]:
    """List the faults that the text of the model has, teachers' configs read, without building a network."""
    model, broken, faults = _completed(cfg['model'])
    wrong = model_faults({'data_preprocessor': preprocessor_of(cfg), **model})
    return faults + [fault for fault in wrong if not fault.startswith(tuple(f"teacher '{name}':" for name in broken))]


def _completed(model: Any) -> tuple[Any, list[str], list[str]]:
    """Return a model with view and network of its teachers, the teachers that lack them, and why."""
    completed = copy.deepcopy(model)
    try:
        complete_teachers(completed)
    except ConfigError as error:
        teachers = completed.get('teachers') or {}
        return completed, [name for name, entry in teachers.items() if entry and 'network' not in entry], list(error.faults)
    return completed, [], []


def build_faults(cfg: Config, text: list[str], checkpoints: Mapping[str, str]) -> list[str]:
    """Build the model on samples of zeros, again and again without the transfers that cannot be built.

    Args:
        cfg (Config): Of a run.
        text (list[str]): Faults of the text. Transfers that have one are left out; nothing is built if there are others.
        checkpoints (Mapping[str, str]): Faults of checkpoints by teacher, which is then built without weights.

    Returns:
        list[str]: One sentence for each fault.
    """
    model, _, _ = _completed(cfg.model)
    for name in checkpoints:
        if name in (model.get('teachers') or {}):
            model['teachers'][name].pop('checkpoint', None)
    transfers = model.get('transfers') or {}
    known = list(text)
    for name in transfers:
        if any(fault.startswith(f"transfer '{name}'") for fault in text):
            transfers[name] = None
            known = [fault for fault in known if not fault.startswith(f"transfer '{name}'")]
    if known:
        return []
    faults: list[str] = []
    while True:
        try:
            built = MODELS.build({'data_preprocessor': preprocessor_of(cfg), **model})
            hooks = [hook for hook in cfg.get('custom_hooks') or () if isinstance(hook, Mapping)]
            return [
                *faults,
                *missing_hooks(built, hooks),
                *picture_faults(built, hooks_of(cfg)),
                *_detector_faults(built, cfg),
                *weight_faults(built, None if cfg.get('resume') else cfg.get('load_from'), checkpoints),
            ]
        except CAUGHT as error:
            message = describe(error)
        wrong = [name for name in transfers if message.startswith(f"transfer '{name}'")]
        if (faults or text) and not wrong:  # follows from the transfers that are left out
            return faults
        faults += message.splitlines()
        if not wrong:
            return faults
        transfers[wrong[0]] = None


def _detector_faults(model: object, cfg: Mapping) -> list[str]:
    """See that a detector has anomalies to be tested on."""
    if not isinstance(model, AnomalyDetector) or cfg['test_dataloader'].dataset.get('anomalies'):
        return []
    return [
        'an AnomalyDetector needs data with anomalies: normal=[...], the classes that are none, in every split, and '
        'anomalies=True in test_dataloader.dataset, as _base_/datasets/watch_anomaly.py has them'
    ]
