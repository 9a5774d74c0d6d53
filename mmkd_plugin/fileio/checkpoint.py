"""Read checkpoints safely, and hold them against the network they are meant for."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from mmkd_plugin.failures import of_the_machine

try:
    from numpy._core.multiarray import _reconstruct, scalar
except ModuleNotFoundError:  # numpy 1
    from numpy.core.multiarray import _reconstruct, scalar  # type: ignore[no-redef]

__all__ = [
    'SAFE_GLOBALS',
    'check_resumable',
    'check_weights',
    'load_checkpoint',
    'safe_loading',
    'state_fingerprint',
    'weights_fingerprint',
]


def _history_method(owner: type, name: str):
    """What ``getattr`` may do while a checkpoint is read: name the statistics of a log history."""
    if owner is not HistoryBuffer or name.startswith('_'):
        raise UnpicklingError(f'Unsupported attribute {name} of {owner}')
    return getattr(owner, name)


# The host's training checkpoints hold its message hub: log histories, which are numpy arrays of numbers.
SAFE_GLOBALS = [
    HistoryBuffer,
    np.ndarray,
    np.dtype,
    type(np.dtype('f8')),
    type(np.dtype('i8')),
    _reconstruct,
    scalar,
    (_history_method, 'builtins.getattr'),
]
# What is read of a checkpoint beside its weights, and what each is.
ENTRIES = {'state_dict': 'a dict of weights', **dict.fromkeys(('meta', 'message_hub', 'golden'), 'a dict')}


def weights_fingerprint(path: str | Path) -> str:
    """Return SHA-256 of the weights in a checkpoint, see :func:`state_fingerprint`, whatever else the file holds.

    Raises:
        FileNotFoundError: As :func:`load_checkpoint`.
        ValueError: Likewise.
    """
    return state_fingerprint(load_checkpoint(path)['state_dict'])


def state_fingerprint(state: Mapping[str, Any]) -> str:
    """Return SHA-256 of the tensors of a state dict and of their names, in hexadecimal."""
    sha = hashlib.sha256()
    for name, value in sorted(state.items()):
        sha.update(name.encode())
        if isinstance(value, Tensor):
            sha.update(repr((value.dtype, tuple(value.shape))).encode())
            sha.update(value.detach().contiguous().flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def load_checkpoint(path: str | Path) -> dict:
    """Read a checkpoint to the CPU without running any code in it.

    Args:
        path (str | Path): File written by ``torch.save``, by a runner of the host or by this package.

    Returns:
        dict: With a ``state_dict``; a bare state dict is wrapped into one.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or holds objects other than tensors and plain Python values.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'there is no checkpoint {path}')
    # Leaving the block removes all that it was given, also what the run allows its host for good.
    missing = [item for item in SAFE_GLOBALS if item not in torch.serialization.get_safe_globals()]
    try:
        damaged = _damaged_entry(path)  # torch does not look at the checksums that it writes
        if damaged:
            raise ValueError(f'its entry {damaged}')
        with torch.serialization.safe_globals(missing):
            checkpoint = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a damaged file can fail at any opcode
        if of_the_machine(error):
            raise
        lines = str(error).splitlines() or [type(error).__name__]
        reason = next((line.strip() for line in lines if 'nsupported' in line), lines[0])
        raise ValueError(f'{path} is not a checkpoint that can be loaded with weights_only=True: {reason}') from error
    if not isinstance(checkpoint, dict):
        raise ValueError(f'{path} holds a {type(checkpoint).__name__}, expected a dict of weights')
    if 'state_dict' not in checkpoint:
        return {'state_dict': checkpoint}
    for name, expected in ENTRIES.items():
        value = checkpoint.get(name, {})
        if not isinstance(value, Mapping) and (value is not None or name == 'state_dict'):
            raise ValueError(f'{path} holds a {type(value).__name__} as its {name}, expected {expected}')
    return checkpoint


