"""The doctor: does every arrow of a config do what it says, and are its teachers worth listening to?"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmkd_plugin.models.connectors import PerStage
from mmkd_plugin.models.distillers import Examination, examine
from mmkd_plugin.registry import DATASETS, MODELS

from .check import check_config
from .teachers import prepare_teachers
from .train import train

__all__ = ['Diagnosis', 'diagnose']


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor has seen.

    Attributes:
        examinations (tuple[Examination, ...]): One per batch.
        connectors (dict[str, str]): Size of every connector, by arrow and source.
        teachers (dict[str, float]): Accuracy of each teacher on the validation split, from 0 to 1.
        faults (tuple[str, ...]): All broken rules, each once.
    """

    examinations: tuple[Examination, ...]
    connectors: dict[str, str]
    teachers: dict[str, float]
    faults: tuple[str, ...]


def diagnose(cfg: Config, batches: int = 3) -> Diagnosis:
    """Train the missing teachers, then look at the student's first batches.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        batches (int): How many training batches to look at.

    Returns:
        Diagnosis: Terms, connectors, teachers and faults.

    Raises:
        FileNotFoundError: As :func:`mmkd_plugin.apis.check_config`.
        KeyError: Likewise.
        ValueError: Likewise.
    """
    cfg = copy.deepcopy(cfg)
    check_config(cfg)
    prepare_teachers(cfg, train)
    seed = (cfg.get('randomness') or {}).get('seed') or 0
    torch.manual_seed(seed)
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})
    model.init_weights()
    loader = Runner.build_dataloader(copy.deepcopy(cfg.train_dataloader), seed=seed)
    examinations = tuple(examine(model, data) for data, _ in zip(loader, range(batches)))
    teachers = {name: _accuracy(model, name, cfg) for name in model.teachers}
    faults = [fault for seen in examinations for fault in seen.faults]
    validation, classes = DATASETS.build(cfg.val_dataloader.dataset), cfg.data_preprocessor.num_classes
    # Two standard deviations above what guessing gives on so many windows.
    chance = 1 / classes + 2 * math.sqrt((1 - 1 / classes) / classes / len(validation))
    faults += [
        f"teacher '{name}' is at chance level: {100 * accuracy:.1f} % on validation, guessing gives up to {100 * chance:.1f} %"
        for name, accuracy in teachers.items()
        if accuracy <= chance
    ]
    return Diagnosis(examinations, _connectors(model), teachers, tuple(dict.fromkeys(faults)))


@torch.no_grad()
def _accuracy(model, name: str, cfg: Config) -> float:
    """Share of validation windows that a teacher gets right."""
    right, total = 0, 0
    for data in Runner.build_dataloader(copy.deepcopy(cfg.val_dataloader)):
        batch = model.data_preprocessor(data, True)
        answers = model.teachers[name](batch['inputs'][model.views[name]]).logits.argmax(1)
        labels = torch.cat([sample.gt_label for sample in batch['data_samples']])
        right, total = right + (answers == labels).sum().item(), total + len(labels)
    return right / total


def _connectors(model) -> dict[str, str]:
    sizes = {}
    for name, transfer in model.transfers.items():
        for source, chain in transfer.connectors.items():
            links = ' -> '.join(map(_spell, chain)) or 'as it is'
            sizes[f'{name} from {source}'] = f'{links}, {sum(p.numel() for p in chain.parameters()):,} parameters'
    return sizes


def _spell(link) -> str:
    return f'{type(link.links[0]).__name__} per stage' if isinstance(link, PerStage) else type(link).__name__
