"""The winner of a search as a config that inherits from the method's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd_plugin.experiments.filters import plain_value
from mmkd_plugin.fileio import SHIPPED, ConfigError, merge_options, read_config, resolve_config, write_atomically

from .overrides import data_of

__all__ = ['options_beside', 'write_winner']


def options_beside(method: str, data: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a config of a method cannot hold, and ``--cfg-options`` can.

    These are settings of teachers' configs, the place of the data and, where other data take the place of the config's own,
    what is set of the data: it goes with them.

    Args:
        method (str): Config of the method.
        data (str, optional): Data in the place of the config's own.
        settings (Mapping[str, Any]): ``{'dotted.key': value}``.
    """
    own = data_of(resolve_config(method)) if data else None
    exchanged = set(read_config(own).keys()) if own else set()
    return {
        key: value
        for key, value in settings.items()
        if key.startswith('teachers.') or key == 'data_root' or key.partition('.')[0] in exchanged
    }


def write_winner(path: str | Path, method: str, settings: Mapping[str, Any], comments: Sequence[str]) -> None:
    """Write a config that inherits from a method's and has other settings.

    Args:
        path (str | Path): Of the new file.
        method (str): Config of the method.
        settings (Mapping[str, Any]): ``{'dotted.key': value}``, without :func:`options_beside`.
        comments (Sequence[str]): Lines at the head of the file.

    Raises:
        ConfigError: The written config would not be the method's with these settings.
    """
    base = resolve_config(method).resolve()
    merged = read_config(base)
    merge_options(merged, settings)
    content: dict[str, Any] = {}
    for key in settings:
        _set(content, *_whole(merged, key.split('.')))
    shipped = (SHIPPED / 'configs').resolve()
    name = f'mmkd_plugin::configs/{base.relative_to(shipped)}' if base.is_relative_to(shipped) else str(base)
    lines = [*(f'# {comment}' for comment in comments), f'_base_ = {name!r}']
    lines += [f'{key} = {value!r}' for key, value in content.items()]
    write_atomically('\n'.join([*lines, '']).encode(), path)
    written = read_config(path)
    wrong = [key for key in settings if _at(written, key) != _at(merged, key)]
    if wrong:
        raise ConfigError(f'{path}: {", ".join(wrong)} cannot be set in a config that inherits from {base}')


def _whole(cfg: Config, parts: list[str]) -> tuple[list[str], Any]:
    """Return the path and value of a setting; of an entry of a list, those of the list, which a config replaces whole."""
    value: Any = cfg
    for index, part in enumerate(parts):
        if isinstance(value, (list, tuple)):
            return parts[:index], plain_value(value)
        value = value[part]
    return parts, plain_value(value)


def _set(content: dict[str, Any], parts: Sequence[str], value: Any) -> None:
    *above, last = parts
    for part in above:
        content = content.setdefault(part, {})
    content[last] = value


def _at(cfg: Any, key: str) -> Any:
    """Return the value of a dotted key in plain types."""
    for part in key.split('.'):
        cfg = cfg[int(part)] if isinstance(cfg, (list, tuple)) else cfg[part]
    return plain_value(cfg)
