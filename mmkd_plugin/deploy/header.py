"""C header for firmware: shapes, names, the normaliser and golden vectors of an exported student."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .formats import INPUT, OUTPUTS
from .student import Student

__all__ = ['to_header']

LINE = 8  # numbers of a line


def to_header(name: str, student: Student, golden: Mapping[str, NDArray]) -> str:
    """Return a C99 header, which C++ takes too.

    Args:
        name (str): Of the artefact, for the include guard and the first line.
        student (Student): With its contract, offset and scale.
        golden (Mapping[str, ndarray]): ``signal`` ``(n, C, T)`` as recorded, ``logits`` and ``probabilities`` ``(n, K)``.
    """
    contract = student.contract
    guard = f'MMKD_{re.sub("[^A-Z0-9]", "_", name.upper())}_H'
    sizes = {
        'MMKD_CHANNELS': len(contract.channels),
        'MMKD_WINDOW': contract.window,
        'MMKD_HOP': contract.hop,
        'MMKD_CLASSES': len(contract.classes),
        'MMKD_GOLDEN': len(golden[INPUT]),
    }
    comments = {
        'MMKD_WINDOW': 'samples of a window',
        'MMKD_HOP': 'samples from one window to the next, as in training',
        'MMKD_GOLDEN': 'golden vectors',
    }
    lines = [
        f'/* {_comment(name)}: written by mmkd export. */',
        f'#ifndef {guard}',
        f'#define {guard}',
        '',
        *(f'#define {key} {size}' + (f' /* {comments[key]} */' if key in comments else '') for key, size in sizes.items()),
        f'#define MMKD_RATE {_number(contract.rate)} /* Hz */',
        f'#define MMKD_WEIGHTS {_text(contract.weights)} /* SHA-256 of the weights */',
        '',
        _texts('mmkd_channels', 'MMKD_CHANNELS', contract.channels),
        _texts('mmkd_units', 'MMKD_CHANNELS', contract.units or [''] * len(contract.channels)),
        _texts('mmkd_classes', 'MMKD_CLASSES', contract.classes),
        '',
        '/* The artefact normalises by itself: (value - offset) * scale, by channel. For programs that do so before it. */',
        _array('mmkd_offset', ['MMKD_CHANNELS'], student.offset.flatten().numpy()),
        _array('mmkd_scale', ['MMKD_CHANNELS'], student.scale.flatten().numpy()),
        '',
        '/* Windows as recorded, channel by channel, and what the artefact gives for them. */',
        _array('mmkd_golden_signal', ['MMKD_GOLDEN', 'MMKD_CHANNELS', 'MMKD_WINDOW'], golden[INPUT]),
        *(_array(f'mmkd_golden_{key}', ['MMKD_GOLDEN', 'MMKD_CLASSES'], golden[key]) for key in OUTPUTS),
        '',
        f'#endif /* {guard} */',
        '',
    ]
    return '\n'.join(lines)


def _array(name: str, sizes: Sequence[str], values: NDArray) -> str:
    dims = ''.join(f'[{size}]' for size in sizes)
    return f'static const float {name}{dims} = {_braces(values)};'


def _braces(values: NDArray) -> str:
    if values.ndim > 1:
        return '{' + ',\n'.join(_braces(row) for row in values) + '}'
    numbers = [_number(value) for value in values]
    rows = [', '.join(numbers[start : start + LINE]) for start in range(0, len(numbers), LINE)]
    return '{' + ',\n '.join(rows) + '}'


def _number(value: float) -> str:
    """Return a float32 as a C literal that is read back as the same number."""
    text = str(np.float32(value))  # the shortest text of this float32
    return f'{text}f' if '.' in text or 'e' in text else f'{text}.0f'


def _texts(name: str, size: str, texts: Sequence[str]) -> str:
    return f'static const char *const {name}[{size}] = {{{", ".join(map(_text, texts))}}};'


def _text(text: str) -> str:
    """Return a C string literal in UTF-8; what is no plain character is written in octal digits."""
    plain = ''.join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f'\\{byte:03o}' for byte in text.encode())
    return f'"{plain}"'


def _comment(text: str) -> str:
    return text.replace('*/', '* /')
