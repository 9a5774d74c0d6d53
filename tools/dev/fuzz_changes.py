"""Seeded changes of a file, that know what the file is made of: bytes, lines and fields, trees, members of an archive."""

from __future__ import annotations

import copy
import io
import json
import re
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import torch
import yaml

from mmkd_plugin.fileio import facts_hash

__all__ = ['mutate']

EXTREMES = ['0', '-1', '1e999', 'NaN', 'inf', '-inf', '9' * 400, '1e308', '9223372036854775808', '', '1_000', '٣', '0x10']
VALUES = [None, True, 0, -1, 2**63, 10**400, 1e308, float('nan'), float('inf'), '', 'x', 'ä\0', [], {}, [[]], {'type': 'x'}]
NUMBER = re.compile(rb'-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?')
PIECES = [b'\0', b'\xff\xfe', b'\xef\xbb\xbf', b'\r', b'\n', b',', b'"', b';', b' ', b'\x80', b'[' * 2000, b'{"a":' * 500]
MOST = 100_000  # nodes of a tree that are counted


def mutate(data: bytes, suffix: str, random: Random) -> bytes:
    """Return the content of a file after one to three changes.

    Args:
        data (bytes): The content.
        suffix (str): Of the file's name, which says how the content is built.
        random (Random): Decides everything.
    """
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        way = random.choice(WAYS.get(suffix, ()) or (of_bytes,))
        try:
            data = way(data, random)
        except Exception:  # noqa: BLE001 - an earlier change has left nothing of that structure
            data = of_bytes(data, random)
    return data


def of_bytes(data: bytes, random: Random) -> bytes:
    """Flip, set, cut, insert, repeat, swap or clear."""
    size = len(data)
    start = random.randrange(size + 1)
    stop = min(size, start + random.choice([1, 2, 8, 64, 1024]))
    part = data[start:stop]
    kind = random.randrange(8)
    if kind == 0 and part:
        return data[:start] + bytes([part[0] ^ 1 << random.randrange(8)]) + data[start + 1 :]
    if kind == 1 and part:
        return data[:start] + random.choice([b'\0', b'\x7f', b'\x80', b'\xff', random.randbytes(1)]) + data[start + 1 :]
    if kind == 2:
        return data[:start]
    if kind == 3:
        return data[:start] + data[stop:]
    if kind == 4:
        return data[:start] + random.choice([*PIECES, random.randbytes(8)]) + data[start:]
    if kind == 5:
        return data[:stop] + part * random.choice([1, 2, 50]) + data[stop:]
    if kind == 6:
        end = min(size, stop + len(part))
        return data[:start] + data[stop:end] + part + data[end:]
    return data[:start] + bytes(len(part)) + data[stop:]


def of_numbers(data: bytes, random: Random) -> bytes:
    """Put an extreme in the place of a number."""
    match = random.choice(list(NUMBER.finditer(data)))
    return data[: match.start()] + random.choice(EXTREMES).encode() + data[match.end() :]


def of_lines(data: bytes, random: Random) -> bytes:
    """Double, drop, swap or cut lines, or a field of one."""
    lines = data.split(b'\n')
    i, j = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(6)
    if kind == 0:
        lines.insert(i, lines[j])
    elif kind == 1:
        del lines[i]
    elif kind == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 3:
        lines[i] = lines[i][: random.randrange(len(lines[i]) + 1)]
    else:
        mark = max((b',', b';', b'\t', b':', b' '), key=lines[i].count)
        fields = lines[i].split(mark)
        place = random.randrange(len(fields))
        other = random.choice([None, fields[place] + mark + fields[place], b'x', b'', random.choice(EXTREMES).encode()])
        fields[place : place + 1] = [] if other is None else [other]
        lines[i] = mark.join(fields)
    return b'\n'.join(lines)


