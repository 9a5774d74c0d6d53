"""Caches of teachers' outputs, computed once per training window and read back in every later step."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from mmkd_plugin.failures import of_the_machine
from mmkd_plugin.fileio import check_facts, content_hashes, file_faults, seal, unseal, write_atomically
from mmkd_plugin.structures import Address, Taps

from .base_network import BaseNetwork

if TYPE_CHECKING:
    from .distiller import Distiller

__all__ = ['TeacherCache', 'needed_taps', 'plan_caches', 'read_tap', 'sample_taps', 'teacher_outputs']

MANIFEST = 'manifest.json'
FORMAT = 2  # of a cache: another number where the same settings give other files or other values


class TeacherCache:
    """Outputs of one teacher on disk, memory-mapped.

    The folder is written under a temporary name and renamed when it is whole. Its manifest has the hash of every file.

    Args:
        folder (Path): Named after the fingerprint of everything that the outputs depend on.
        taps (list[str]): Names of the taps that are kept.
        width (int): Numbers per window.
        dtype (str): 'float32' or 'float16'.
    """

    def __init__(self, folder: Path, taps: list[str], width: int, dtype: str = 'float32') -> None:
        self.folder, self.taps, self.width, self.dtype = Path(folder), list(taps), width, dtype
        self.arrays: dict[str, np.ndarray] = {}

    def __deepcopy__(self, memo: dict) -> TeacherCache:
        return self  # a copied model reads the same files

    @property
    def exists(self) -> bool:
        """Whether there is a cache, whole or damaged."""
        return self.folder.is_dir()

    def faults(self, windows: int) -> list[str]:
        """List what is wrong with the folder: every byte is held against the hash of its file.

        Args:
            windows (int): Number of windows whose outputs must be there.

        Returns:
            list[str]: One sentence for each fault; empty for a whole cache of these taps.
        """
        files = {f'{tap}.npy' for tap in self.taps}
        try:
            manifest = unseal(self.folder / MANIFEST)
            check_facts(self.folder / MANIFEST, manifest, fingerprint=str, windows=int, dtype=str, hashes=dict)
            wanted = dict(fingerprint=self.folder.name, windows=windows, dtype=self.dtype)
            if any(manifest[key] != value for key, value in wanted.items()) or set(manifest['hashes']) != files:
                return [f'{self.folder} holds other outputs than its name says']
            return file_faults(self.folder, manifest['hashes'])
        except FileNotFoundError:
            return [f'{self.folder / MANIFEST} is missing']
        except (OSError, ValueError) as error:
            if of_the_machine(error):
                raise
            return [str(error)]

    def size(self, windows: int) -> int:
        """Return the bytes that so many windows take."""
        return windows * self.width * np.dtype(self.dtype).itemsize

    def build(self, batches: Iterator[Taps], windows: int) -> None:
        """Write the outputs of all windows, in order.

        Args:
            batches (Iterator[Taps]): Taps of the windows one after another.
            windows (int): Their number.

        Raises:
            FloatingPointError: An output is NaN or infinite.
            OSError: The disk is full or cannot be written; nothing is left behind then.
            ValueError: There are more or fewer windows than announced.
        """
        for left in sorted(self.folder.parent.glob(f'{self.folder.name}.*.part')):  # by a kill: who writes holds the lock
            shutil.rmtree(left, ignore_errors=True)
        part = self.folder.with_name(f'{self.folder.name}.{os.getpid()}.part')
        try:
            part.mkdir(parents=True)
            self._write_arrays(part, batches, windows)
            files = [f'{tap}.npy' for tap in self.taps]
            hashes = dict(zip(files, content_hashes(part / file for file in files)))
            facts = {'fingerprint': self.folder.name, 'windows': windows, 'dtype': self.dtype, 'hashes': hashes}
            write_atomically(seal(facts), part / MANIFEST)
            shutil.rmtree(self.folder, ignore_errors=True)  # a damaged cache of the same name
            part.rename(self.folder)
            self.arrays = {}
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _write_arrays(self, folder: Path, batches: Iterator[Taps], windows: int) -> None:
        arrays: dict[str, np.memmap] = {}
        start = 0
        for taps in batches:
            values = {tap: read_tap(taps, tap).detach().cpu().numpy() for tap in self.taps}
            stop = start + len(values['logits'])
            for tap, value in values.items():
                if tap not in arrays:
                    _reserve(folder / f'{tap}.npy', (windows, *value.shape[1:]), self.dtype)
                    arrays[tap] = np.lib.format.open_memmap(folder / f'{tap}.npy', mode='r+')
                with np.errstate(over='ignore'):
                    kept = value.astype(self.dtype)
                self._check_finite(tap, value, kept)
                if stop <= windows:
                    arrays[tap][start:stop] = kept
            start = stop
        if start != windows:
            raise ValueError(f'{start} windows came to be kept in {self.folder}, expected {windows}')
        for array in arrays.values():
            array.flush()

    def _check_finite(self, tap: str, value: np.ndarray, kept: np.ndarray) -> None:
        if np.isfinite(kept).all():
            return
        if np.isfinite(value).all():
            advice = f"out of range for {self.dtype}: set dtype='float32' of TeacherCacheHook"
        else:
            advice = 'NaN or infinite on a training window: the teacher is not fit to be learned from'
        raise FloatingPointError(f'{tap} of the teacher in {self.folder.name} is {advice}')

    def read(self, index: Tensor, network: BaseNetwork, device: torch.device) -> Taps:
        """Read the outputs of some windows.

        Args:
            index (Tensor): Indices of the windows, ``(N, )``.
            network (BaseNetwork): The teacher; its classifier stands in the taps.
            device (torch.device): Device of the outputs.

        Returns:
            Taps: A tap that is not kept is None, among the stages too.
        """
        if not self.arrays:
            files = {tap: self.folder / f'{tap}.npy' for tap in self.taps}
            self.arrays = {tap: np.load(file, mmap_mode='r', allow_pickle=False) for tap, file in files.items()}
        rows = index.cpu().numpy()
        kept = {tap: torch.from_numpy(array[rows]).to(device).float() for tap, array in self.arrays.items()}
        return network.assemble(kept)


def plan_caches(model: Distiller, root: str | Path, data: str, dtype: str = 'float32') -> dict[str, TeacherCache]:
    """Return the cache of each teacher's outputs, whether it exists yet or not; outputs that lie in a file need none.

    Args:
        model (Distiller): With its teachers' weights.
        root (str | Path): Folder of all caches.
        data (str): Fingerprint of the training windows, their pipeline and the views.
        dtype (str): 'float32' or 'float16'.

    Returns:
        dict[str, TeacherCache]: Caches by teacher.

    Raises:
        ValueError: ``dtype`` is neither.
    """
    if dtype not in ('float32', 'float16'):
        raise ValueError(f"dtype must be 'float32' or 'float16', got {dtype!r}")
    sources = [source for transfer in model.transfers.values() for source in transfer.sources]
    caches = {}
    for name, network in model.teachers.items():
        if network.stored:
            continue
        view = model.views[name]
        sample = sample_taps(network)
        taps = needed_taps([source for source in sources if source.node == name], len(sample.stages))
        width = sum(read_tap(sample, tap)[0].numel() for tap in taps)
        caches[name] = TeacherCache(Path(root, f'{name}-{_fingerprint(network, view, data, taps, dtype)}'), taps, width, dtype)
    return caches


@torch.no_grad()
def teacher_outputs(model: Distiller, name: str, batches: Iterable[dict]) -> Iterator[Taps]:
    """Yield the taps of one teacher for batches as the loader gives them.

    Args:
        model (Distiller): The model of the teacher.
        name (str): Name of the teacher.
        batches (Iterable[dict]): Batches of the training set.
    """
    view = model.views[name]
    for data in batches:
        yield model.teachers[name](model.data_preprocessor.encode(data, [view])[view])


@torch.no_grad()
def sample_taps(network: BaseNetwork) -> Taps:
    """Return the taps of a network for one sample of zeros, on the device where the network is."""
    weight = next(network.parameters(), torch.empty(0))  # a module from elsewhere may have none
    return network(torch.zeros(1, *network.sample_shape, device=weight.device))


def needed_taps(sources: Iterable[Address], depth: int) -> list[str]:
    """Return the names of the taps that these sources read of a teacher, like 'logits' and 'stages.2'.

    Logits are always among them, since weightings read them; an activation map needs the last stage.
    """
    needed = {'logits'}
    for address in sources:
        if address.tap in ('stages', 'cam'):
            levels = [depth - 1] if address.tap == 'cam' else range(depth) if address.index is None else [address.index]
            needed |= {f'stages.{level}' for level in levels}
        else:
            needed.add(address.tap)
    return sorted(needed)


def _fingerprint(network: BaseNetwork, view: str, data: str, taps: list[str], dtype: str) -> str:
    """Return the fingerprint of one teacher's outputs: weights, view, windows, taps, dtype and the format of the cache."""
    settings = [FORMAT, str(network), view, data, taps, dtype]
    sha = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for name, value in network.state_dict().items():
        sha.update(name.encode())
        sha.update(value.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()[:16]


def read_tap(taps: Taps, tap: str) -> Tensor:
    """Return the tap of a name like 'logits' or 'stages.2'."""
    name, _, level = tap.partition('.')
    value = getattr(taps, name)
    return value[int(level)] if level else value


def _reserve(path: Path, shape: tuple[int, ...], dtype: str) -> None:
    """Write an empty array to its full length, so that a full disk shows now and not as a fault of the memory map."""
    header = {'descr': np.lib.format.dtype_to_descr(np.dtype(dtype)), 'fortran_order': False, 'shape': shape}
    with open(path, 'wb') as file:
        np.lib.format.write_array_header_2_0(file, header)
        length = file.tell() + int(np.prod(shape)) * np.dtype(dtype).itemsize
        if hasattr(os, 'posix_fallocate'):
            os.posix_fallocate(file.fileno(), 0, length)
        file.truncate(length)
