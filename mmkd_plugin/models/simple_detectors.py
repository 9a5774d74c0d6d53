"""Simple detectors of anomalies, which stand beside a distilled one: they learn nothing but the training windows."""

from __future__ import annotations

import torch
from torch import Tensor

from mmkd_plugin.functional import channel_summary
from mmkd_plugin.registry import MODELS

__all__ = ['NearestWindows', 'PrincipalComponents', 'SimpleDetector']

FEATURES = ('windows', 'summary')


class SimpleDetector:
    """Base of the simple detectors; a subclass fits features and scores them.

    Args:
        features (str): 'windows', the samples as they are, or 'summary', five numbers of each channel from
            :func:`~mmkd_plugin.functional.channel_summary`, each scaled to deviation 1 on the training windows.

    Raises:
        ValueError: ``features`` is unknown.
    """

    def __init__(self, features: str = 'windows') -> None:
        if features not in FEATURES:
            raise ValueError(f'features must be one of {", ".join(FEATURES)}; got {features!r}')
        self.features = features
        self.fitted = False

    def fit(self, windows: Tensor) -> None:
        """Learn from normal windows ``(N, C, *S)``."""
        features = self._features(windows)
        self.center, self.scale = features.mean(0), torch.ones(features.shape[1], dtype=features.dtype)
        if self.features == 'summary':
            deviation = features.std(0, correction=0)
            self.scale = torch.where(deviation > 0, deviation, 1.0)
        self._fit((features - self.center) / self.scale)
        self.fitted = True

    def score(self, windows: Tensor) -> Tensor:
        """Return how unusual windows ``(N, C, *S)`` are, ``(N, )``.

        Raises:
            RuntimeError: The detector has seen no training window.
        """
        if not self.fitted:
            raise RuntimeError(f'{type(self).__name__} has no training windows to score by; calibrate the detector first')
        return self._score((self._features(windows) - self.center) / self.scale).float()

    def _features(self, windows: Tensor) -> Tensor:
        windows = windows.double().cpu()
        return windows.flatten(1) if self.features == 'windows' else channel_summary(windows.flatten(2))

    def _fit(self, features: Tensor) -> None:
        raise NotImplementedError(f'{type(self).__name__} defines no _fit()')

    def _score(self, features: Tensor) -> Tensor:
        raise NotImplementedError(f'{type(self).__name__} defines no _score()')


@MODELS.register_module()
class NearestWindows(SimpleDetector):
    """Mean Euclidean distance to the k nearest training windows (Angiulli & Pizzuti, PKDD 2002, who take the sum).

    Args:
        k (int): Number of neighbours; all training windows where there are fewer.
        **detector: See :class:`SimpleDetector`.

    Raises:
        ValueError: ``k`` is below 1.
    """

    def __init__(self, k: int = 5, **detector) -> None:
        super().__init__(**detector)
        if not isinstance(k, int) or k < 1:
            raise ValueError(f'k must be a number of neighbours from 1, got {k!r}')
        self.k = k

    def _fit(self, features: Tensor) -> None:
        # Imported here: it takes longer to import than all of this package, and most runs have no detector.
        from sklearn.neighbors import NearestNeighbors

        self.neighbours = NearestNeighbors(n_neighbors=min(self.k, len(features))).fit(features.numpy())

    def _score(self, features: Tensor) -> Tensor:
        return torch.from_numpy(self.neighbours.kneighbors(features.numpy())[0].mean(1))


@MODELS.register_module()
class PrincipalComponents(SimpleDetector):
    """Mean squared error of the reconstruction from principal components (Jackson & Mudholkar, Technometrics 1979, the sum: Q).

    Args:
        variance (float): Share of the variance of the training windows that the components explain.
        **detector: See :class:`SimpleDetector`.

    Raises:
        ValueError: ``variance`` is not between 0 and 1.
    """

    def __init__(self, variance: float = 0.95, **detector) -> None:
        super().__init__(**detector)
        if not 0 < variance < 1:
            raise ValueError(f'variance must be a share between 0 and 1, got {variance}')
        self.variance = variance

    def _fit(self, features: Tensor) -> None:
        from sklearn.decomposition import PCA

        self.components = PCA(self.variance, svd_solver='full').fit(features.numpy())

    def _score(self, features: Tensor) -> Tensor:
        kept = self.components.inverse_transform(self.components.transform(features.numpy()))
        return (features - torch.from_numpy(kept)).square().mean(1)
