"""What several classifiers know: each alone, all together, and beside a student; computed from logits."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ['brier_score', 'class_changes', 'double_fault', 'mean_response', 'only_right', 'q_statistic', 'right_windows']


def mean_response(logits: NDArray) -> NDArray:
    """Return the logarithm of the mean of the softmax probabilities of the classifiers that respond to a window.

    Args:
        logits (ndarray): ``(T, n, K)``; NaN where a classifier has no response.

    Returns:
        ndarray: ``(n, K)``, logits of the ensemble; NaN where no classifier responds.
    """
    from scipy.special import log_softmax, logsumexp

    log_p = log_softmax(logits.astype(np.float64), axis=2)  # (T, n, K)
    count = np.isfinite(log_p).all(2).sum(0)[:, None]  # (n, 1)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of windows that nobody responds to
        total = logsumexp(np.where(np.isnan(log_p), -np.inf, log_p), axis=0)  # (n, K)
        return np.where(count > 0, total - np.log(count), np.nan)


def right_windows(logits: NDArray, labels: NDArray) -> NDArray:
    """Return where a classifier is right; a window without a response is not.

    Args:
        logits (ndarray): ``(..., n, K)``; NaN where there is no response.
        labels (ndarray): ``(n, )``.

    Returns:
        ndarray: Boolean, ``(..., n)``.
    """
    present = np.isfinite(logits).all(-1)
    return present & (np.where(np.isfinite(logits), logits, -np.inf).argmax(-1) == labels)


def only_right(right: NDArray) -> NDArray:
    """Return where a classifier alone is right, and no other one: ``(T, n)`` boolean of :func:`right_windows`, likewise."""
    return right & (right.sum(0) == 1)


def q_statistic(one: NDArray, other: NDArray) -> float | None:
    """Return Yule's Q of two classifiers: 1 where both are right on the same windows, 0 where they are independent.

    Paper: Measures of Diversity in Classifier Ensembles and Their Relationship with the Ensemble Accuracy (Kuncheva and
    Whitaker, Machine Learning 51, 2003), https://doi.org/10.1023/A:1022859003006

    Args:
        one (ndarray): Where the first is right, boolean, ``(n, )``.
        other (ndarray): Where the second is right.

    Returns:
        float, optional: From −1 to 1; None where it is 0 / 0, as for a classifier that is always right.
    """
    both, neither = int((one & other).sum()), int((~one & ~other).sum())
    first, second = int((one & ~other).sum()), int((~one & other).sum())
    total = both * neither + first * second
    return (both * neither - first * second) / total if total else None


def double_fault(one: NDArray, other: NDArray) -> float:
    """Return the share of the windows on which both are wrong, the double-fault measure of Kuncheva and Whitaker (2003).

    Args:
        one (ndarray): Where the first is right, boolean, ``(n, )``.
        other (ndarray): Where the second is right.
    """
    return float((~one & ~other).mean())


def brier_score(logits: NDArray, labels: NDArray) -> float:
    """Return the mean squared distance of probabilities from the true class, from 0 to 2.

    Paper: Verification of Forecasts Expressed in Terms of Probability (Brier, Monthly Weather Review 78, 1950), equation 2.

    Args:
        logits (ndarray): ``(n, K)``.
        labels (ndarray): ``(n, )``, from 0.
    """
    from scipy.special import softmax

    distances = softmax(logits.astype(np.float64), axis=1) - np.eye(logits.shape[1])[labels]  # (n, K)
    return float((distances**2).sum(1).mean())


def class_changes(right: NDArray, other: NDArray, labels: NDArray, classes: Sequence[str]) -> dict[str, float]:
    """Return by how many points the recall of each class with a window is higher than another classifier's.

    Args:
        right (ndarray): Where the classifier is right, boolean, ``(n, )``.
        other (ndarray): Where the other one is right.
        labels (ndarray): ``(n, )``.
        classes (Sequence[str]): Names of the classes.
    """
    change = right.astype(np.float64) - other  # (n, )
    return {name: 100 * float(change[labels == label].mean()) for label, name in enumerate(classes) if (labels == label).any()}
