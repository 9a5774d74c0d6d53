"""Backbones for views of any size and number of channels: the stem of an image network is widened, its weights kept."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mmkd_plugin.registry import MODELS, build_checked, find_type
from mmkd_plugin.structures import accepted_arguments

__all__ = ['averaged_on_loading', 'build_backbone', 'fit_stem', 'stem_convolutions']


def build_backbone(cfg: Mapping, sample_shape: tuple[int, ...]) -> tuple[nn.Module, list[nn.Module]]:
    """Build a backbone that reads samples of a view.

    A backbone with an argument ``img_size`` gets that of the view. The stem is fitted to the view's channels by
    :func:`fit_stem`; a backbone without a convolution gets them as ``in_channels``, and one that reads channels one by one
    (``channel_wise``) needs neither.

    Args:
        cfg (Mapping): Config of a backbone. An ``in_channels`` or ``img_size`` in it is left as it is.
        sample_shape (tuple[int, ...]): Shape of one sample, ``(C, *S)``.

    Returns:
        tuple[nn.Module, list[nn.Module]]: The backbone, and those of its convolutions that were widened or narrowed.

    Raises:
        ValueError: The backbone cannot be built, or no part of it could read so many channels.
    """
    kind = find_type(MODELS, cfg.get('type'))
    accepted = accepted_arguments(kind).names if kind else ()
    sizes: dict = dict(img_size=_image_size(kind, sample_shape[1:])) if 'img_size' in accepted else {}
    backbone = build_checked(cfg, MODELS, 'backbone', **sizes)
    if 'in_channels' in cfg or getattr(backbone, 'channel_wise', False):
        return backbone, []
    if 'in_channels' in accepted and not stem_convolutions(backbone):
        return build_checked(cfg, MODELS, 'backbone', **sizes, in_channels=sample_shape[0]), []
    return backbone, fit_stem(backbone, sample_shape[0])


def _image_size(kind: Callable | None, size: tuple[int, ...]) -> int | tuple[int, ...]:
    """Return the size in the form that the backbone's default has; a rectangle is always a tuple."""
    parameter = inspect.signature(kind).parameters.get('img_size') if kind else None
    as_tuple = parameter is not None and isinstance(parameter.default, tuple)
    return size if as_tuple or len(set(size)) > 1 else size[0]


def stem_convolutions(backbone: nn.Module) -> dict[str, nn.Conv1d | nn.Conv2d]:
    """Return the convolutions that read the sample, by their names in the backbone; empty where there is no convolution.

    They are the first one, and those of the same child of the backbone that read as many channels: a stem may have several
    branches.

    Args:
        backbone (nn.Module): Any network.
    """
    convolutions = {name: m for name, m in backbone.named_modules() if isinstance(m, (nn.Conv1d, nn.Conv2d))}
    if not convolutions:
        return {}
    name, first = next(iter(convolutions.items()))
    child = name.partition('.')[0]
    return {n: m for n, m in convolutions.items() if n.partition('.')[0] == child and m.in_channels == first.in_channels}


def fit_stem(backbone: nn.Module, channels: int) -> list[nn.Module]:
    """Replace the convolutions that read the sample by copies for another number of channels, where the number differs.

    mmpretrain's image backbones are written for three channels, and some have no argument for another number. Each channel
    gets the mean of the weights of the three.

    Args:
        backbone (nn.Module): Network, changed in place.
        channels (int): Channels of the view.

    Returns:
        list[nn.Module]: The new convolutions; empty where the number of channels is the same.

    Raises:
        ValueError: There is no convolution, or the first one has groups that the channels cannot be divided into.
    """
    stem = stem_convolutions(backbone)
    if not stem:
        raise ValueError(f'{type(backbone).__name__} has no convolution that could read {channels} channels')
    fitted: list[nn.Module] = []
    for name, old in stem.items():
        if old.in_channels == channels:
            continue
        if old.groups != 1:
            raise ValueError(
                f'the first convolution of {type(backbone).__name__} has {old.groups} groups; cannot give it {channels}'
            )
        new = copy.deepcopy(old)
        new.in_channels = channels
        new.weight = nn.Parameter(torch.empty_like(_spread(old.weight, channels)), old.weight.requires_grad)
        new.reset_parameters()  # draws as any new layer does: random numbers after this one are those of earlier versions
        with torch.no_grad():
            new.weight.copy_(_spread(old.weight, channels))
            if new.bias is not None and old.bias is not None:
                new.bias.copy_(old.bias)
        parent, _, attribute = name.rpartition('.')
        setattr(backbone.get_submodule(parent), attribute, new)
        fitted.append(new)
    return fitted


@contextmanager
def averaged_on_loading(convolutions: list[nn.Module]) -> Iterator[None]:
    """Give convolutions of :func:`fit_stem` the mean over channels of weights that are loaded for another number.

    Args:
        convolutions (list[nn.Module]): The fitted convolutions.
    """
    # The public name of this method is younger than the oldest supported version of torch.
    handles = [m._register_load_state_dict_pre_hook(_average, with_module=True) for m in convolutions]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _average(module: nn.Module, state_dict: dict, prefix: str, *_: object) -> None:
    name, own = f'{prefix}weight', module.get_parameter('weight')
    weight = state_dict.get(name)
    if isinstance(weight, Tensor) and weight.dim() == own.dim() and weight.shape[1] != own.shape[1]:
        state_dict[name] = _spread(weight, own.shape[1])


def _spread(weight: Tensor, channels: int) -> Tensor:
    """Return the mean over input channels of ``(C', C, *k)``, once for each new channel: ``(C', channels, *k)``."""
    return weight.mean(1, keepdim=True).expand(-1, channels, *[-1] * (weight.dim() - 2)).contiguous()