def change_tree(tree: Any, random: Random) -> Any:
    """Drop, rename, double or exchange one node of a tree of dicts and lists; return the tree."""
    nodes = [(None, None, tree)]
    for _, _, node in nodes:  # grows while it is walked
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        nodes += [(node, key, value) for key, value in children][: max(0, MOST - len(nodes))]
    (parent, key, value), (_, _, other) = random.choice(nodes), random.choice(nodes)
    if parent is None:
        return random.choice(VALUES) if random.random() < 0.2 else tree
    kind = random.randrange(5)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[f'{key}x' if isinstance(key, str) else 'x'] = parent.pop(key)
    elif kind == 2 and isinstance(parent, list):
        parent.insert(random.randrange(len(parent) + 1), copy.deepcopy(value))
    elif isinstance(value, torch.Tensor):
        parent[key] = random.choice([value[None], value.reshape(-1)[:-1], value * float('nan'), value.double(), value.long()])
    else:
        parent[key] = random.choice([*VALUES, copy.deepcopy(other), -value if type(value) in (int, float) else 0])
    return tree


def sealed_again(facts: Any, random: Random) -> Any:
    """Hash facts anew in half of the cases, as whoever changes a file on purpose does."""
    if isinstance(facts, dict) and 'sha256' in facts and random.random() < 0.5:
        rest = {key: value for key, value in facts.items() if key != 'sha256'}
        return {**rest, 'sha256': facts_hash(rest)}
    return facts


def of_json(data: bytes, random: Random) -> bytes:
    return json.dumps(sealed_again(change_tree(json.loads(data), random), random)).encode()


def of_json_lines(data: bytes, random: Random) -> bytes:
    lines = data.split(b'\n')
    place = random.choice([i for i, line in enumerate(lines) if line.strip()])
    lines[place] = of_json(lines[place], random)
    return b'\n'.join(lines)


def of_yaml(data: bytes, random: Random) -> bytes:
    return yaml.safe_dump(change_tree(yaml.safe_load(data), random)).encode()


def of_members(data: bytes, random: Random) -> bytes:
    """Change one member of an archive, whose sums are right again afterwards; or drop or double one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, 'w') as target:
        chosen, kind = random.choice(source.infolist()), random.randrange(6)
        for info in source.infolist():
            content = source.read(info)
            if info is chosen and kind == 0:
                continue
            if info is chosen and kind == 1:
                target.writestr(f'{info.filename}x', content)
            if info is chosen and kind > 1:
                # Half of the changes hit the head of an array, which says what the rest is.
                cut = min(len(content), 128) if random.random() < 0.5 else len(content)
                content = of_bytes(content[:cut], random) + content[cut:]
            target.writestr(info.filename, content)
    return out.getvalue()


def of_checkpoint(data: bytes, random: Random) -> bytes:
    """Change one value in a checkpoint, and hash its contract anew in half of the cases."""
    checkpoint = change_tree(torch.load(io.BytesIO(data), map_location='cpu', weights_only=True), random)
    meta = checkpoint.get('meta') if isinstance(checkpoint, dict) else None
    if isinstance(meta, dict) and 'contract' in meta and random.random() < 0.5:
        meta['contract_sha256'] = facts_hash(meta['contract'])
    out = io.BytesIO()
    torch.save(checkpoint, out)
    return out.getvalue()


TEXT: tuple[Callable, ...] = (of_lines, of_lines, of_numbers, of_bytes)
WAYS: dict[str, tuple[Callable, ...]] = {
    **dict.fromkeys(('.csv', '.txt', '.tsv', '.ts', '.dat', '.arff', '.log'), TEXT),
    '.json': (of_json, of_json, of_json, of_numbers, of_bytes),
    '.jsonl': (of_json_lines, of_json_lines, of_json_lines, of_lines, of_bytes),
    '.yml': (of_yaml, of_yaml, of_lines, of_numbers, of_bytes),
    '.npz': (of_members, of_members, of_bytes),
    '.pth': (of_checkpoint, of_members, of_bytes),
}
