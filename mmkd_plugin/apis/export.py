"""Export of a checkpoint: its windows out of a config's data, the artefacts, and what they fail."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Subset

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.deploy import (
    QUANTIZERS,
    WINDOWS,
    Contract,
    Exported,
    Limits,
    Recorded,
    Student,
    artifact_path,
    check_checkpoint,
    check_exportable,
    export_float,
    export_int8,
    load_student,
)
from mmkd_plugin.deploy.artifact import as_array
from mmkd_plugin.deploy.formats import Run
from mmkd_plugin.deploy.verify import run_student
from mmkd_plugin.engine import batches_in_order
from mmkd_plugin.fileio import deployed_learner

from .fine_tune import fine_tune, fine_tuning_config
from .predict import build_loader
from .teachers import find_teachers

__all__ = ['CALIBRATION', 'export_checkpoint', 'export_faults']

CALIBRATION = 512  # windows of training that set the scales of int8


def export_checkpoint(
    checkpoint: str | Path,
    folder: str | Path | None = None,
    kind: str = 'onnx',
    cfg: Config | None = None,
    int8: bool = False,
    header: bool = False,
    limits: Limits | None = None,
    qat: int | None = None,
) -> list[Exported]:
    """Export the student in a checkpoint.

    Args:
        checkpoint (str | Path): ``<name>_best.pth`` or ``<name>_last.pth`` of a run.
        folder (str | Path, optional): Where the artefacts are written, beside the checkpoint by default.
        kind (str): Name of the format, one of :data:`mmkd_plugin.deploy.FORMATS`.
        cfg (Config, optional): Config whose data are those of the run: the artefact is compared on up to 1,000 of its windows,
            those of the test split first. Without one it is compared on the golden windows of the checkpoint.
        int8 (bool): Quantise too, which needs a config.
        header (bool): Write a C header beside each artefact.
        limits (Limits, optional): What :func:`export_faults` will ask for, so that an impossible demand is refused first.
        qat (int, optional): Epochs of fine-tuning with fake quantisation, after which another int8 artefact is made; needs
            ``int8``. The config's teachers must be trained.

    Returns:
        list[Exported]: The float artefact, then the int8 one, then that of the fine-tuned student.

    Raises:
        ConfigError: The student cannot be fine-tuned by this config.
        FileNotFoundError: There is no such checkpoint, or a teacher has not been trained.
        ImportError: A package of the format's extra is missing.
        OSError: A file cannot be written; none of an artefact's files is.
        ValueError: The student cannot be exported, the data are not those of its contract, or the artefact is not its equal.
    """
    if int8 and cfg is None:
        raise ValueError(
            '--int8 needs --config: its scales are set by training windows, and its accuracy is that of test windows'
        )
    if int8 and kind not in QUANTIZERS:
        raise ValueError(f'--int8 is made of {" and ".join(QUANTIZERS)}, not of {kind}')
    if qat is not None and kind != 'onnx':
        raise ValueError(f'--qat trains on the grid of an ONNX file, not of {kind}')
    if kind not in ('onnx', 'tflite') and limits is not None and limits.ram is not None:
        raise ValueError(f'--max-ram is measured over the graph of an ONNX file or in TensorFlow Lite Micro, not of {kind}')
    if qat is not None and not int8:
        raise ValueError('--qat fine-tunes a student for int8: it needs --int8')
    student = load_student(checkpoint)
    check_exportable(student, str(checkpoint), kind)
    data = None if cfg is None else _Data(cfg, student, str(checkpoint))
    windows = None if data is None else data.compared()
    path = artifact_path(checkpoint, folder, kind)
    tuned_path = path.with_name(f'{path.stem}_qat.pth')
    tuning = None
    if cfg is not None and qat is not None:
        tuning = fine_tuning_config(cfg, student, checkpoint, qat, tuned_path.with_suffix(''))
    exported = [export_float(student, path, kind, windows, header)]
    if not int8 or data is None:
        return exported
    exported.append(_export_int8(student, _beside(path, 'int8'), exported, data, windows, header))
    if tuning is not None:
        fine_tune(tuning, student, tuned_path, map(torch.from_numpy, data.calibration()), data.validation)
        tuned = load_student(tuned_path)
        exported.append(_export_int8(tuned, _beside(path, 'qat_int8'), exported, data, windows, header))
    return exported


def _beside(path: Path, tag: str) -> Path:
    return path.with_name(f'{path.stem}_{tag}{path.suffix}')


def _export_int8(
    student: Student, path: Path, before: Sequence[Exported], data: _Data, windows: Recorded | None, header: bool
) -> Exported:
    names = ('float32', 'int8', 'int8 qat')
    beside = dict(zip(names, before))
    return export_int8(
        student, path, beside, data.calibration(), lambda: data.batches('test'), windows, header, names[len(before)]
    )


def export_faults(exported: Sequence[Exported], limits: Limits | None = None) -> list[str]:
    """Return a sentence for everything that artefacts fail; the last of them, which is int8 if there is one, has the limits.

    Args:
        exported (Sequence[Exported]): From :func:`export_checkpoint`.
        limits (Limits, optional): 1 point for int8 and no other by default.
    """
    faults, last, limits = [], exported[-1], limits or Limits()
    if last.accuracy is not None and last.accuracy.drop > limits.drop:
        faults.append(f'int8 costs {last.accuracy.drop:.2f} points of accuracy, more than --max-drop {limits.drop:g}')
    faults += last.budget.faults(limits)
    return [f'{last.path}: {fault}; the file is kept' for fault in faults]


def _signal_teachers(cfg: Config, contract: Contract) -> dict[str, Run]:
    """Return the trained teachers of a config that read the student's signal, as functions of arrays."""
    runs = {}
    for name, entry in (cfg.model.get('teachers') or {}).items():
        if entry is None or entry.get('view') != 'sig':
            continue
        alone = copy.deepcopy(cfg)
        alone.model.teachers = {name: alone.model.teachers[name]}
        try:
            teacher = load_student(find_teachers(alone)[name])
            if (teacher.contract.stream, teacher.contract.channels) == (contract.stream, contract.channels):
                runs[f'teacher {name}'] = run_student(teacher)
        except FileNotFoundError:  # not trained yet: an export does not need one
            continue
        except ValueError as error:
            print_log(f"the latency of teacher '{name}' is left out: {error}", 'current', logging.WARNING)
    return runs


