"""Discovery of the reader that knows a folder or file."""

from __future__ import annotations

import difflib
from inspect import Parameter, signature
from pathlib import Path

from mmkd_plugin.registry import TASK_UTILS

from ..readers import Reader

__all__ = ['find_reader']


def find_reader(path: str | Path, name: str | None = None, options: dict | None = None) -> Reader:
    """Ask every registered reader whether it knows a folder or file.

    Args:
        path (str | Path): Folder or file of the data.
        name (str, optional): Name of the only reader to ask; its own message then says what is missing.
        options (dict, optional): Options of the reader, beside its root.

    Returns:
        Reader: The reader whose ``parts()`` finds its format.

    Raises:
        FileNotFoundError: The path does not exist, or no reader knows it.
        ValueError: Several readers know the path, the named reader does not exist or takes other options, or the only reader
            that knows the path finds it damaged.
    """
    path, options = Path(path), options or {}
    kinds = {k: kind for k, kind in TASK_UTILS.module_dict.items() if isinstance(kind, type) and issubclass(kind, Reader)}
    if name is not None:
        if name not in kinds:
            close = difflib.get_close_matches(name.lower(), lower := {k.lower(): k for k in kinds}, 1)
            nearest = f'; did you mean {lower[close[0]]}' if close else ''
            raise ValueError(f'there is no reader {name!r}{nearest}; there are {", ".join(sorted(kinds))}')
        reader = _build(kinds[name], path, options)
        reader.parts()
        return reader
    if not path.exists():
        raise FileNotFoundError(f'{path} does not exist')
    readers, errors = _ask(kinds, path, options)
    if len(readers) == 1:
        return next(iter(readers.values()))
    if readers:
        raise ValueError(f'{" and ".join(sorted(readers))} both know {path}: choose one by --reader')
    if len(errors) == 1:
        raise errors[0]
    folders = sorted(folder for folder in (path.iterdir() if path.is_dir() else ()) if not folder.name.startswith('.'))
    inside = {folder: _ask(kinds, folder, options)[0] for folder in folders}
    hints = [f'; {folder} is {" or ".join(names)}' for folder, names in inside.items() if names]
    raise FileNotFoundError(
        f'no reader knows {path}: asked were {", ".join(sorted(kinds))}; --reader NAME says what that one looks for'
        f'{"".join(hints[:3])}'
    )


def _ask(kinds: dict[str, type], path: Path, options: dict) -> tuple[dict[str, Reader], list[ValueError]]:
    """Return the readers that know a path, and the errors of those that know the path and find it damaged."""
    readers, errors = {}, []
    for name, kind in kinds.items():
        try:
            reader = _build(kind, path, options)
        except ValueError:  # the reader takes other options
            continue
        try:
            if reader.parts():
                readers[name] = reader
        except OSError:
            continue
        except ValueError as error:
            errors.append(error)
    return readers, errors


def _build(kind: type, path: Path, options: dict) -> Reader:
    named = signature(kind).parameters.get('name')
    if named is not None and named.default is Parameter.empty and 'name' not in options:
        # In the archives, a data set is a folder of its name.
        path, options = path.resolve().parent, {**options, 'name': path.resolve().name}
    try:
        signature(kind).bind(path, **options)
    except TypeError as error:
        raise ValueError(f'{kind.__name__}: {error}; it takes {", ".join(signature(kind).parameters)}') from error
    return kind(path, **options)
