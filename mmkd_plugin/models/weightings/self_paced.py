"""Weights that fade as the student catches up with its teachers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmengine.dist import broadcast
from torch import Tensor, nn

from mmkd_plugin.functional import expert_weights
from mmkd_plugin.registry import MODELS
from mmkd_plugin.structures import check_number, check_whole, unknown_name

__all__ = ['SelfPaced']


@MODELS.register_module()
class SelfPaced(nn.Module):
    """Weight 1 of a teacher while the student's validation accuracy is at most α times the teacher's, then falling to 0.

    LFME, self-paced expert selection: Xiang, Ding & Han, "Learning From Multiple Experts" (ECCV 2020,
    https://arxiv.org/abs/2001.01536). Accuracies are those of a teacher's own classes on the validation windows, which take
    part in the training by that. ``AccuracyHook`` measures them before every epoch but the first, in which weights are 1; they
    are kept in the checkpoint. The weights do not sum to 1: each teacher is a term of its own.

    Departure: the published experts have learned some classes each and see no others; here a teacher answers for all classes.

    Args:
        names (Sequence[str]): Names of the source networks, given by the transfer.
        alpha (float): α, the share of a teacher's accuracy up to which its weight is 1; at least 0, below 1.
        classes (dict[str, list[int]], optional): Labels that a teacher is an expert of, by its name; all without an entry.

    Raises:
        ValueError: α is out of range, or ``classes`` names another network or holds no labels.
    """

    student_accuracy: Tensor
    teacher_accuracy: Tensor

    def __init__(self, names: Sequence[str], alpha: float = 0.3, classes: Mapping[str, Sequence[int]] | None = None) -> None:
        super().__init__()
        self.names, self.alpha = tuple(names), check_number('alpha', alpha, high=1)
        if self.alpha == 1:
            raise ValueError('alpha must be below 1')
        self.classes: dict[str, tuple[int, ...]] = {}
        for name, labels in (classes or {}).items():
            if name not in self.names:
                raise ValueError(f'classes: {unknown_name("source", name, self.names)}')
            if isinstance(labels, (str, int)) or not labels:
                raise ValueError(f"classes of '{name}' must be a list of labels, got {labels!r}")
            self.classes[name] = tuple(check_whole(f"a label of '{name}'", label, least=0) for label in labels)
        self.register_buffer('student_accuracy', torch.zeros(len(self.names)))
        self.register_buffer('teacher_accuracy', torch.full((len(self.names),), torch.nan))

    def bind(self, classes: Sequence[int]) -> None:
        """Check the labels of :attr:`classes`.

        Args:
            classes (Sequence[int]): Number of classes of each source and of the student.

        Raises:
            ValueError: A label is that of no class.
        """
        for name, labels in self.classes.items():
            if max(labels) >= min(classes):
                raise ValueError(f"classes of '{name}': labels go from 0 to {min(classes) - 1}, got {max(labels)}")

    def observe(self, predict: Callable[[str], Any], target: str | None = None) -> None:
        """Measure the student, and the teachers unless they are measured already.

        Args:
            predict (Callable): Returns the ``Predictions`` of a network, by its name, on the validation windows.
            target (str, optional): Name of the network that learns; without the name, the teachers alone are measured.

        Raises:
            ValueError: No validation window is of the classes of a teacher.
        """
        if self.teacher_accuracy.isnan().any():
            self.teacher_accuracy.copy_(torch.tensor([self._accuracy(predict(name), name) for name in self.names]))
        if target is not None:
            self.student_accuracy.copy_(torch.tensor([self._accuracy(predict(target), name) for name in self.names]))
            broadcast(self.student_accuracy)  # running statistics differ between processes

    def _accuracy(self, predictions: Any, teacher: str) -> float:
        """Return the accuracy on the windows of a teacher's classes."""
        correct = predictions.logits.argmax(1) == predictions.labels
        if teacher in self.classes:
            correct = correct[torch.isin(predictions.labels, torch.tensor(self.classes[teacher]))]
            if not len(correct):
                raise ValueError(f"no validation window is of the classes {list(self.classes[teacher])} of teacher '{teacher}'")
        return correct.double().mean().item()

    def forward(self, logits: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the weights of the teachers.

        Args:
            logits (Sequence[Tensor]): Logits of each source, ``(N, K)``, not used.
            labels (Tensor): ``(N, )``.

        Returns:
            Tensor: ``(T, N)``.
        """
        weights = expert_weights(self.student_accuracy, self.teacher_accuracy, self.alpha)
        return weights.nan_to_num(1.0)[:, None].expand(-1, labels.shape[0])  # (T, N)
