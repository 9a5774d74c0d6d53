"""Requirements of setup.py with their reasons, and what they bring along."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ['DEFAULT', 'ROOT', 'Direct', 'brought_by', 'direct', 'normal', 'write_whole']

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = 'default'  # beside the names of extras: what `pip install -e .` brings


@dataclass(frozen=True)
class Direct:
    """A requirement of setup.py.

    Attributes:
        extra (str): Its extra, or :data:`DEFAULT`.
        requirement (Requirement): Name, versions and marker.
        reason (str): The comment behind the line, or that of an earlier one which speaks for the next too.
    """

    extra: str
    requirement: Requirement
    reason: str

    @property
    def name(self) -> str:
        """The normal form of the name."""
        return normal(self.requirement.name)


def normal(name: str) -> str:
    """Return the name of a package as indices compare names: in lower case, with hyphens."""
    return canonicalize_name(name)


def write_whole(path: Path, text: str) -> None:
    """Write a file that is whole or as before; these tools run where the package is not installed."""
    half = path.with_name(f'{path.name}.part')
    half.write_text(text, encoding='utf-8')
    os.replace(half, path)


def direct(setup: Path = ROOT / 'setup.py') -> list[Direct]:
    """Return the requirements of a setup.py in their order; nothing of the file is run."""
    text = setup.read_text(encoding='utf-8')
    comments = {
        token.start[0]: token.string.lstrip('# ')
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    lists = {
        target.id: node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    default, extras = lists['INSTALL'], lists['EXTRAS']
    groups = [(DEFAULT, default)]
    if isinstance(extras, ast.Dict):
        groups += [(str(ast.literal_eval(key)), value) for key, value in zip(extras.keys, extras.values) if key is not None]
    requirements: list[Direct] = []
    for extra, group in groups:
        reason = ''
        for item in group.elts if isinstance(group, ast.List) else ():
            reason = comments.get(item.lineno, reason)
            alone = re.sub(r', as the next \w+', '', reason)
            requirements.append(Direct(extra, Requirement(ast.literal_eval(item)), alone))
    return requirements


def brought_by(requirements: list[Requirement]) -> set[str]:
    """Return the normal names of requirements and of all that these require, of what is installed here.

    Args:
        requirements (list[Requirement]): Their markers are held against this interpreter.
    """
    known: set[tuple[str, str]] = set()
    waiting = [*requirements]
    while waiting:
        requirement = waiting.pop()
        for extra in ('', *requirement.extras):
            key = normal(requirement.name), extra
            if key not in known:
                known.add(key)
                waiting += _requires(*key)
    return {name for name, _ in known}


def _requires(name: str, extra: str) -> Iterator[Requirement]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        requirement = Requirement(line)
        of_extra = bool(re.search(r'\bextra\b', str(requirement.marker)))
        if of_extra == bool(extra) and (requirement.marker is None or requirement.marker.evaluate({'extra': extra})):
            yield requirement