def _view_of(contract: Contract, cfg: Config, dataset: WindowDataset) -> str | None:
    """Return the view that a network of a run reads, a teacher perhaps; that of the deployed learner where none fits."""
    views = ['sig', *((cfg.get('data_preprocessor') or {}).get('views') or {})]
    known = {view: Contract.from_dataset(dataset, cfg, view) for view in dict.fromkeys(views)}
    fitting = [view for view, each in known.items() if each is not None and each.mismatch(contract) is None]
    return fitting[0] if fitting else deployed_learner(cfg.model)[1].get('view')


class _Data:
    """Windows of a config's data as recorded, before any transform."""

    def __init__(self, cfg: Config, student: Student, origin: str) -> None:
        self._contract, self._networks = student.contract, _signal_teachers(cfg, student.contract)
        self._loaders = {split: self._loader(cfg, split) for split in ('test', 'val', 'train')}
        meta = {'contract': student.contract.to_meta()}
        check_checkpoint(origin, meta, cfg, self._loaders['test'].dataset, _view_of(student.contract, cfg, self.validation))

    @staticmethod
    def _loader(cfg: Config, split: str) -> DataLoader:
        cfg = copy.deepcopy(cfg)
        dataset = cfg[f'{split}_dataloader'].dataset
        dataset.pipeline = [entry for entry in dataset.pipeline if str(entry['type']).rpartition('.')[2] == 'PackWindows']
        for key in ('pipelines', 'augment'):
            dataset.pop(key, None)
        return build_loader(cfg, split)

    def batches(self, split: str, most: int | None = None) -> Iterable[dict]:
        """Return batches of a split's windows in order; of more than ``most``, as many from all over the split."""
        loader = self._loaders[split]
        dataset: BaseDataset = loader.dataset
        count = len(dataset)
        part = None
        if most is not None and count > most:
            part = Subset(dataset, np.linspace(0, count - 1, most).astype(int).tolist())
        return map(self._narrowed, batches_in_order(loader, part))

    def _narrowed(self, batch: dict) -> dict:
        """Return a batch with what the student reads, and no other stream or channel."""
        inputs, rows = batch['inputs'], self._contract.rows(self.validation.metainfo)
        return {**batch, 'inputs': (inputs[self._contract.stream] if isinstance(inputs, dict) else inputs)[:, rows]}

    def calibration(self) -> Iterator[NDArray]:
        """Yield the windows of training that set the scales of int8, ``(N, C, T)``."""
        for batch in self.batches('train', CALIBRATION):
            yield as_array(batch['inputs'])

    @property
    def validation(self) -> WindowDataset:
        """The validation split."""
        dataset: WindowDataset = self._loaders['val'].dataset  # type: ignore[assignment]  # torch's kind has no windows
        return dataset

    def compared(self) -> Recorded:
        """Return the windows that artefacts are compared on."""
        left, parts = WINDOWS, {}
        for split, loader in self._loaders.items():
            dataset: BaseDataset = loader.dataset
            parts[split] = min(left, len(dataset))
            left -= parts[split]
        parts = {split: count for split, count in parts.items() if count}

        def batches() -> Iterator[dict]:
            for split, count in parts.items():
                yield from self.batches(split, count)

        return Recorded(', '.join(f'{count} of {split}' for split, count in parts.items()), batches, self._networks)
