"""BaseNetwork: what every network of a distiller offers, however its taps come about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmkd_plugin.structures import Taps

__all__ = ['BaseNetwork']


class BaseNetwork(BaseModule):
    """A classifier of samples of one view, read at the taps; a subclass says how it is run.

    Attributes:
        sample_shape (tuple[int, ...]): Shape of one sample, ``(C, *S)``.
        head (Any): The host's head, which computes label loss and predictions from logits.
        stored (bool): Whether its outputs lie in a file, so that nothing is computed.
    """

    sample_shape: tuple[int, ...]
    head: Any
    stored = False

    @property
    def classifier(self) -> nn.Linear | None:
        """The classifier where it is one linear layer after global average pooling, else None."""
        return None

    @property
    def classifier_kind(self) -> str:
        """Kind of the classifier, for messages."""
        return type(self.head).__name__

    def complete(self, stages: tuple[Tensor, ...], embedding: Tensor, logits: Tensor) -> Taps:
        """Return the taps of outputs of this network, computed now or before, with its classifier."""
        weight, bias = (self.classifier.weight, self.classifier.bias) if self.classifier is not None else (None, None)
        return Taps(stages, embedding, logits, weight, classifier_bias=bias, head=self.classifier_kind)

    def assemble(self, outputs: Mapping[str, Tensor]) -> Taps:
        """Return the taps of outputs by name, as 'logits' and 'stages.2'; one that is not there is None, of the stages too."""
        depth = 1 + max((int(tap.split('.')[1]) for tap in outputs if tap.startswith('stages.')), default=-1)
        stages = tuple(outputs.get(f'stages.{level}') for level in range(depth))
        # The types promise every tap: an address of one that is not there is refused when the model is built.
        return self.complete(cast(tuple[Tensor, ...], stages), cast(Tensor, outputs.get('embedding')), outputs['logits'])

    def own_weights(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights of a checkpoint by the names that they have in this network."""
        return state

    def loss(self, logits: Tensor, data_samples: list[DataSample]) -> Tensor:
        """Return the head's label loss of logits ``(N, K)``, a scalar."""
        # The head's public loss() starts from features and would run its layers again.
        return self.head._get_loss(logits, data_samples)['loss']

    def predict(self, logits: Tensor, data_samples: list[DataSample] | None) -> list[DataSample]:
        """Write ``pred_score`` and ``pred_label`` of logits ``(N, K)`` into the data samples."""
        return self.head._get_predictions(logits, data_samples)
