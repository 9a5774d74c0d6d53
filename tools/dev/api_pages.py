"""Pages of docs/api: what each room of the package exports, described by its docstrings when the site is built."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

__all__ = ['api_pages', 'exporting_modules']


def exporting_modules(name: str = 'mmkd_plugin') -> Iterator[ModuleType]:
    """Yield the rooms below a package in the order of their names, each before its own, and the module of registries.

    Args:
        name (str): Name of the package, which is not among them.
    """
    for module in pkgutil.iter_modules(importlib.import_module(name).__path__, f'{name}.'):
        if module.ispkg or module.name == 'mmkd_plugin.registry':
            yield importlib.import_module(module.name)
        if module.ispkg:
            yield from exporting_modules(module.name)


def api_pages(folder: Path) -> dict[Path, str]:
    """Return what each page should be: one for each room, with sections for the rooms inside.

    An object that several rooms of one page export is described where it is exported first.

    Args:
        folder (Path): Of the pages.
    """
    pages: dict[Path, str] = {}
    described: set[tuple[Path, str, int]] = set()
    for module in exporting_modules():
        page = folder / f'{module.__name__.split(".")[1]}.md'
        names = [name for name in module.__all__ if (page, name, id(getattr(module, name))) not in described]
        described |= {(page, name, id(getattr(module, name))) for name in names}
        if names:
            level = '##' if page in pages else '#'
            pages[page] = f'{pages.get(page, WRITTEN)}\n{level} {module.__name__}\n\n{_directives(module, names)}'
    return pages


WRITTEN = '<!-- written by tools/dev/lists.py -->\n'


def _directives(module: ModuleType, names: list[str]) -> str:
    constants = [name for name in names if not (inspect.isclass(item := getattr(module, name)) or inspect.isroutine(item))]
    lines = [f'.. automodule:: {module.__name__}']
    lines += [f'   :members: {", ".join(name for name in names if name not in constants)}'] * (len(constants) < len(names))
    lines += [f'\n.. py:data:: {module.__name__}.{name}' for name in constants]
    return '\n'.join(['```{eval-rst}', *lines, '```', ''])
