"""Anomaly detection: a student that has followed its teacher on normal windows only departs from it elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmkd_plugin.registry import MODELS

from .distiller import Distiller
from .lazy_taps import LazyTaps

__all__ = ['AnomalyDetector']


@MODELS.register_module()
class AnomalyDetector(Distiller):
    """A distiller whose arrows are read as scores: how far student and teacher are apart on a window.

    After "Enhancing time series anomaly detection: a knowledge distillation approach with image transformation" (Sensors 2024).
    score(window) = Σ distance of the arrows, without their weights; a window above the threshold is an anomaly. Teachers are
    needed to detect, so all views are made; the student alone still classifies.

    Args:
        score (list[str], optional): Which arrows; all of them by default.
        quantile (float): Share of normal validation windows that the threshold leaves below it.
        **distiller: See :class:`Distiller`.

    Raises:
        ValueError: An arrow in ``score`` is not there, or there is none; the quantile is not between 0 and 1.
    """

    def __init__(self, score: list[str] | None = None, quantile: float = 0.95, **distiller) -> None:
        super().__init__(**distiller)
        self.score = tuple(self.transfers if score is None else score)
        unknown = [name for name in self.score if name not in self.transfers]
        if unknown or not self.score:
            raise ValueError(f'score must name transfers out of {", ".join(self.transfers) or "none"}, got {list(self.score)}')
        if not 0 < quantile < 1:
            raise ValueError(f'quantile must be between 0 and 1, got {quantile}')
        self.quantile = quantile
        self.register_buffer('threshold', torch.tensor(float('nan')))

    def inference_views(self) -> tuple[str, ...]:
        """Views that a score needs: those of the student and of all teachers."""
        return tuple({view for name in [self.deployed, *self.teachers] for view in self.views_of(name)})

    def scores(self, inputs: dict[str, Tensor]) -> Tensor:
        """Departure of the student from its teachers.

        Args:
            inputs (dict[str, Tensor]): Views.

        Returns:
            Tensor: ``(N, )``, from 0.
        """
        return self._scores(LazyTaps(self, inputs))

    def _scores(self, taps: LazyTaps) -> Tensor:
        # Labels are not known here; arrows that score do not ask for them.
        labels = torch.zeros(len(taps[self.deployed].logits), dtype=torch.long, device=self.threshold.device)
        return sum(self.transfers[name].per_sample(taps, labels) for name in self.score)

    def forward(self, inputs: dict[str, Tensor], data_samples: list[DataSample] | None = None, mode: str = 'tensor'):
        """As the distiller's; a prediction also has ``anomaly_score`` and, above the threshold, ``pred_anomaly``."""
        if mode != 'predict':
            return super().forward(inputs, data_samples, mode)
        taps = LazyTaps(self, inputs)
        predictions = self.judge(self.deployed).predict(taps[self.deployed].logits, data_samples)
        for sample, score in zip(predictions, self._scores(taps)):
            sample.set_field(score, 'anomaly_score')
            sample.set_field(score > self.threshold, 'pred_anomaly')
        return predictions

    @torch.no_grad()
    def calibrate(self, batches: Iterable[dict]) -> float:
        """Set the threshold to the quantile of the scores of normal windows.

        Args:
            batches (Iterable[dict]): Of the validation split.

        Returns:
            float: The threshold.
        """
        training = self.training
        self.eval()
        found = torch.cat([self.scores(self.data_preprocessor(data, False)['inputs']) for data in batches])
        self.train(training)
        self.threshold.fill_(torch.quantile(found.double(), self.quantile).item())
        return self.threshold.item()
