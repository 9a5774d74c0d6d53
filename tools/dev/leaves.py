"""What the first lines of configs say about their methods.

    # RKD: distances and angles between samples, from the signal teacher.
    # Paper: Relational Knowledge Distillation (Park et al., CVPR 2019), https://arxiv.org/abs/1904.05068

The second line stands in one config of each method; the link may be left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs'
NOT_METHODS = {'_base_', 'searches', 'supervised', 'sweeps', 'teachers'}
METHOD = re.compile(r'# (?P<method>[^:]+): (?P<summary>.+)')
PAPER = re.compile(r'# Paper: (?P<title>.+?) \((?P<source>.+)\)(?:, (?P<url>https?://\S+))?')


@dataclass(frozen=True)
class Leaf:
    """A config of a method, as its first lines describe it; the paper's fields are empty where no line names a paper."""

    path: Path
    method: str
    summary: str
    title: str = ''
    source: str = ''
    url: str = ''


def read_leaf(path: Path) -> Leaf:
    """Return the description in the first lines of a config.

    Raises:
        ValueError: The first line does not name the method, or the second names a paper in another form.
    """
    first, second = [*path.read_text(encoding='utf-8').splitlines(), '', ''][:2]
    method, paper = METHOD.fullmatch(first), PAPER.fullmatch(second)
    if method is None or method['method'] == 'Paper':
        raise ValueError(f"{path}: the first line must read '# <method>: <what this config does>', got {first!r}")
    if paper is None and second.startswith('# Paper'):
        raise ValueError(f"{path}: the second line must read '# Paper: <title> (<authors and year>), <link>', got {second!r}")
    return Leaf(path, **method.groupdict(), **(paper.groupdict('') if paper else {}))


def methods(configs: Path = CONFIGS) -> list[Leaf]:
    """Return the configs of all methods, in the order of their paths.

    Raises:
        ValueError: A method's paper is named in no config or in several.
    """
    paths = [p for p in sorted(configs.rglob('*.py')) if not NOT_METHODS & set(p.relative_to(configs).parts)]
    leaves = [read_leaf(path) for path in paths]
    for method in sorted({leaf.method for leaf in leaves}):
        named = [leaf.path.name for leaf in leaves if leaf.method == method and leaf.title]
        if len(named) != 1:
            raise ValueError(f"one config of {method} must have a second line '# Paper: …', found {', '.join(named) or 'none'}")
    return leaves


@cache
def config_of(path: Path) -> Config:
    """Return a resolved config, which is read once: mmengine takes a tenth of a second."""
    return Config.fromfile(path)


def between(text: str, name: str, new: str, writer: str = 'lists.py') -> str:
    """Return a text with the part between the two markers of a list replaced.

    Raises:
        ValueError: A marker is missing.
    """
    begin, end = f'<!-- begin {name}: written by tools/dev/{writer} -->', f'<!-- end {name} -->'
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f'the text needs each of the markers {begin!r} and {end!r} once')
    head, _, rest = text.partition(begin)
    return f'{head}{begin}\n\n{new}\n\n{end}{rest.partition(end)[2]}'
