"""Diagnosis of a config: transfers that do not move their learner, teachers that are not worth distilling."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from mmkd_plugin.datasets import split_oddities, split_table
from mmkd_plugin.engine import chance_faults, predict_teachers, training_labels
from mmkd_plugin.fileio import load_checkpoint
from mmkd_plugin.models.distillers import Distiller, Examination, examine
from mmkd_plugin.registry import MODELS

from .alone import find_student
from .check import check_config
from .graph import describe_chain
from .ranking import compare_with_student
from .teachers import prepare_teachers
from .train import train

__all__ = ['Diagnosis', 'diagnose']


@dataclass(frozen=True)
class Diagnosis:
    """Examinations of a config's first batches, its connectors and its teachers.

    Attributes:
        examinations (tuple[Examination, ...]): One per batch.
        connectors (dict[str, str]): Size of every connector, by transfer and source.
        teachers (dict[str, float]): Accuracy of each teacher on the validation split, from 0 to 1.
        records (dict[str, float]): Accuracy that the teachers' checkpoints state, where they state one of these validation
            subjects.
        faults (tuple[str, ...]): All broken rules, each once.
        windows (tuple[str, ...]): Windows of each class in every split, as a table.
        oddities (tuple[str, ...]): What is wrong with the splits; none of it is a fault of the config.
        below (tuple[str, ...], optional): A sentence for each teacher, and for their ensemble, that is below the student
            trained alone; None where that has not been trained, see :func:`mmkd_plugin.apis.rank_teachers`.
    """

    examinations: tuple[Examination, ...]
    connectors: dict[str, str]
    teachers: dict[str, float]
    records: dict[str, float]
    faults: tuple[str, ...]
    windows: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    below: tuple[str, ...] | None = None


def diagnose(cfg: Config, batches: int = 3) -> Diagnosis:
    """Train the missing teachers, then examine the first batches of the student's run.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        batches (int): Number of training batches to examine.

    Returns:
        Diagnosis: Terms, connectors, teachers and faults.

    Raises:
        FileNotFoundError: As :func:`mmkd_plugin.apis.check_config`.
        KeyError: Likewise.
        ValueError: Likewise.
    """
    cfg = copy.deepcopy(cfg)
    manifest, given = check_config(cfg), copy.deepcopy(cfg)
    prepare_teachers(cfg, train, manifest)
    seed = (cfg.get('randomness') or {}).get('seed') or 0
    torch.manual_seed(seed)
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')  # the host lists every parameter otherwise, where no log file is open
    model.init_weights()
    logger.setLevel(level)
    loader = Runner.build_dataloader(copy.deepcopy(cfg.train_dataloader), seed=seed)
    model.remember(lambda: training_labels(loader.dataset))
    examinations = tuple(examine(model, data) for data, _ in zip(loader, range(batches)))
    faults = [fault for examination in examinations for fault in examination.faults]
    validation = Runner.build_dataloader(copy.deepcopy(cfg.val_dataloader))
    predictions = predict_teachers(model, validation)
    teachers = {name: each.accuracy for name, each in predictions.items()}
    records = _records(cfg, model, validation.dataset.metainfo)
    faults += chance_faults(predictions)
    # One window more or less may turn on rounding where another machine has trained.
    faults += [
        f"teacher '{name}' reaches {100 * teachers[name]:.1f} % on validation, its checkpoint says {100 * record:.1f} %"
        for name, record in records.items()
        if abs(teachers[name] - record) > 2 / len(validation.dataset)
    ]
    splits = tuple(split_table(manifest)), tuple(split_oddities(manifest))
    alone, below = find_student(given) if predictions else None, None
    if alone is not None:
        unit = 'subject' if manifest.has_subjects else 'recording'
        below = compare_with_student(given, alone, model, predictions, validation, unit).warnings
    return Diagnosis(examinations, _connectors(model), teachers, records, tuple(dict.fromkeys(faults)), *splits, below)


def _records(cfg: Config, model: Distiller, metainfo: dict) -> dict[str, float]:
    """Return the validation accuracy that checkpoints state, from 0 to 1, where it is of the same validation windows."""
    records = {}
    for name, teacher in model.teachers.items():
        if teacher.stored:
            continue
        meta = load_checkpoint(cfg.model.teachers[name].checkpoint).get('meta', {})
        validation, origin = meta.get('validation') or {}, meta.get('dataset_meta') or {}
        same = all(origin.get(key) == metainfo.get(key) for key in ('classes', 'channels', 'window', 'step'))
        same = same and origin['subjects']['val'] == metainfo['subjects']['val']
        if same and validation.get('metric') == 'accuracy/top1' and validation.get('value') is not None:
            records[name] = validation['value'] / 100
    return records


def _connectors(model: Distiller) -> dict[str, str]:
    sizes = {}
    for name, transfer in model.transfers.items():
        for source, chain in transfer.connectors.items():
            sizes[f'{name} from {source}'] = describe_chain(chain) or 'as it is, 0 parameters'
    return sizes
