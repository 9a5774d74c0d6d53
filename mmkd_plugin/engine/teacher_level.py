"""Teachers on the validation windows: those that know no more than guessing are not worth distilling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

from torch.utils.data import DataLoader

from .inference import Predictions, Responds, batches_in_order, predict_windows

__all__ = ['HasTeachers', 'chance_faults', 'predict_teachers']


class HasTeachers(Responds, Protocol):
    """A model with frozen networks by name."""

    teachers: Mapping[str, Any]


def predict_teachers(model: HasTeachers, loader: DataLoader) -> dict[str, Predictions]:
    """Return the responses of every teacher to the windows of a loader.

    Args:
        model (HasTeachers): Whose teachers.
        loader (DataLoader): Of the validation split.
    """
    return {name: predict_windows(model, batches_in_order(loader), name) for name in model.teachers}


def chance_faults(teachers: Mapping[str, Predictions]) -> list[str]:
    """Name the teachers at chance level, and those that see one class everywhere.

    Args:
        teachers (Mapping[str, Predictions]): From :func:`predict_teachers`.

    Returns:
        list[str]: One sentence for each such teacher.
    """
    faults = []
    for name, predictions in teachers.items():
        classes, windows, predicted = predictions.logits.shape[1], len(predictions), predictions.logits.argmax(1)
        # Two standard deviations above what guessing gives on so many windows.
        chance = 1 / classes + 2 * math.sqrt((1 - 1 / classes) / classes / windows)
        accuracy = predictions.accuracy
        if accuracy <= chance:
            faults.append(
                f"teacher '{name}' is at chance level: {100 * accuracy:.1f} % on validation, guessing gives up to "
                f'{100 * chance:.1f} %'
            )
        elif len(predicted.unique()) == 1 and len(predictions.labels.unique()) > 1:
            faults.append(f"teacher '{name}' gives the same class for all {windows} validation windows")
    return faults
