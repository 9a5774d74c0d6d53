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
    """A distiller whose transfers are read as scores: how far student and teacher are apart on a window.

    After "Enhancing time series anomaly detection: a knowledge distillation approach with image transformation" (Sensors 2024).
    score(window) = Σ distance of the transfers, without their weights; a window above the threshold is an anomaly. Teachers are
    needed to detect, so all views are made; the student alone still classifies.

    Some normal classes are harder to follow than others, and a window of an easy one that is odd may score below a usual one
    of a hard class. With ``normalize='class'`` every distance is counted in standard deviations from the mean of the training
    windows of the class that the student takes the window for; until the detector is calibrated, as it stands.

    Args:
        score (list[str], optional): Which transfers; all of them by default.
        quantile (float): Share of normal validation windows that the threshold leaves below it.
        normalize (str, optional): 'class', or None for the distances as they are.
        **distiller: See :class:`Distiller`.

    Raises:
        ValueError: A transfer in ``score`` is not there, or there is none; the quantile is not between 0 and 1; ``normalize``
            is unknown.
    """

    def __init__(
        self, score: list[str] | None = None, quantile: float = 0.95, normalize: str | None = None, **distiller
    ) -> None:
        super().__init__(**distiller)
        self.score = tuple(self.transfers if score is None else score)
        unknown = [name for name in self.score if name not in self.transfers]
        if unknown or not self.score:
            raise ValueError(f'score must name transfers out of {", ".join(self.transfers) or "none"}, got {list(self.score)}')
        if not 0 < quantile < 1:
            raise ValueError(f'quantile must be between 0 and 1, got {quantile}')
        if normalize not in (None, 'class'):
            raise ValueError(f"normalize must be 'class' or None, got {normalize!r}")
        self.quantile, self.normalize = quantile, normalize
        self.register_buffer('threshold', torch.tensor(float('nan')))
        shape = (len(self.score), self.data_preprocessor.num_classes)
        self.register_buffer('usual', torch.zeros(shape))  # (transfers, K)
        self.register_buffer('spread', torch.ones(shape))

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
        distances, classes = self._distances(taps)
        return ((distances - self.usual[:, classes]) / self.spread[:, classes]).sum(0)

    def _distances(self, taps: LazyTaps) -> tuple[Tensor, Tensor]:
        """Of every transfer, ``(transfers, N)``, and the classes that the student sees, ``(N, )``."""
        classes = taps[self.deployed].logits.argmax(1)
        # Labels are not known here; transfers that score do not ask for them.
        return torch.stack([self.transfers[name].per_sample(taps, torch.zeros_like(classes)) for name in self.score]), classes

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
    def calibrate(self, training: Iterable[dict], validation: Iterable[dict]) -> float:
        """Learn what is usual for each class, and set the threshold to the quantile of the scores of normal windows.

        Args:
            training (Iterable[dict]): Batches of the training split, read where ``normalize='class'``.
            validation (Iterable[dict]): Batches of the validation split.

        Returns:
            float: The threshold.
        """
        mode = self.training
        self.eval()
        if self.normalize == 'class':
            found = [self._distances(LazyTaps(self, self._views(data))) for data in training]
            self._learn_usual(torch.cat([d for d, _ in found], 1), torch.cat([k for _, k in found]))
        scores = torch.cat([self.scores(self._views(data)) for data in validation])
        self.train(mode)
        self.threshold.fill_(torch.quantile(scores.double(), self.quantile).item())
        return self.threshold.item()

    def _views(self, data: dict) -> dict[str, Tensor]:
        return self.data_preprocessor(data, False)['inputs']

    def _learn_usual(self, distances: Tensor, classes: Tensor) -> None:
        """Mean and deviation of ``(transfers, N)`` by class ``(N, )``; a class hardly seen gets those of all windows."""
        for k in range(self.usual.shape[1]):
            mine = distances[:, classes == k] if (classes == k).sum() > 1 else distances
            self.usual[:, k], self.spread[:, k] = mine.mean(1), mine.std(1).clamp_min(torch.finfo(mine.dtype).tiny)
