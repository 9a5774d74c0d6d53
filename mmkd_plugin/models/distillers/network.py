"""Network: backbone, neck and head, run once and read at the taps."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.model import BaseModule
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.necks import GlobalAveragePooling
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS, build_checked, find_type
from mmkd_plugin.structures import Taps, accepted_arguments

__all__ = ['Network']


@MODELS.register_module()
class Network(BaseModule):
    """Backbone, neck and head of a classifier, any of them mmpretrain's.

    Names of weights are those of mmpretrain's ``ImageClassifier`` (``backbone.*``, ``neck.*``, ``head.*``), so that checkpoints
    go both ways. Sizes that follow from the data are not written in a config: the stem gets the view's channels, the head the
    numbers of classes and of features.

    Args:
        backbone (dict): Config of a backbone that returns its stages as a tuple, shallow to deep.
        sample_shape (tuple[int, ...]): Shape of one sample of the view, ``(C, *S)``.
        num_classes (int): Number of classes K.
        projector (dict, optional): A connector after the last stage, ``dict(type=..., out_channels=...)``; its output is one
            more stage, which the neck reads.
        neck (dict, optional): Global average pooling by default.
        head (dict, optional): ``LinearClsHead`` by default.
        init_cfg (dict, optional): See mmengine's BaseModule.

    Raises:
        ValueError: A part does not take an argument, or the backbone cannot read such a sample.
    """

    projector: nn.Module | None
    neck: nn.Module
    head: Any

    def __init__(
        self,
        backbone: dict,
        sample_shape: tuple[int, ...],
        num_classes: int,
        projector: dict | None = None,
        neck: dict | None = None,
        head: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.sample_shape = tuple(sample_shape)
        self.backbone = build_checked(backbone, MODELS, 'backbone')
        if 'in_channels' not in backbone:
            fit_stem(self.backbone, sample_shape[0])
        self.projector = None
        if projector is not None:
            self.projector = self._build_projector(projector, backbone['type'])
        self.neck = build_checked(neck or dict(type='GlobalAveragePooling', dim=len(sample_shape) - 1), MODELS, 'neck')
        feature = self.neck(self._probe_stages(backbone['type']))[-1]  # (1, C)
        self.head = self._build_head(head or dict(type='LinearClsHead'), num_classes, feature.shape[1])

    def _build_projector(self, projector: dict, kind: str) -> nn.Module:
        shape = tuple(self._probe_stages(kind)[-1].shape[1:])
        projector = dict(projector)
        if 'out_channels' not in projector:
            raise ValueError('projector needs out_channels, the number of channels that its output has')
        goal = (projector.pop('out_channels'), *shape[1:])
        return build_checked(projector, MODELS, 'projector', in_shape=shape, goal=goal)

    def _build_head(self, head: dict, num_classes: int, in_channels: int) -> nn.Module:
        sizes = dict(num_classes=num_classes, in_channels=in_channels)
        kind = find_type(MODELS, head.get('type'))
        accepted = accepted_arguments(kind).names if kind else ()
        return build_checked(head, MODELS, 'head', **{name: size for name, size in sizes.items() if name in accepted})

    @torch.no_grad()
    def _probe_stages(self, kind: str) -> tuple[Tensor, ...]:
        """Return the stages of a sample of zeros, each ``(1, C, *S)``."""
        self.eval()
        try:
            return self._stages(torch.zeros(1, *self.sample_shape))
        except Exception as error:
            raise ValueError(f'{kind} cannot read a sample of shape {self.sample_shape}: {error}') from error
        finally:
            self.train()

    def _stages(self, x: Tensor) -> tuple[Tensor, ...]:
        stages = self.backbone(x)
        stages = (stages,) if isinstance(stages, Tensor) else tuple(stages)
        return stages if self.projector is None else (*stages, self.projector(stages[-1]))

    @property
    def classifier(self) -> nn.Linear | None:
        """The classifier where it is global average pooling and one linear layer, else None."""
        if isinstance(self.neck, GlobalAveragePooling) and type(self.head) is LinearClsHead:
            return self.head.fc
        return None

    def forward(self, x: Tensor) -> Taps:
        """Run the network once.

        Args:
            x (Tensor): ``(N, C, *S)``.

        Returns:
            Taps: Everything that transfers read.
        """
        stages = self._stages(x)
        features = self.neck(stages)
        embedding = self.head.pre_logits(features)  # (N, C)
        # A head whose last layer has another name is run as a whole.
        logits = self.head.fc(embedding) if isinstance(getattr(self.head, 'fc', None), nn.Linear) else self.head(features)
        return self.complete(stages, embedding, logits)

    def complete(self, stages: tuple[Tensor, ...], embedding: Tensor, logits: Tensor) -> Taps:
        """Return the taps of outputs of this network, computed now or before, with its classifier."""
        weight, bias = (self.classifier.weight, self.classifier.bias) if self.classifier is not None else (None, None)
        kind = f'{type(self.neck).__name__} and {type(self.head).__name__}'
        return Taps(stages, embedding, logits, weight, classifier_bias=bias, head=kind)

    def loss(self, logits: Tensor, data_samples: list[DataSample]) -> Tensor:
        """Return the head's label loss of logits ``(N, K)``, a scalar."""
        # The head's public loss() starts from features and would run its layers again.
        return self.head._get_loss(logits, data_samples)['loss']

    def predict(self, logits: Tensor, data_samples: list[DataSample] | None) -> list[DataSample]:
        """Write ``pred_score`` and ``pred_label`` of logits ``(N, K)`` into the data samples."""
        return self.head._get_predictions(logits, data_samples)


def fit_stem(backbone: nn.Module, channels: int) -> None:
    """Replace the first convolution by one of another number of input channels, where the number differs.

    mmpretrain's image backbones are written for three channels, and some have no argument for another number.

    Args:
        backbone (nn.Module): Network, changed in place.
        channels (int): Channels of the view.

    Raises:
        ValueError: There is no convolution, or the first one has groups that the channels cannot be divided into.
    """
    convolution = next(((name, m) for name, m in backbone.named_modules() if isinstance(m, (nn.Conv1d, nn.Conv2d))), None)
    if convolution is None:
        raise ValueError(f'{type(backbone).__name__} has no convolution that could read {channels} channels')
    name, old = convolution
    if old.in_channels == channels:
        return
    if old.groups != 1:
        raise ValueError(
            f'the first convolution of {type(backbone).__name__} has {old.groups} groups; cannot give it {channels}'
        )
    same: dict[str, Any] = dict(
        kernel_size=old.kernel_size,
        stride=old.stride,
        padding=old.padding,
        dilation=old.dilation,
        bias=old.bias is not None,
        padding_mode=old.padding_mode,
    )
    new = type(old)(channels, old.out_channels, **same)
    parent, _, attribute = name.rpartition('.')
    setattr(backbone.get_submodule(parent), attribute, new)
