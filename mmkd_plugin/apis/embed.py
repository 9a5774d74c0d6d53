"""Embeddings of windows by the networks of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from mmkd_plugin.engine import Predictions, batches_in_order, predict_windows
from mmkd_plugin.experiments.embeddings import Embedding, embedding_of, place, separation
from mmkd_plugin.fileio import deployed_learner, file_hash
from mmkd_plugin.models.distillers import Distiller, LazyTaps
from mmkd_plugin.visualization import ShownEmbedding

from .predict import build_loader, find_networks, load_deployed, metainfo_of

__all__ = ['embed_windows', 'network_embeddings', 'place_embeddings']


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
        if taps.embedding is None:  # of a module from elsewhere, whose taps the config names
            raise ValueError(f"'{model.deployed}' has no embedding: its outputs are {', '.join(taps.names())}")
        return {'logits': taps.logits, 'embedding': taps.embedding}


def embed_windows(resolved: str, networks: Iterable[Mapping], most: int = 300) -> dict[str, Predictions]:
    """Return the embeddings of test windows by the exported networks of a run, best on validation.

    Args:
        resolved (str): Config of the run as JSON, as its record holds that.
        networks (Iterable[Mapping]): Rows of the record's networks; teachers and the student are run, but no teacher
            whose outputs lie in a file.
        most (int): Of more windows, so many are taken at equal distances.

    Returns:
        dict[str, Predictions]: By name of the network; ``fields['embedding']`` is ``(n, C)``.

    Raises:
        FileNotFoundError: A checkpoint or the data are not there any more.
        ValueError: A checkpoint is not the one that the record names.
    """
    cfg = Config(json.loads(resolved))
    import_modules_from_strings(**cfg.get('custom_imports', {'imports': []}))
    stored = [name for name, entry in (cfg.model.get('teachers') or {}).items() if entry and entry.get('outputs')]
    rows = [row for row in networks if row['role'] in ('teacher', 'student') and row['name'] not in stored]
    for row in rows:
        path = row['checkpoint']
        if path is None or file_hash(path) != row['sha256']:
            raise ValueError(f'{path} is not the checkpoint of {row["name"]} that the record names')
    loader = build_loader(cfg, 'test')
    part = _choose(loader, most)
    return {
        row['name']: _embed(cfg, row['checkpoint'], loader, part, row['name'] if row['role'] == 'teacher' else None)
        for row in rows
    }


def network_embeddings(cfg: Config, checkpoint: str | Path, split: str = 'test', most: int = 300) -> list[Embedding]:
    """Return the embeddings of windows by the deployed learner and by its teachers.

    Args:
        cfg (Config): From :func:`mmkd_plugin.apis.load_config`.
        checkpoint (str | Path): Of a run, or of an exported network.
        split (str): 'train', 'val' or 'test'.
        most (int): Of more windows, so many are taken at equal distances; at least 5.

    Returns:
        list[Embedding]: The student's first.

    Raises:
        FileNotFoundError: A checkpoint does not exist, or a teacher has not been trained.
        ValueError: A checkpoint does not fit, or there are fewer than five windows.
    """
    if most < 5:
        raise ValueError(f'the number of windows must be at least 5, got {most}')
    loader = build_loader(cfg, split)
    part, metainfo = _choose(loader, most), metainfo_of(loader)
    if len(part) < 5:
        raise ValueError(f'a plane needs at least 5 windows; the {split} split has {len(part)}')
    data = Path(cfg.get('data') or 'the data').stem
    return [
        embedding_of(
            data,
            teacher or deployed_learner(cfg.model)[0],
            'student' if teacher is None else 'teacher',
            metainfo['classes'],
            _embed(cfg, path, loader, part, teacher, split),
        )
        for teacher, path in find_networks(cfg, checkpoint)
    ]


def place_embeddings(embeddings: Sequence[Embedding]) -> list[ShownEmbedding]:
    """Return embeddings on a plane, with the classes and subjects of their windows.

    Args:
        embeddings (Sequence[Embedding]): From :func:`network_embeddings`.
    """
    shown = []
    for each in embeddings:
        places = place(each.values)
        groups = {title: names for title, names in (('class', each.by_class()), ('subject', each.subjects)) if any(names)}
        separations = {title: separation(each.values, names) for title, names in groups.items()}
        if places is not None:  # five windows are there
            shown.append(ShownEmbedding(each.name, each.role, places, groups, separations))
    return shown


def _choose(loader: DataLoader, most: int) -> Subset:
    """Return windows of a loader's data set, at equal distances where there are more than wanted."""
    total = len(loader.dataset)  # type: ignore[arg-type]  # a map-style data set
    return Subset(loader.dataset, np.unique(np.linspace(0, total - 1, min(most, total)).round().astype(int)).tolist())


def _embed(
    cfg: Config, path: str | Path, loader: DataLoader, part: Subset, teacher: str | None, split: str = 'test'
) -> Predictions:
    model = load_deployed(cfg, path, loader, teacher, split)
    return predict_windows(_Embedder(model), batches_in_order(loader, part))
