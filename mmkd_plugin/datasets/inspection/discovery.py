"""Which reader knows a folder or file."""

from __future__ import annotations

from inspect import Parameter, signature
from pathlib import Path

from mmkd_plugin.registry import TASK_UTILS

from ..readers import Reader

__all__ = ['find_reader']


def find_reader(path: str | Path, name: str | None = None, options: dict | None = None) -> Reader:
    """Ask every registered reader whether it knows a folder or file.

    Args:
        path (str | Path): Of the data.
        name (str, optional): The one reader to ask; what it misses is then said in its own words.
        options (dict, optional): Of the reader, beside its root.

    Returns:
        Reader: Whose ``parts()`` finds its format there.

    Raises:
        FileNotFoundError: There is no such path, or no reader knows it.
        ValueError: Several readers know it, the named one does not exist or takes other options, or the only one that knows the
            path says that it is damaged.
    """
    path, options = Path(path), options or {}
    kinds = {k: kind for k, kind in TASK_UTILS.module_dict.items() if isinstance(kind, type) and issubclass(kind, Reader)}
    if name is not None:
        if name not in kinds:
            raise ValueError(f'there is no reader {name!r}; there are {", ".join(sorted(kinds))}')
        reader = _build(kinds[name], path, options)
        reader.parts()
        return reader
    if not path.exists():
        raise FileNotFoundError(f'{path} is not there')
    found, said = _asked(kinds, path, options)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise ValueError(f'{" and ".join(sorted(found))} both know {path}: choose one by --reader')
    if len(said) == 1:
        raise said[0]
    inside = {folder: _asked(kinds, folder, options)[0] for folder in sorted(path.iterdir() if path.is_dir() else ())}
    hints = [f'; {folder} is {" or ".join(readers)}' for folder, readers in inside.items() if readers]
    raise FileNotFoundError(
        f'no reader knows {path}: asked were {", ".join(sorted(kinds))}; --reader NAME says what that one looks for'
        f'{"".join(hints[:3])}'
    )


def _asked(kinds: dict[str, type], path: Path, options: dict) -> tuple[dict[str, Reader], list[ValueError]]:
    """Readers that know a path, and what those say that know it and find it damaged."""
    found, said = {}, []
    for name, kind in kinds.items():
        try:
            reader = _build(kind, path, options)
        except ValueError:  # its options are others
            continue
        try:
            if reader.parts():
                found[name] = reader
        except OSError:
            continue
        except ValueError as error:
            said.append(error)
    return found, said


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
