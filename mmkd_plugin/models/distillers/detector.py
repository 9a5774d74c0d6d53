"""Anomaly detection: a student that was distilled on normal windows only departs from its teachers on others."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmkd_plugin.engine import evaluating
from mmkd_plugin.registry import MODELS, build_checked

from .distiller import Distiller
from .faults import given
from .lazy_taps import LazyTaps

__all__ = ['AnomalyDetector']

DETECTOR = 'detector'  # the name of student and teachers together, beside the names of the networks


@MODELS.register_module()
class AnomalyDetector(Distiller):
    """Distiller whose transfers are read as scores: how far student and teacher are apart on a window.

    After "Enhancing time series anomaly detection: a knowledge distillation approach with image transformation" (Sensors 2024).
    score(window) = Σ distance of the transfers, without their weights; a window above the threshold is an anomaly. Detection
    needs the teachers, so all views are made; the student alone still classifies.

    Some normal classes are harder to distil than others, and an odd window of an easy class may score below a usual window of
    a hard class. With ``normalize='class'`` every distance is standardised by the mean and the standard deviation of the
    training windows of the class that the student predicts; before the detector is calibrated, distances stay as they are.

    Args:
        score (list[str], optional): Names of the transfers that score; all transfers by default.
        quantile (float): Share of normal validation windows whose scores lie below the threshold.
        normalize (str, optional): 'class', or None for the distances as they are.
        baselines (dict, optional): ``{name: config of a SimpleDetector}``: detectors that are fitted to the training windows as
            the student sees them, and tested on the same windows as this one. Their thresholds are of the same quantile.
        **distiller: See :class:`Distiller`.

    Raises:
        ValueError: ``score`` names a transfer that does not exist, or no transfer; a network is called 'detector' or as a
            baseline is; the quantile is not between 0 and 1; ``normalize`` is unknown; a baseline cannot be built.
    """

    reads_teachers = True  # in a prediction, so that a window must have what they read

    def __init__(
        self,
        score: list[str] | None = None,
        quantile: float = 0.95,
        normalize: str | None = None,
        baselines: dict | None = None,
        **distiller,
    ) -> None:
        # First: whoever asks for views below asks for those of a baseline too.
        self.baselines = {n: build_checked(cfg, MODELS, f"baseline '{n}'") for n, cfg in given(baselines).items()}
        super().__init__(**distiller)
        self.score = tuple(self.transfers if score is None else score)
        unknown = [name for name in self.score if name not in self.transfers]
        if unknown or not self.score:
            raise ValueError(f'score must name transfers out of {", ".join(self.transfers) or "none"}, got {list(self.score)}')
        networks = {*self.learners, *self.teachers}
        if DETECTOR in {*networks, *self.baselines}:
            raise ValueError(f"'{DETECTOR}' is the name of student and teachers together; give the network another name")
        taken = sorted(networks & set(self.baselines))
        if taken:
            raise ValueError(f"'{taken[0]}' is the name of a network and of a baseline; give the baseline another name")
        if not 0 < quantile < 1:
            raise ValueError(f'quantile must be between 0 and 1, got {quantile}')
        if normalize not in (None, 'class'):
            raise ValueError(f"normalize must be 'class' or None, got {normalize!r}")
        self.quantile, self.normalize = quantile, normalize
        self.limits: dict[str, float] = {}  # thresholds of the baselines
        self.register_buffer('threshold', torch.tensor(float('nan')))
        shape = (len(self.score), self.data_preprocessor.num_classes)
        self.register_buffer('usual', torch.zeros(shape))  # (transfers, K)
        self.register_buffer('spread', torch.ones(shape))

    def roles(self) -> dict[str, str]:
        """Return the roles of the learners and, last, of the detector itself and of its baselines."""
        return {**super().roles(), **dict.fromkeys((DETECTOR, *self.baselines), 'detector')}

    def views_of(self, name: str) -> tuple[str, ...]:
        """Return the views that a network needs; the detector needs those of the student and of all teachers.

        A baseline needs the first view of the student.
        """
        if name in self.baselines:
            return super().views_of(self.deployed)[:1]
        if name != DETECTOR:
            return super().views_of(name)
        parts = [self.deployed, *self.teachers]
        return tuple(dict.fromkeys(view for part in parts for view in Distiller.views_of(self, part)))

    def modules_of(self, name: str) -> list[nn.Module]:
        """Return the modules that a response goes through: of the detector all of them, of a baseline none."""
        if name in self.baselines:
            return []
        return super().modules_of(name) if name != DETECTOR else [self, *self.teachers.values()]

    def inference_views(self) -> tuple[str, ...]:
        """Return the views that a score needs."""
        return self.views_of(DETECTOR)

    def respond(self, data: dict, name: str | None = None) -> dict[str, Tensor]:
        """Return the response of the detector, by default, of one network or of a baseline to a batch of windows.

        Args:
            data (dict): A batch as the loader gives it.
            name (str, optional): Of a learner, a teacher or a baseline, or 'detector'.

        Returns:
            dict[str, Tensor]: ``logits`` ``(N, K)``, NaN of a baseline, which names no class; of a detector also
            ``anomaly_score`` ``(N, )`` and, above the threshold, ``pred_anomaly`` ``(N, )``.
        """
        if name is not None and name in self.baselines:
            scores = self.baselines[name].score(self._windows(data))
            logits = scores.new_full((len(scores), self.data_preprocessor.num_classes), float('nan'))
            return {'logits': logits, 'anomaly_score': scores, 'pred_anomaly': scores > self.limits[name]}
        if name not in (None, DETECTOR):
            return super().respond(data, name)
        return self._detect(LazyTaps(self, self._views(data)))

    def _detect(self, taps: LazyTaps) -> dict[str, Tensor]:
        scores = self._scores(taps)
        return {
            'logits': taps[self.deployed].logits,
            'anomaly_score': scores,
            'pred_anomaly': scores > self.threshold,
        }

    def scores(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return how far the student departs from its teachers.

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
        """Return the distance of every transfer, ``(transfers, N)``, and the classes that the student predicts, ``(N, )``."""
        classes = taps[self.deployed].logits.argmax(1)
        # Labels are not known here; transfers that score do not read them.
        return torch.stack([self.transfers[name].per_sample(taps, torch.zeros_like(classes)) for name in self.score]), classes

    def forward(self, inputs: dict[str, Tensor], data_samples: list[DataSample] | None = None, mode: str = 'tensor'):
        """Run the model as a distiller; predictions also carry ``anomaly_score`` and ``pred_anomaly``."""
        if mode != 'predict':
            return super().forward(inputs, data_samples, mode)
        response = self._detect(LazyTaps(self, inputs))
        predictions = self.judge(self.deployed).predict(response.pop('logits'), data_samples)
        for name, values in response.items():
            for sample, value in zip(predictions, values):
                sample.set_field(value, name)
        return predictions

    def calibrate(self, training: Iterable[dict], validation: Iterable[dict]) -> float:
        """Learn the usual distances of each class, and set the threshold to the quantile of the scores of normal windows.

        Args:
            training (Iterable[dict]): Batches of the training split, read where ``normalize='class'`` and by baselines.
            validation (Iterable[dict]): Batches of the validation split.

        Returns:
            float: The threshold.
        """
        with evaluating(self):
            if self.normalize == 'class':
                seen = [self._distances(LazyTaps(self, self._views(data))) for data in training]
                self._learn_usual(torch.cat([d for d, _ in seen], 1), torch.cat([k for _, k in seen]))
            scores = torch.cat([self.scores(self._views(data)) for data in validation])
            self.threshold.fill_(torch.quantile(scores.double(), self.quantile).item())
            if self.baselines:
                self._fit_baselines(training, validation)
        return self.threshold.item()

    def _fit_baselines(self, training: Iterable[dict], validation: Iterable[dict]) -> None:
        windows, others = (torch.cat([self._windows(data) for data in batches]) for batches in (training, validation))
        for name, baseline in self.baselines.items():
            baseline.fit(windows)
            self.limits[name] = torch.quantile(baseline.score(others).double(), self.quantile).item()

    def _windows(self, data: dict) -> Tensor:
        """Return the windows of a batch as the student sees them, ``(N, C, *S)``."""
        views = super().views_of(self.deployed)[:1]
        return self.data_preprocessor.encode(data, views)[views[0]]

    def _views(self, data: dict) -> dict[str, Tensor]:
        return self.data_preprocessor.encode(data, self.views_of(DETECTOR))

    def _learn_usual(self, distances: Tensor, classes: Tensor) -> None:
        """Keep mean and deviation of distances ``(transfers, N)`` by class ``(N, )``.

        A class with fewer than two windows gets those of all windows.
        """
        for k in range(self.usual.shape[1]):
            chosen = distances[:, classes == k] if (classes == k).sum() > 1 else distances
            self.usual[:, k] = chosen.mean(1)
            self.spread[:, k] = chosen.std(1).clamp_min(torch.finfo(chosen.dtype).tiny)