def _damaged_entry(path: Path) -> str | None:
    """Name the first entry that is not as torch has written it; None for a whole checkpoint, or one of the old format."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:  # could unpack to more than memory holds
                return f'{entry.filename} is compressed, as torch.save leaves none'
        changed = archive.testzip()
    return f'{changed} has changed since it was written' if changed else None


@contextlib.contextmanager
def safe_loading() -> Iterator[None]:
    """Let the host read files without running code in them inside a ``with`` block.

    The host's own loader falls back to ``weights_only=False`` where a file asks for more. Files are read by
    :func:`load_checkpoint` instead; for what the host downloads, torch is told by its own switch.

    Raises:
        ValueError: A download holds objects other than tensors and plain Python values.
    """
    read = CheckpointLoader._get_checkpoint_loader('')
    switches = {name: os.environ.get(name) for name in ('TORCH_FORCE_WEIGHTS_ONLY_LOAD', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')}
    os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    CheckpointLoader.register_scheme('', load_from_local, force=True)
    try:
        yield
    except UnpicklingError as error:
        raise ValueError(f'a checkpoint cannot be loaded with weights_only=True: {error}') from error
    finally:
        CheckpointLoader.register_scheme('', read, force=True)
        for name, value in switches.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def load_from_local(filename: str, map_location: object = None) -> dict:
    """Read a file for the host, to the CPU wherever it is wanted; the host copies what it needs to the device."""
    return load_checkpoint(Path(filename).expanduser())


def check_resumable(checkpoint: Mapping, origin: str | Path) -> None:
    """See that a checkpoint holds what a run goes on from.

    Args:
        checkpoint (Mapping): From :func:`load_checkpoint`.
        origin (str | Path): What the checkpoint is, for the message.

    Raises:
        ValueError: The checkpoint is not one of a run in training, such as an exported network.
    """
    meta, hub = checkpoint.get('meta'), checkpoint.get('message_hub')
    counts = {key: meta.get(key) if isinstance(meta, dict) else None for key in ('epoch', 'iter')}
    missing = [f'meta.{key}' for key, count in counts.items() if not (isinstance(count, int) and count >= 0)]
    hub_keys = ('log_scalars', 'runtime_info', 'resumed_keys')
    missing += [f'message_hub.{key}' for key in hub_keys if not (isinstance(hub, dict) and isinstance(hub.get(key), dict))]
    if 'optimizer' not in checkpoint:  # as the host's best_*.pth, without which momentum would begin anew
        missing.append('optimizer')
    if missing and 'deployed' in (meta or {}):
        beside = sorted(Path(origin).parent.glob('epoch_*.pth'), key=lambda path: path.stat().st_mtime_ns)
        use = f'go on from {beside[-1]}' if beside else 'go on from a checkpoint of the run, epoch_<n>.pth'
        raise ValueError(
            f'{origin} is a network that a run has exported, without optimizer and epoch, which no run can go on from: '
            f'{use}, or start a new run from it by init_from='
        )
    if missing:
        raise ValueError(f'no run can go on from {origin}: it has no {", ".join(missing)}')


def check_weights(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], origin: str) -> None:
    """Compare a checkpoint's names and shapes with those of a network.

    Args:
        wanted (Mapping): State dict of the network.
        given (Mapping): State dict of the checkpoint.
        origin (str): What the checkpoint is, for the message.

    Raises:
        ValueError: A weight is missing, left over, or of another shape; the message lists the first few.
    """
    faults = [
        f'{name}: {_shape(given[name])}, expected {_shape(wanted[name])}'
        for name in wanted
        if name in given and _shape(given[name]) != _shape(wanted[name])
    ]
    faults += [f'{name}: missing' for name in wanted if name not in given]
    faults += [f'{name}: not in the network' for name in given if name not in wanted]
    if faults:
        more = f' (+{len(faults) - 4} more)' if len(faults) > 4 else ''
        raise ValueError(f'{origin} does not fit the network: ' + '; '.join(faults[:4]) + more)


def _shape(value: object) -> tuple[int, ...] | str:
    """Return a tensor's shape; the type of anything else, which is no weight."""
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
