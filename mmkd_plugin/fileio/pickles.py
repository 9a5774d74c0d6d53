"""Pickles of arrays, read without calling anything that the file names."""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mmkd_plugin.failures import reworded

__all__ = ['load_pickle', 'read_pickle']

LARGEST = 2**32  # bytes of a file, which is held in memory
MOST_STEPS = 5_000_000  # of a pickle: a list of arrays has a few dozen for each array
# What reaches out of the file, or takes memory by a number in it (MEMO below).
REFUSED = re.compile(r'(BIN)?PERSID|EXT\d|INST|(NEW)?OBJ(_EX)?|NEXT_BUFFER|READONLY_BUFFER')
INSTRUCTIONS = {instruction.code.encode('latin1'): instruction for instruction in pickletools.opcodes}
MEMO = {'PUT', 'BINPUT', 'LONG_BINPUT'}
DTYPE = re.compile(r'b1|[iu][1248]|f[248]|[SU][1-9]\d{0,5}')  # truth values, numbers and texts; no objects, structures or times
PLAIN = (str, bytes, int, float, type(None))


def read_pickle(path: str | Path) -> Any:
    """Read a pickle of arrays, of any protocol and of Python 2 as well; see :func:`load_pickle`.

    Args:
        path (str | Path): The file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no such pickle; the message begins with its path.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f'{path} has {size:,} bytes, expected at most {LARGEST:,}')
    try:
        return load_pickle(path.read_bytes())
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def load_pickle(data: bytes, objects: bool = False) -> Any:
    """Return what a pickle holds: arrays of numbers or texts, and lists, tuples, dicts, texts and numbers around them.

    Nothing that the file names is looked up or called: names that arrays need stand for constructors of this module, and
    every other name is refused. Memory is bounded by the size of the file.

    Args:
        data (bytes): The pickle; texts of Python 2 are read as Latin-1.
        objects (bool): Allow arrays of Python objects, which hold what else is allowed.

    Raises:
        ValueError: The pickle is damaged, or asks for anything else.
    """
    _check_steps(data)
    reader = _Unpickler(io.BytesIO(data), encoding='latin1', fix_imports=True)
    with reworded('the pickle is damaged', passing=_RefusedError):  # it can fail anywhere
        return _Finisher(len(data), objects).finish(reader.load())


class _RefusedError(ValueError, pickle.UnpicklingError):
    """Something that a file of arrays does not need."""


def _check_steps(data: bytes) -> None:
    """Walk through a pickle without running it: its parts must be as long as they say, and none may reach out of the file."""
    count = 0
    with reworded('no pickle, or a damaged one', passing=_RefusedError):
        for name, argument in _steps(io.BytesIO(data)):
            count += 1
            if REFUSED.fullmatch(name):
                raise _RefusedError(f'the pickle has the instruction {name}, which arrays do not need')
            if name == 'GLOBAL':
                _constructor(*str(argument).split(' ', 1))
            if name in MEMO and isinstance(argument, int) and argument > len(data):
                raise _RefusedError(f'the pickle has an index of {argument:,}, more than its {len(data):,} bytes')
            if count > MOST_STEPS:
                raise _RefusedError(f'the pickle has more than {MOST_STEPS:,} parts: store arrays, not lists of numbers')


def _steps(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Yield name and argument of every instruction, as ``pickletools.genops``, which takes texts of Python 2 to be ASCII."""
    name = ''
    while name != 'STOP':
        code = file.read(1)
        if code not in INSTRUCTIONS:
            raise ValueError(f'there is no instruction {code!r}')
        name, argument = INSTRUCTIONS[code].name, INSTRUCTIONS[code].arg
        if name == 'STRING':
            yield name, pickletools.read_stringnl(file, decode=False)
        else:
            yield name, None if argument is None else argument.reader(file)


class _Unpickler(pickle.Unpickler):
    """Unpickler to which the names of numpy mean constructors of this module."""

    def find_class(self, module: str, name: str) -> Any:
        return _constructor(module, name)


class _Constructor:
    """Stand-in for a callable that files of arrays name; a file can call it, and change nothing about it."""

    __slots__ = ('_make',)

    def __init__(self, make: Callable) -> None:
        self._make = make

    def __call__(self, *args: Any) -> Any:
        return self._make(*args)

    def __setstate__(self, state: Any) -> None:
        raise _RefusedError('the pickle sets attributes of a constructor')


class _Type:
    """Type of the numbers of an array, in the making."""

    def __init__(self, code: Any, *flags: Any) -> None:
        code = code.decode('latin1') if isinstance(code, bytes) else code
        self.objects = code in ('O', 'O4', 'O8')
        if not self.objects and not (isinstance(code, str) and DTYPE.fullmatch(code)):
            raise _RefusedError(f'the file has an array of type {code!r}, expected numbers or texts')
        self.code, self.order = code, '='

    def __setstate__(self, state: Any) -> None:
        """Take the byte order alone; the rest of the state says nothing new of numbers and texts."""
        order = state[1].decode('latin1') if isinstance(state[1], bytes) else state[1]
        if order not in ('<', '>', '|', '=') or any(part is not None for part in state[2:5]):
            raise _RefusedError('the file has an array of structures, expected numbers or texts')
        self.order = order

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(('' if self.order == '|' else self.order) + self.code)


