"""Outputs of teachers that were computed elsewhere, held against the windows and classes of a run."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mmengine.config import Config

from mmkd_plugin.datasets import SPLITS, Manifest
from mmkd_plugin.datasets.names import list_names
from mmkd_plugin.fileio import Outputs, read_outputs

__all__ = ['outputs_faults']

MOST = 3  # windows and classes that a sentence names


def outputs_faults(cfg: Config, manifest: Manifest | None, dataset: Any) -> list[str]:
    """List what is wrong with the files of outputs that teachers consist of.

    Args:
        cfg (Config): Of a run.
        manifest (Manifest, optional): All windows of the run, each of which needs an output; None where the data have a fault.
        dataset (Any): A split of its data, None where it cannot be built.

    Returns:
        list[str]: One sentence for each fault.
    """
    faults = []
    for name, teacher in (cfg.model.get('teachers') or {}).items():
        path = (teacher or {}).get('outputs')
        if not isinstance(path, str):  # a fault of the text
            continue
        try:
            outputs = read_outputs(path)
        except (OSError, ValueError) as error:
            faults.append(f"teacher '{name}': {error}")
            continue
        if manifest is not None and dataset is not None:
            rate = teacher.get('rate') or dataset.metainfo['rate']
            wrong = [*_class_faults(outputs, manifest), *_window_faults(outputs, manifest, dataset.window, rate)]
            faults += [f"teacher '{name}': {path} {fault}" for fault in wrong]
    return faults


def _class_faults(outputs: Outputs, manifest: Manifest) -> list[str]:
    count, own, classes = outputs.shapes['logits'][0], list(outputs.classes), list(manifest.classes)
    if own and own != classes:
        order = ', the same in another order' if sorted(own) == sorted(classes) else ''
        return [f'has the classes {list_names(own, 6)}, and the data have {list_names(classes, 6)}{order}']
    return [f'has logits of {count} classes, and the data have {len(classes)}'] if count != len(classes) else []


def _window_faults(outputs: Outputs, manifest: Manifest, length: int, rate: float) -> list[str]:
    """Name the windows that have no output, with their number in every split."""
    columns = manifest.columns
    names = [f'{recording}:{start}' for recording, start in zip(columns['recording'], columns['start'])]
    splits = dict(zip(names, columns['split'].tolist()))  # a window that is repeated in training counts once
    missing = outputs.missing(splits, length, rate)
    if not missing:
        return []
    absent, all_of = Counter(splits[name] for name in missing), Counter(splits.values())
    counts = ', '.join(f'{absent[split]:,} of {all_of[split]:,} in {split}' for split in SPLITS if absent[split])
    key = 'times in windows' if outputs.by_time else 'window_ids'
    return [f'has no output of {len(missing):,} windows of the run ({counts}): {key} lack {list_names(missing, MOST)}']
