"""Teachers of a config ranked beside the student trained alone, on validation."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.device import get_device
from torch.utils.data import DataLoader

from mmkd_plugin.engine import Predictions, batches_in_order, predict_teachers, predict_windows, use_whole_float32
from mmkd_plugin.experiments.ranking import STUDENT, Ranking, Size, rank_classifiers
from mmkd_plugin.fileio import ConfigError
from mmkd_plugin.models.distillers import Distiller
from mmkd_plugin.registry import MODELS

from .alone import best_of, student_config, train_student
from .check import check_config
from .predict import build_loader, load_deployed, metainfo_of
from .rows import align_logits, describe
from .teachers import prepare_teachers
from .train import train

__all__ = ['compare_with_student', 'rank_teachers']


def rank_teachers(cfg: Config) -> Ranking:
    """Train the missing teachers and the student alone, and rank them and the teachers' ensemble on the validation windows.

    The student alone is trained once by the run's own config without teachers and transfers, and kept as a teacher is.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.

    Returns:
        Ranking: Best accuracy first, with what each teacher knows that the others and the student do not.

    Raises:
        ConfigError: The config has no teacher, or something else is wrong. Nothing has been trained then.
    """
    cfg = copy.deepcopy(cfg)
    if not any((cfg.model.get('teachers') or {}).values()):
        raise ConfigError(f'{cfg.filename} has no teacher to compare with the student trained alone')
    manifest = check_config(cfg)
    given = copy.deepcopy(cfg)
    prepare_teachers(cfg, train, manifest)
    folder = train_student(given, train, manifest)
    use_whole_float32()
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model}).to(get_device())
    loader = build_loader(cfg, 'val')
    unit = 'subject' if manifest.has_subjects else 'recording'
    return compare_with_student(given, folder, model, predict_teachers(model, loader), loader, unit)


def compare_with_student(
    cfg: Config, folder: Path, model: Distiller, teachers: Mapping[str, Predictions], loader: DataLoader, unit: str
) -> Ranking:
    """Rank teachers by their responses beside the student alone, which is run here.

    Args:
        cfg (Config): Config of the run, before its teachers were prepared.
        folder (Path): Of the student alone, see :func:`~mmkd_plugin.apis.alone.train_student`.
        model (Distiller): With the teachers.
        teachers (Mapping[str, Predictions]): Responses of every teacher to the validation windows.
        loader (DataLoader): Of these windows.
        unit (str): What a subject of the data is called.
    """
    alone = load_deployed(student_config(cfg), best_of(folder), loader, split='val')
    student = predict_windows(alone, batches_in_order(loader)).known()
    sizes = {name: _size(model, name, 'teacher') for name in teachers} | {STUDENT: _size(alone, alone.deployed, 'student')}
    return rank_classifiers(
        {
            name: align_logits(student.window_ids, predictions.window_ids, predictions.logits.numpy())
            for name, predictions in teachers.items()
        },
        student.logits.numpy(),
        student.labels.numpy(),
        np.array([str(sample.get('subject', '')) for sample in student.samples]),
        metainfo_of(loader)['classes'],
        sizes,
        unit,
    )


def _size(model: Distiller, name: str, role: str) -> Size:
    row = describe(model, name, role)
    return Size(row['view'], row['params'], row['macs'])
