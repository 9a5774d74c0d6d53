"""Pickles as Python 2 has written them, opcode by opcode: arrays in lists and tuples, protocols 0 and 2."""

import struct

import numpy as np

__all__ = ['dump', 'raw_array']


def dump(value, protocol: int = 2) -> bytes:
    """Return the pickle of arrays, in lists and tuples."""
    return (b'\x80\x02' if protocol == 2 else b'') + _write(value, protocol) + b'.'


def raw_array(kind: str, shape: tuple, content: bytes, protocol: int = 2, order: str = '<') -> bytes:
    """Return the opcodes of an array, whatever its parts say; ``content`` is written as a text of Python 2."""
    number = _number(protocol)
    dtype = (
        b'cnumpy\ndtype\n('
        + b''.join([_text(kind.encode(), protocol), number(0), number(1)])
        + b'tR('
        + b''.join([number(3), _text(order.encode(), protocol), b'NNN', number(-1), number(-1), number(0)])
        + b'tb'
    )
    empty = b'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(' + number(0) + b't' + _text(b'b', protocol) + b'tR'
    sizes = b'(' + b''.join(map(number, shape)) + b't'
    return empty + b'(' + number(1) + sizes + dtype + b'I00\n' + _text(content, protocol) + b'tb'


def _write(value, protocol: int) -> bytes:
    if isinstance(value, (list, tuple)):
        parts = [_write(each, protocol) for each in value]
        return b'(l' + b''.join(part + b'a' for part in parts) if isinstance(value, list) else b'(' + b''.join(parts) + b't'
    array = np.ascontiguousarray(value)
    return raw_array(array.dtype.str[1:], array.shape, array.tobytes(), protocol)


def _number(protocol: int):
    return lambda n: struct.pack('<ci', b'J', n) if protocol == 2 and -(2**31) <= n < 2**31 else f'I{n}\n'.encode()


def _text(content: bytes, protocol: int) -> bytes:
    if protocol == 2:
        return struct.pack('<ci', b'T', len(content)) + content
    return f'S{repr(content)[1:]}\n'.encode()  # a text of Python 2 looks as bytes do in Python 3
