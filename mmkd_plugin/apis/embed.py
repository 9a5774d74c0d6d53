"""Embeddings of test windows by the networks of a finished run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import numpy as np
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings
from torch import Tensor
from torch.utils.data import Subset

from mmkd_plugin.engine import Predictions, batches_in_order, predict_windows
from mmkd_plugin.fileio import file_hash
from mmkd_plugin.models.distillers import Distiller, LazyTaps

from .predict import build_loader, load_deployed

__all__ = ['embed_windows']


class _Embedder:
    """The embeddings of a distiller's only network, beside its logits."""

    def __init__(self, model: Distiller) -> None:
        self.model = model.eval()

    def respond(self, data: dict, name: str | None = None) -> dict[str, Tensor]:
        """Return ``logits`` ``(N, K)`` and ``embedding`` ``(N, C)``."""
        model = self.model
        views = model.views_of(model.deployed)
        inputs = model.data_preprocessor.encode(data, views)
        taps = LazyTaps(model, inputs)[model.deployed]
        return {'logits': taps.logits, 'embedding': taps.embedding}


def embed_windows(resolved: str, networks: Iterable[Mapping], most: int = 300) -> dict[str, Predictions]:
    """Return the embeddings of test windows by the exported networks of a run, best on validation.

    Args:
        resolved (str): Config of the run as JSON, as its record holds that.
        networks (Iterable[Mapping]): Rows of the record's networks; teachers and the student are run.
        most (int): Of more windows, so many are taken at equal distances.

    Returns:
        dict[str, Predictions]: By name of the network; ``fields['embedding']`` is ``(n, C)``.

    Raises:
        FileNotFoundError: A checkpoint or the data are not there any more.
        ValueError: A checkpoint is not the one that the record names.
    """
    cfg = Config(json.loads(resolved))
    import_modules_from_strings(**cfg.get('custom_imports', {'imports': []}))
    loader, predictions = build_loader(cfg, 'test'), {}
    total = len(loader.dataset)  # type: ignore[arg-type]  # a map-style data set
    part = Subset(loader.dataset, np.unique(np.linspace(0, total - 1, min(most, total)).round().astype(int)).tolist())
    for row in networks:
        if row['role'] not in ('teacher', 'student'):
            continue
        path = row['checkpoint']
        if path is None or file_hash(path) != row['sha256']:
            raise ValueError(f'{path} is not the checkpoint of {row["name"]} that the record names')
        model = load_deployed(cfg, path, loader, row['name'] if row['role'] == 'teacher' else None)
        predictions[row['name']] = predict_windows(_Embedder(model), batches_in_order(loader, part))
    return predictions
