"""Windows of each class in every split, and what is wrong with them, before anything is trained."""

from __future__ import annotations

import numpy as np

from .audit import Manifest
from .names import list_names
from .splits import SPLITS

__all__ = ['split_oddities', 'split_table']

TITLES = dict(train='training', val='validation', test='test')
LEAST = 0.03  # share of validation in the windows that are not tested, below which the best epoch is a matter of chance


def split_table(manifest: Manifest) -> list[str]:
    """Return the lines of a table of windows by class and split.

    Args:
        manifest (Manifest): All windows of a run.
    """
    counts = manifest.by_class()
    width = max(map(len, ('windows of', *manifest.classes)))
    lines = [' '.join([f'{"windows of":{width}}', *(f'{split:>9}' for split in SPLITS)])]
    for label, name in enumerate(manifest.classes):
        lines.append(' '.join([f'{name:{width}}', *(f'{counts[split][label]:>9,}' for split in SPLITS)]))
    return lines


def split_oddities(manifest: Manifest) -> list[str]:
    """Return a sentence for everything that is wrong with the splits; none of it stops a run.

    Args:
        manifest (Manifest): All windows of a run.
    """
    counts = manifest.by_class()
    absent = {split: set(manifest.absent(split)) for split in SPLITS}
    nowhere = set.intersection(*absent.values())
    sentences = []
    if nowhere:
        sentences.append(f'no split has a window of {_name(manifest, nowhere)}')
    unlearned = absent['train'] - nowhere
    if unlearned:
        chosen = [manifest.classes.index(name) for name in unlearned]
        shares = ' and '.join(
            f'{counts[split][chosen].sum() / counts[split].sum():.1%} of the {TITLES[split]} windows'
            for split in ('val', 'test')
            if counts[split][chosen].sum()
        )
        sentences.append(f'no training subject has a window of {_name(manifest, unlearned)}: {shares} cannot be recognised')
    for split, consequence in (
        ('val', 'the best epoch is chosen without'),
        ('test', 'accuracy and macro-F1 are over the others'),
    ):
        missing = absent[split] - absent['train']
        if missing:
            sentences.append(f'{TITLES[split]} has no window of {_name(manifest, missing)}: {consequence}')
    val, train = (int(np.sum(counts[split])) for split in ('val', 'train'))
    if val < LEAST * (val + train):
        sentences.append(
            f'validation has {val:,} of the {val + train:,} windows that are not tested ({val / (val + train):.1%}), by which '
            "the best epoch is chosen; val= of a protocol names more subjects, and by='windows' counts their windows"
        )
    return sentences


def _name(manifest: Manifest, names: set[str]) -> str:
    return list_names([name for name in manifest.classes if name in names])
