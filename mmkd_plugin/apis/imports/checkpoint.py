"""Checkpoints of wide residual networks in the names of published code, as checkpoints of this package."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmkd_plugin.fileio import check_weights, file_hash, load_checkpoint, write_atomically
from mmkd_plugin.models.distillers import Network

__all__ = ['import_checkpoint']

WRAPPERS = ('state_dict', 'model_state_dict', 'model', 'net')  # keys under which scripts keep the weights
# Names of the parts of a block, here and in published code: the wide residual networks of PyTorch for CIFAR, which most
# distillation repositories carry, and those of TDA_KD. Both activate the input of a shortcut, as WideResNet does; code with
# other names may not, and is refused.
PARTS = {
    'bn1': 'norm1',
    'conv1': 'conv1',
    'bn2': 'norm2',
    'conv2': 'conv2',
    'convShortcut': 'shortcut',
    'batch_norm1': 'norm1',
    'batch_norm2': 'norm2',
    'conv_inp': 'shortcut',
}
ENDS = {'conv1': 'backbone.stem', 'bn1': 'backbone.norm', 'batch_norm': 'backbone.norm', 'fc': 'head.fc'}
BLOCK = re.compile(r'block([123])\.(?:layer|nblockLayer)\.(\d{1,3})\.(\w+)\.(\w+)')
EXPECTED = (
    'expected conv1, block1 to block3 with layer.<i>.bn1, conv1, bn2, conv2, convShortcut (or nblockLayer.<i>.batch_norm1, '
    'conv1, batch_norm2, conv2, conv_inp), bn1 (or batch_norm) and fc'
)


def import_checkpoint(source: str | Path, target: str | Path) -> dict[str, Any]:
    """Convert a checkpoint of a wide residual network over time or over images; depth, width and sizes follow from the weights.

    Args:
        source (str | Path): ``.pth.tar`` or ``.pth``: a dict with the weights under ``state_dict``,
            ``model_state_dict``, ``model`` or ``net``, or the weights themselves; names may begin with ``module.``.
        target (str | Path): The file to write; replaced as a whole.

    Returns:
        dict: ``network``, its config; ``channels``, ``classes`` and ``params``; ``left_out``, the keys of the file beside the
        weights, of which nothing is kept.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds a pickled module or is damaged, or its weights are those of another network.
    """
    state, left_out = _weights(source)
    renamed = _rename(state, source)
    backbone, channels, classes = _sizes(renamed, source)
    network = Network(backbone, (channels, *[16] * backbone['dim']), classes)
    wanted = network.state_dict()
    for name, value in wanted.items():  # counts of batches, which decide nothing, are missing in old files
        if name.endswith('num_batches_tracked'):
            renamed.setdefault(name, torch.zeros_like(value))
    check_weights(wanted, renamed, f'checkpoint {source}')
    unusable = [name for name, value in renamed.items() if value.is_floating_point() and not value.isfinite().all()]
    if unusable:
        raise ValueError(f'{source}: {unusable[0]} has values that are not finite')
    network.load_state_dict(renamed)
    meta = dict(imported=dict(file=Path(source).name, sha256=file_hash(source)))
    buffer = io.BytesIO()
    torch.save(dict(meta=meta, state_dict=network.state_dict()), buffer)
    write_atomically(buffer.getvalue(), target)
    params = sum(parameter.numel() for parameter in network.parameters())
    return dict(network=dict(backbone=backbone), channels=channels, classes=classes, params=params, left_out=left_out)


def _weights(source: str | Path) -> tuple[dict[str, Tensor], list[str]]:
    """Return the weights without the prefix of a parallel wrapper, and the names of what else the file holds."""
    try:
        content = load_checkpoint(source)
    except ValueError as error:
        if 'nsupported' in str(error):  # a class or function that the file names
            raise ValueError(
                f'{error}: a pickled module would run code; torch.save(model.state_dict(), ...) where it was made saves the '
                'weights alone'
            ) from error
        raise
    if set(content) == {'state_dict'}:  # the file's own, or what load_checkpoint has wrapped
        content = content['state_dict']
    holder = next((key for key in WRAPPERS if isinstance(content, Mapping) and isinstance(content.get(key), Mapping)), None)
    state = content if holder is None else content[holder]
    left_out = [] if holder is None else [key for key in content if key != holder]
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(
            f'{source} has {", ".join(map(str, list(content)[:6])) or "nothing"}, expected weights, by themselves or under '
            f'{", ".join(WRAPPERS)}'
        )
    names = [str(name) for name in state]
    prefix = 'module.' if all(name.startswith('module.') for name in names) else ''
    return {name[len(prefix) :]: value for name, value in zip(names, state.values())}, left_out


def _rename(state: Mapping[str, Tensor], source: object) -> dict[str, Tensor]:
    renamed, unknown = {}, []
    for name, value in state.items():
        block, (end, _, kind) = BLOCK.fullmatch(name), name.rpartition('.')
        if block and block[3] in PARTS:
            renamed[f'backbone.stages.{int(block[1]) - 1}.{block[2]}.{PARTS[block[3]]}.{block[4]}'] = value
        elif end in ENDS:
            renamed[f'{ENDS[end]}.{kind}'] = value
        else:
            unknown.append(name)
    if unknown:
        more = f' (+{len(unknown) - 3} more)' if len(unknown) > 3 else ''
        raise ValueError(f'{source} has {", ".join(unknown[:3])}{more}, which no known wide residual network has: {EXPECTED}')
    if len(renamed) < len(state):
        raise ValueError(f'{source} has a weight twice, in the names of two repositories: {EXPECTED}')
    return renamed


def _sizes(state: Mapping[str, Tensor], source: object) -> tuple[dict[str, Any], int, int]:
    """Return the config of the backbone, the number of channels, and that of classes."""
    needed = ['backbone.stem.weight', 'backbone.stages.0.0.conv1.weight', 'head.fc.weight']
    missing = [name for name in needed if name not in state]
    if missing:
        raise ValueError(f'{source} lacks weights of a wide residual network: {EXPECTED}')
    stem, first, classifier = (state[name] for name in needed)
    blocks = len({name.split('.')[3] for name in state if name.startswith('backbone.stages.0.')})
    if stem.ndim not in (3, 4) or first.ndim != stem.ndim or classifier.ndim != 2 or len(first) % 16 or not len(first):
        raise ValueError(
            f'{source} has a first convolution of shape {tuple(stem.shape)}, a first block of {tuple(first.shape)} and a '
            f'classifier of {tuple(classifier.shape)}, expected a convolution in one or two dimensions, blocks of 16k '
            'channels, and (K, 64k)'
        )
    backbone = dict(type='WideResNet', dim=stem.ndim - 2, depth=6 * blocks + 4, widen_factor=len(first) // 16)
    return backbone, stem.shape[1], len(classifier)
