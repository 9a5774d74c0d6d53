"""The one loop over windows: run a network over the windows of a data set in order and keep its responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

__all__ = ['Predictions', 'Responds', 'batches_in_order', 'evaluating', 'predict_windows']


class Responds(Protocol):
    """Anything that gives logits for the windows of a batch: a distiller, or a session of an exported network."""

    def respond(self, data: dict, name: str | None = None) -> dict[str, Tensor]:
        """Return ``logits`` ``(N, K)``, and further values per window ``(N, ...)``, for a batch as the loader gives it.

        With ``present``, ``(N, )`` boolean, windows are left out that lack what the network reads.
        """


@dataclass(frozen=True)
class Predictions:
    """Responses of one network to n windows, in the order of the windows.

    Attributes:
        logits (Tensor): ``(n, K)``, on the CPU.
        labels (Tensor): ``(n, )``; −1 is a window of no known class, an anomaly.
        window_ids (tuple[str, ...]): Names of the windows; their indices where a data set names none.
        samples (tuple[DataSample, ...]): Labels and origins of the windows, as the pipeline has packed them.
        fields (dict[str, Tensor]): Further values per window, each ``(n, ...)``: a detector gives ``anomaly_score`` and
            ``pred_anomaly``.
    """

    logits: Tensor
    labels: Tensor
    window_ids: tuple[str, ...]
    samples: tuple[DataSample, ...]
    fields: dict[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def accuracy(self) -> float:
        """Share of the windows whose class has the highest logit, from 0 to 1."""
        return (self.logits.argmax(1) == self.labels).double().mean().item()

    def known(self) -> Predictions:
        """Return the part whose windows are of a known class; anomalies have none that a classifier could name."""
        rows = torch.nonzero(self.labels >= 0).flatten()
        if len(rows) == len(self):
            return self
        return Predictions(
            self.logits[rows],
            self.labels[rows],
            tuple(self.window_ids[row] for row in rows),
            tuple(self.samples[row] for row in rows),
            {name: values[rows] for name, values in self.fields.items()},
        )

    def records(self) -> list[dict]:
        """Return what the host's metrics read of every window: its sample as a dict, ``pred_score`` and ``pred_label``."""
        scores = self.logits.softmax(1)  # (n, K)
        fields = {'pred_score': scores, 'pred_label': scores.argmax(1, keepdim=True), **self.fields}
        columns = zip(*fields.values())
        return [{**sample.to_dict(), **dict(zip(fields, row))} for sample, row in zip(self.samples, columns)]


@contextmanager
def evaluating(model: nn.Module | object) -> Iterator[None]:
    """Run a block in eval mode and without gradients, and put the mode back afterwards.

    Not in torch's inference mode: what a module keeps from its first call, a transform's matrix for example, could not be
    trained with later.
    """
    module = model if isinstance(model, nn.Module) else None
    training = module is not None and module.training
    if module is not None:
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        if module is not None and training:
            module.train()


def batches_in_order(loader: DataLoader, dataset: Dataset | None = None, batch_size: int | None = None) -> Iterable[dict]:
    """Return the batches of a loader's data set one after another, the same ones in every process.

    The loader's own sampler would shuffle, or give each process a part. No global random state is drawn from, so that a look
    at the windows does not change a run.

    Args:
        loader (DataLoader): Gives collate function, workers and what is not given here.
        dataset (Dataset, optional): Takes the place of the loader's.
        batch_size (int, optional): Takes the place of the loader's.

    Returns:
        Iterable[dict]: Batches.
    """
    return DataLoader(
        loader.dataset if dataset is None else dataset,
        batch_size=batch_size or loader.batch_size,
        shuffle=False,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        worker_init_fn=loader.worker_init_fn,
        pin_memory=loader.pin_memory,
        generator=torch.Generator(),
    )


def predict_windows(network: Responds, batches: Iterable[dict], name: str | None = None) -> Predictions:
    """Run a network over windows.

    Args:
        network (Responds): A distiller, or anything else with ``respond``.
        batches (Iterable[dict]): As :func:`batches_in_order` gives them.
        name (str, optional): Which network of a distiller; by default what the distiller itself predicts.

    Returns:
        Predictions: Of all windows that have what the network reads, in order.

    Raises:
        ValueError: There is no such window.
    """
    samples: list[DataSample] = []
    responses: list[dict[str, Tensor]] = []
    with evaluating(network):
        for data in batches:
            response = {key: values.cpu() for key, values in network.respond(data, name).items()}
            batch, present = data['data_samples'], response.pop('present', None)
            if present is not None:
                rows = torch.nonzero(present).flatten()
                response, batch = {k: values[rows] for k, values in response.items()}, [batch[row] for row in rows]
            responses.append(response)
            samples += batch
    if not samples:
        raise ValueError('there is no window to predict')
    fields = {key: torch.cat([response[key] for response in responses]) for key in responses[0]}
    labels = torch.cat([sample.gt_label for sample in samples])
    window_ids = tuple(str(sample.get('window_id', index)) for index, sample in enumerate(samples))
    return Predictions(fields.pop('logits'), labels, window_ids, tuple(samples), fields)
