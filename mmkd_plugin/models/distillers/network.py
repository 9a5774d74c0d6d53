"""Network: backbone, neck and head, run once and read at the taps."""

from __future__ import annotations

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.necks import GlobalAveragePooling
from torch import Tensor, nn

from mmkd_plugin.failures import reworded
from mmkd_plugin.registry import MODELS, build_checked, find_type
from mmkd_plugin.structures import Taps, accepted_arguments

from .base_network import BaseNetwork
from .stem import averaged_on_loading, build_backbone

__all__ = ['Network']


@MODELS.register_module()
class Network(BaseNetwork):
    """Backbone, neck and head of a classifier, any of them mmpretrain's.

    Names of weights are those of mmpretrain's ``ImageClassifier`` (``backbone.*``, ``neck.*``, ``head.*``), so that checkpoints
    go both ways. Sizes that follow from the data are not written in a config: the backbone gets the view's channels and size
    (:func:`~mmkd_plugin.models.distillers.stem.build_backbone`), the head the numbers of classes and of features.
    Weights of ``init_cfg=dict(type='Pretrained', ...)`` for three channels are averaged over them. A stage that a backbone
    gives as several tensors is their concatenation along channels.

    Args:
        backbone (dict): Config of a backbone that returns its stages as a tuple, shallow to deep.
        sample_shape (tuple[int, ...]): Shape of one sample of the view, ``(C, *S)``.
        num_classes (int): Number of classes K.
        projector (dict, optional): A connector after the last stage, ``dict(type=..., out_channels=...)``; its output is one
            more stage, which the neck reads.
        neck (dict, optional): Global average pooling by default, over as many axes as the last stage has beside channels;
            none where the backbone pools itself.
        head (dict, optional): ``LinearClsHead`` by default.
        init_cfg (dict, optional): See mmengine's BaseModule.

    Raises:
        ValueError: A part does not take an argument, the backbone cannot read such a sample, or the neck its last stage.
    """

    projector: nn.Module | None
    neck: nn.Module | None

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
        self.backbone, self._fitted = build_backbone(backbone, self.sample_shape)
        self.projector = None
        if projector is not None:
            self.projector = self._build_projector(projector, backbone['type'])
        stages = self._probe_stages(backbone['type'])
        self.neck = self._build_neck(neck, len(stages[-1].shape) - 2)
        self.head = self._build_head(head or dict(type='LinearClsHead'), num_classes, self._probe_width(stages))

    def init_weights(self) -> None:
        """Initialise all parts; weights of three channels that are loaded into the stem are averaged over them."""
        with averaged_on_loading(self._fitted):
            super().init_weights()

    def _build_projector(self, projector: dict, kind: str) -> nn.Module:
        shape = tuple(self._probe_stages(kind)[-1].shape[1:])
        projector = dict(projector)
        if 'out_channels' not in projector:
            raise ValueError('projector needs out_channels, the number of channels that its output has')
        goal = (projector.pop('out_channels'), *shape[1:])
        return build_checked(projector, MODELS, 'projector', in_shape=shape, goal=goal)

    def _build_neck(self, neck: dict | None, dim: int) -> nn.Module | None:
        if neck is None and dim == 0:
            return None
        neck = neck or dict(type='GlobalAveragePooling')
        kind = find_type(MODELS, neck.get('type'))
        return build_checked(neck, MODELS, 'neck', **(dict(dim=dim) if kind is GlobalAveragePooling else {}))

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
            with reworded(f'{kind} cannot read a sample of shape {self.sample_shape}'):
                return self._stages(torch.zeros(1, *self.sample_shape))
        finally:
            self.train()

    @torch.no_grad()
    def _probe_width(self, stages: tuple[Tensor, ...]) -> int:
        """Return the number of features that the neck makes of the probed stages."""
        kind, shape = type(self.neck).__name__, tuple(stages[-1].shape[1:])
        self.eval()
        try:
            with reworded(f'neck {kind} cannot read stages that end with {shape}'):
                width = self._pool(stages)[-1].shape[1]
        finally:
            self.train()
        if isinstance(self.neck, GlobalAveragePooling) and width != shape[0]:
            raise ValueError(f'neck {kind}: dim must be the number of axes after channels of {shape}, {len(shape) - 1}')
        return width

    def _stages(self, x: Tensor) -> tuple[Tensor, ...]:
        stages = self.backbone(x)
        stages = (stages,) if isinstance(stages, Tensor) else tuple(stages)
        # A class token beside one of distillation, or the vectors of two branches, make one vector; an auxiliary output that is
        # switched off is None.
        stages = tuple(s if isinstance(s, Tensor) else torch.cat(tuple(s), 1) for s in stages if s is not None)
        return stages if self.projector is None else (*stages, self.projector(stages[-1]))

    def _pool(self, stages: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return stages if self.neck is None else self.neck(stages)

    @property
    def classifier(self) -> nn.Linear | None:
        """The classifier where it is one linear layer after global average pooling or the backbone's own, else None."""
        if isinstance(self.neck, (GlobalAveragePooling, type(None))) and type(self.head) is LinearClsHead:
            return self.head.fc
        return None

    @property
    def classifier_kind(self) -> str:
        """Kinds of pooling and head, for messages."""
        pooling = 'the pooling of the backbone itself' if self.neck is None else type(self.neck).__name__
        return f'{pooling} and {type(self.head).__name__}'

    def forward(self, x: Tensor) -> Taps:
        """Run the network once.

        Args:
            x (Tensor): ``(N, C, *S)``.

        Returns:
            Taps: Everything that transfers read.
        """
        stages = self._stages(x)
        features = self._pool(stages)
        embedding = self.head.pre_logits(features)  # (N, C)
        # A head whose last layer has another name is run as a whole.
        logits = self.head.fc(embedding) if isinstance(getattr(self.head, 'fc', None), nn.Linear) else self.head(features)
        return self.complete(stages, embedding, logits)
