"""Figures of one network on a split, computed from logits: of the whole split, by class and by subject."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ['complementarity', 'expected_calibration_error', 'pooled_macro_f1', 'score']

BINS = 15  # Guo et al., On Calibration of Modern Neural Networks (ICML 2017), section 2


def score(logits: NDArray, labels: NDArray, subjects: NDArray, classes: Sequence[str]) -> dict | None:
    """Return what the record of a run says of one network on the test split.

    Means over classes are over those that the split has. A window of no known class (an anomaly), or without a response, does
    not count.

    Args:
        logits (ndarray): ``(n, K)``; NaN where there is no response.
        labels (ndarray): ``(n, )``, −1 for no known class.
        subjects (ndarray): Names, ``(n, )``.
        classes (Sequence[str]): Names of the K classes.

    Returns:
        dict, optional: ``n``, ``correct``, ``accuracy``, ``macro_f1``, ``balanced_accuracy``, ``ece``, ``nll`` (nats),
        ``absent`` (classes without a window), ``classes``, ``subjects`` and ``confusion`` (rows are true). Of two classes also
        ``auroc``, of the split and of every subject who has windows of both. None without a window.

    Raises:
        ValueError: Logits and classes do not fit.
    """
    from scipy.special import log_softmax
    from sklearn.metrics import confusion_matrix

    if logits.ndim != 2 or logits.shape[1] != len(classes):
        raise ValueError(f'logits must be (n, {len(classes)}), one column for each class, got {logits.shape}')
    counted = (labels >= 0) & np.isfinite(logits).all(1)
    logits, labels, subjects = logits[counted].astype(np.float64), labels[counted], subjects[counted]
    if not len(labels):
        return None
    predicted, log_p = logits.argmax(1), log_softmax(logits, axis=1)  # (n, ), (n, K)
    correct = predicted == labels
    by_class = _by_class(labels, predicted, classes)
    return {
        **_shares(labels, predicted, classes),
        **_area(labels, logits),
        'balanced_accuracy': float(np.mean([row['recall'] for row in by_class if row['n']])),
        'ece': expected_calibration_error(np.exp(log_p.max(1)), correct),
        'nll': float(-log_p[np.arange(len(labels)), labels].mean()),
        'classes': by_class,
        'subjects': [
            {'subject': str(name), **_shares(labels[own], predicted[own], classes), **_area(labels[own], logits[own])}
            for name in np.unique(subjects)
            for own in [subjects == name]
        ],
        'confusion': confusion_matrix(labels, predicted, labels=range(len(classes))).tolist(),
    }


def _shares(labels: NDArray, predicted: NDArray, classes: Sequence[str]) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    present, correct = np.unique(labels), int((predicted == labels).sum())
    return {
        'n': len(labels),
        'correct': correct,
        'accuracy': correct / len(labels),
        'macro_f1': float(f1_score(labels, predicted, labels=present, average='macro', zero_division=0)),
        'absent': [name for label, name in enumerate(classes) if label not in present],
    }


def _area(labels: NDArray, logits: NDArray) -> dict[str, float]:
    """Return the area under the ROC curve of the second of two classes; nothing where one is absent or there are more."""
    from sklearn.metrics import roc_auc_score

    if logits.shape[1] != 2 or len(np.unique(labels)) < 2:
        return {}
    return {'auroc': float(roc_auc_score(labels, logits[:, 1] - logits[:, 0]))}


def _by_class(labels: NDArray, predicted: NDArray, classes: Sequence[str]) -> list[dict]:
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(labels, predicted, labels=range(len(classes)), zero_division=0)
    return [
        {
            'class': name,
            'n': int(n),
            'correct': int(((labels == label) & (predicted == label)).sum()),
            'precision': float(precision),
            'recall': float(recall) if n else None,
            'f1': float(f1) if n else None,
        }
        for label, (name, precision, recall, f1, n) in enumerate(zip(classes, *columns))
    ]


def expected_calibration_error(confidence: NDArray, correct: NDArray) -> float:
    """Return the mean distance of confidence from accuracy over 15 equal bins of confidence, weighted by their windows.

    Args:
        confidence (ndarray): Probability of the predicted class, ``(n, )``.
        correct (ndarray): Whether the prediction is right, ``(n, )``.
    """
    index = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    distances = np.bincount(index, correct - confidence, BINS)  # (BINS, ), each times the bin's windows
    return float(np.abs(distances).sum() / len(confidence))


def pooled_macro_f1(confusion: NDArray) -> float:
    """Return the macro-F1 of a confusion matrix ``(K, K)``, rows true, over the classes that have a window."""
    from sklearn.metrics import f1_score

    true, predicted = np.indices(confusion.shape)
    present = np.flatnonzero(confusion.sum(1))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # a class that nobody predicts has an F1 of 0
        return float(
            f1_score(true.ravel(), predicted.ravel(), labels=present, average='macro', sample_weight=confusion.ravel())
        )


def complementarity(logits: dict[str, NDArray], labels: NDArray, subjects: NDArray) -> list[dict]:
    """Return, for every subject, on how many windows teachers agree and on how many at least one of them is right.

    Args:
        logits (dict[str, ndarray]): ``(n, K)`` by teacher; NaN where there is no response.
        labels (ndarray): ``(n, )``, −1 for no known class.
        subjects (ndarray): Names, ``(n, )``.

    Returns:
        list[dict]: ``subject``, ``n``, ``agree`` (all teachers predict the same class), ``oracle`` (at least one is right) and
        ``correct`` by teacher; windows where a teacher has no response are left out. Empty for fewer than two teachers.
    """
    if len(logits) < 2:
        return []
    stacked = np.stack(list(logits.values()))  # (T, n, K)
    counted = (labels >= 0) & np.isfinite(stacked).all((0, 2))
    predicted = np.where(np.isfinite(stacked), stacked, -np.inf).argmax(2)  # (T, n)
    right, same = predicted == labels, (predicted == predicted[0]).all(0)
    rows = []
    for name in np.unique(subjects[counted]):
        own = counted & (subjects == name)
        correct = {teacher: int(hits[own].sum()) for teacher, hits in zip(logits, right)}
        row = {
            'subject': str(name),
            'n': int(own.sum()),
            'agree': int(same[own].sum()),
            'oracle': int(right[:, own].any(0).sum()),
        }
        rows.append({**row, 'correct': correct})
    return rows