class _Array:
    """Array in the making: shape, type, order and content, as the file has them."""

    def __init__(self, *state: Any) -> None:
        self.state: Any = state or None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state[-5:] if len(state) > 4 else (1, *state)
        self.state = (content, kind, shape, 'F' if fortran else 'C')


def _scalar(kind: _Type, content: Any = None) -> Any:
    return _Array(content, kind, (), 'C')


def _no_bytes(*content: Any) -> bytes:
    if content:
        raise _RefusedError('the file makes bytes of something else')
    return b''


def _encode(text: str, encoding: str) -> bytes:
    """Return the bytes that Python 3 writes as a text for the protocols of Python 2."""
    if encoding not in ('latin1', 'latin-1') or not isinstance(text, str):
        raise _RefusedError('the file encodes something else than bytes')
    return text.encode('latin1')


NAMES = {
    ('numpy', 'ndarray'): _Constructor(lambda *_: _Array()),
    ('numpy', 'dtype'): _Constructor(_Type),
    ('_codecs', 'encode'): _Constructor(_encode),
    ('__builtin__', 'bytes'): _Constructor(_no_bytes),  # as Python 3 writes none for Python 2
    ('builtins', 'bytes'): _Constructor(_no_bytes),
    **{(f'numpy.{core}.multiarray', '_reconstruct'): _Constructor(lambda *_: _Array()) for core in ('core', '_core')},
    **{(f'numpy.{core}.multiarray', 'scalar'): _Constructor(_scalar) for core in ('core', '_core')},
    **{(f'numpy.{core}.numeric', '_frombuffer'): _Constructor(_Array) for core in ('core', '_core')},
}


def _constructor(module: str, name: str = '') -> _Constructor:
    try:
        return NAMES[module, name]
    except KeyError:
        raise _RefusedError(f'the file asks for {module}.{name}, which arrays of numbers do not need') from None


class _Finisher:
    """Turns what the unpickler has made into arrays and plain containers.

    Args:
        size (int): Bytes of the file, which all arrays together cannot exceed.
        objects (bool): Allow arrays of objects.
    """

    def __init__(self, size: int, objects: bool) -> None:
        self.room, self.objects = size, objects
        self._done: dict[int, Any] = {}  # by identity: what stands in the file twice is made once
        self._open: set[int] = set()

    def finish(self, value: Any) -> Any:
        if isinstance(value, PLAIN):
            return value
        if id(value) in self._open:
            raise _RefusedError('the file has a list that holds itself')
        if id(value) not in self._done:
            self._open.add(id(value))
            try:
                self._done[id(value)] = self._finish(value)
            except RecursionError:
                raise _RefusedError('the file has lists in lists, too deep to read') from None
            self._open.remove(id(value))
        return self._done[id(value)]

    def _finish(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return type(value)(self.finish(each) for each in value)
        if isinstance(value, dict):
            if not all(isinstance(key, PLAIN) for key in value):
                raise _RefusedError('the file has a dict whose keys are neither texts nor numbers')
            return {key: self.finish(each) for key, each in value.items()}
        if isinstance(value, _Array):
            return self._array(value)
        raise _RefusedError(f'the file has a {type(value).__name__.strip("_")} by itself, expected arrays and lists of them')

    def _array(self, value: _Array) -> Any:
        try:
            content, kind, shape, order, *axes = value.state
            shape = (shape,) if isinstance(shape, int) else tuple(shape)
            count = math.prod(shape)
            if not isinstance(kind, _Type) or not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 8:
                raise ValueError(shape)
        except (TypeError, ValueError):
            raise _RefusedError('the file has an array without a shape and a type of numbers') from None
        if kind.objects:
            return self._object_array(content, count, shape)
        content = content.encode('latin1') if isinstance(content, str) else content
        if not isinstance(content, (bytes, bytearray)) or len(content) != count * kind.dtype.itemsize:
            held = f'{len(content):,} bytes' if isinstance(content, (bytes, bytearray)) else f'a {type(content).__name__}'
            raise _RefusedError(f'the file has an array of {kind.dtype} with shape {shape}, and {held} for it')
        self.room -= len(content)
        if self.room < 0:
            raise _RefusedError('the file has arrays of more bytes than its own')
        array = np.frombuffer(content, kind.dtype) if count else np.empty(0, kind.dtype)
        if order == 'K' and axes and axes[0] is not None:
            return array.reshape(shape).transpose(axes[0])
        return array.reshape(shape, order='F' if order == 'F' else 'C')[()]  # of no axes: the number itself

    def _object_array(self, content: Any, count: int, shape: tuple[int, ...]) -> NDArray:
        if not self.objects:
            raise _RefusedError(f'the file has an array of Python objects, of shape {shape}; expected numbers or texts')
        if not isinstance(content, list) or len(content) != count:
            raise _RefusedError(f'the file has an array of objects with shape {shape}, and not as many objects')
        array = np.empty(count, dtype=object)
        for index, each in enumerate(content):  # all at once, lists would be spread
            array[index] = self.finish(each)
        return array.reshape(shape)
