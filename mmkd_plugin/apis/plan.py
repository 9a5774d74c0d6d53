"""What a run is going to do, in a few lines."""

from __future__ import annotations

import numpy as np
from mmengine.config import Config

from mmkd_plugin.datasets import Manifest, split_oddities, split_table
from mmkd_plugin.fileio import deployed_learner

from .teachers import trained_starts, trained_teachers

__all__ = ['describe_run', 'network_titles', 'teacher_title']


def describe_run(cfg: Config, manifest: Manifest) -> list[str]:
    """Describe a run by its data, its networks and its terms.

    Args:
        cfg (Config): Of the run, checked.
        manifest (Manifest): Its windows.

    Returns:
        list[str]: Lines to print.
    """
    entries = {name: learner for name, learner in cfg.model.learners.items() if learner is not None}
    inputs = {name: learner.get('view') or ' and '.join(learner['reads']) for name, learner in entries.items()}
    learners = [f'{name} (reads {read})' for name, read in inputs.items()]
    entries = {name: teacher for name, teacher in (cfg.model.get('teachers') or {}).items() if teacher is not None}
    teachers = [f'{name} (reads {teacher.get("outputs") or teacher["view"]})' for name, teacher in entries.items()]
    terms = [name for name, transfer in (cfg.model.get('transfers') or {}).items() if transfer is not None]
    data = f'data {cfg.data}' if cfg.get('data') else 'data'
    lines = [f'{data}: {", ".join(_split(manifest, split) for split in ("train", "val", "test"))}']
    lines += split_table(manifest) if split_oddities(manifest) else []
    lines += [f'learns: {", ".join(learners)}']
    if teachers:
        lines += [f'teachers: {", ".join(teachers)}']
    if terms:
        lines += [f'terms: {", ".join(terms)}, beside the loss on the labels']
    return [*lines, f'writes into: {cfg.work_dir}']


def _split(manifest: Manifest, split: str) -> str:
    subjects = manifest.columns['subject'][manifest.columns['split'] == split]
    people = f' of {len(np.unique(subjects))} subject(s)' if manifest.has_subjects else ''
    counts = manifest.by_class()[split]
    least, most = int(counts.min()), int(counts.max())
    return f'{split} {len(subjects):,} windows{people} ({least:,}{f" to {most:,}" * (most > least)} per class)'


def network_titles(cfg: Config) -> list[str]:
    """Return a title for every network that a run trains, or finds trained, in that order; the run's own comes last."""
    starts = [teacher_title(f'{name} (start)') for name in trained_starts(cfg)]
    teachers = [teacher_title(name) for name in trained_teachers(cfg)]
    return [*starts, *teachers, deployed_learner(cfg.model)[0]]


def teacher_title(name: str) -> str:
    """Return the title of a network that is trained on first use: 'teacher gaf', 'student (start)' or 'student (alone)'."""
    return name if name.endswith(('(start)', '(alone)')) else f'teacher {name}'
