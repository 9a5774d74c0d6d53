"""Arrays of an ``.npz``, read without running code, and in no more memory than the file can fill."""

from __future__ import annotations

import io
import math
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.failures import reworded

__all__ = ['load_npy', 'load_npz', 'most_unpacked']

ROOM = 2**28  # bytes that any compressed file may unpack to
TIMES = 100  # beyond that, how many times its own size: measured values shrink to a tenth at best
HEADER = 2**16  # bytes of an array's header, which is short


def most_unpacked(path: str | Path) -> int:
    """Return the number of bytes that a compressed file may unpack to."""
    return max(ROOM, TIMES * Path(path).stat().st_size)


def load_npz(path: str | Path, names: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, NDArray]:
    """Load arrays of an ``.npz``.

    Args:
        path (str | Path): The file.
        names (Iterable[str]): Arrays that must be in it; all, if none is named here and below.
        optional (Iterable[str]): Arrays that may be in it.

    Returns:
        dict[str, ndarray]: By name.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no ``.npz``, is damaged, unpacks to far more than its size, lacks an array, or one holds objects.
    """
    path, names = Path(path), list(names)
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    # The zip module lets through whatever it stumbles over.
    with reworded(f'{path}: cannot be read'), zipfile.ZipFile(path) as archive:
        known = {info.filename.removesuffix('.npy'): info for info in archive.infolist()}
        absent = [name for name in names if name not in known]
        wanted = [name for name in (*names, *optional) if name in known] or list(known)
        size, most = sum(known[name].file_size for name in wanted), most_unpacked(path)
        if size > most:
            raise ValueError(f'{size:,} bytes, unpacked from {path.stat().st_size:,}: expected at most {most:,}')
        arrays = {} if absent else {name: _load(archive, known[name]) for name in wanted}
    if absent:
        raise ValueError(f'{path}: {", ".join(absent)} missing')
    return arrays


def load_npy(path: str | Path, mapped: bool = False) -> NDArray:
    """Load the array of an ``.npy``.

    Args:
        path (str | Path): The file.
        mapped (bool): Leave the values on disk until they are read.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no ``.npy``, is damaged, or holds objects.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path} does not exist')
    # NumPy parses the header as Python does, and lets through whatever that stumbles over.
    with reworded(f'{path}: no array of numbers in an .npy file'):
        array = np.load(path, mmap_mode='r', allow_pickle=False)
        return array if mapped else np.array(array)  # mapped first: a header that promises more than there is takes no memory


def _load(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray:
    """Load one array, for which memory is taken only once its header agrees with the size of the member."""
    name = info.filename.removesuffix('.npy')
    with archive.open(info) as member:
        head = io.BytesIO(member.read(HEADER))
    version = np.lib.format.read_magic(head)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(head)
    if dtype.hasobject:
        raise ValueError(f'{name} holds Python objects, which can run code; expected numbers or texts')
    if head.tell() + math.prod(shape) * dtype.itemsize != info.file_size:
        raise ValueError(f'{name} is {dtype} of shape {shape}, which {info.file_size:,} bytes do not hold')
    with archive.open(info) as member:
        array = np.lib.format.read_array(member, allow_pickle=False)
    if dtype.kind == 'U' and array.size and np.ascontiguousarray(array).view(dtype.byteorder + 'u4').max() > sys.maxunicode:
        raise ValueError(f'{name} holds characters that no text has')  # Python stumbles over them later
    return array
