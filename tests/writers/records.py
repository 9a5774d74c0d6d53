"""Records of runs that were never made: every figure follows from the number of right windows of each subject."""

import copy
import functools

import numpy as np

from mmkd_plugin.experiments import FIELDS, VERSION
from mmkd_plugin.experiments.scores import complementarity, score

CLASSES = ['walk', 'run']


def windows(subjects, n=20, classes=2):
    """Labels and subjects of n windows each, the classes in turn."""
    names = np.repeat(list(subjects), n)
    return np.tile(np.arange(n) % classes, len(subjects)), names


def respond(labels, names, right, n=20):
    """Logits whose prediction is right on the first windows of each subject, as many as ``right`` says."""
    position = np.tile(np.arange(n), len(labels) // n)
    wrong = position >= np.array([right[name] for name in names])
    return np.eye(2, dtype=np.float32)[np.where(wrong, 1 - labels, labels)] * 2


def row(name, role, best, last=None, params=100, macs=1_000, val=0.5, sha256=None):
    test = {'best': best, 'last': last if last is not None else best}
    figures = None if val is None else {'accuracy': val, 'macro_f1': val}
    return dict(
        name=name, role=role, view='sig', params=params, macs=macs, checkpoint=None, sha256=sha256, val=figures, test=test
    )


@functools.cache
def score_hits(subjects, hits, n, classes):
    """Figures of so many right windows of each subject, which are the same in most records."""
    labels, names = windows(subjects, n, classes)
    return score(respond(labels, names, dict(zip(subjects, hits, strict=True)), n), labels, names, CLASSES)


def record(method, right, data='watch', fold=0, seed=0, last=None, teachers=None, classes=2, n=20, **fields):
    """The record of a run.

    Args:
        method (str): Name of the config.
        right (dict): Right windows of n, by test subject.
        data (str): Name of the data.
        fold (int): Fold.
        seed (int): Seed.
        last (dict, optional): As ``right``, of the last epoch.
        teachers (dict, optional): ``{name: (validation accuracy, right)}``.
        classes (int): 1 makes a fold of a single class.
        n (int): Windows of a subject.
        **fields: Take the place of fields of the record.
    """
    labels, names = windows(right, n, classes)

    def figures(hits):
        return copy.deepcopy(score_hits(tuple(right), tuple(hits[name] for name in right), n, classes))

    teachers = teachers or {}
    rows = [
        row(name, 'teacher', figures(hits), params=900, val=val, sha256=f'{name}-{data}-{fold}')
        for name, (val, hits) in teachers.items()
    ]
    rows.append(row('student', 'student', figures(right), figures(last) if last else None))
    logits = {name: respond(labels, names, hits, n) for name, (_, hits) in teachers.items()}
    both = complementarity(logits, labels, names)
    whole = {
        'version': VERSION,
        'key': f'{method}-{data}-{fold}',
        'method': method,
        'settings': {},
        'data': data,
        'fold': fold,
        'seed': seed,
        'quick': False,
        'ended': {'state': 'finished', 'reason': None},
        'fingerprints': {'config': f'{method}{data}'.ljust(64, '0'), 'data': f'{data}-{fold}', 'teachers': {}},
        'config': {'path': f'configs/{method}.py', 'resolved': '{}'},
        'code': {'version': '1', 'commit': None, 'changed': None},
        'stack': {},
        'process': {'seconds': 10.0 + seed, 'peak_memory': 2**30},
        'classes': CLASSES,
        'subjects': {'train': ['x'], 'val': ['y'], 'test': list(right)},
        'windows': {'train': 1, 'val': 1, 'test': len(labels)},
        'networks': rows,
        'complementarity': {'best': both, 'last': both},
        'curves': {},
        'faults': [],
        'work_dir': None,
        'trial': None,
    }
    assert whole.keys() == FIELDS.keys()
    return {**whole, **fields}
