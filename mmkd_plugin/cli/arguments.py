"""What the commands have in common: the arguments that name a config, and command lines to be typed next."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmengine.config import Config

__all__ = [
    'CONFIG_OPTIONS',
    'add_config_arguments',
    'add_option_arguments',
    'add_seen_argument',
    'command_line',
    'config_of',
    'parse_options',
    'repeat',
]

CONFIG_OPTIONS = ('data', 'fold', 'quick', 'cfg_options')  # what changes a config, beside its path


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``config`` and what changes it; :func:`config_of` reads them."""
    parser.add_argument('config', help='config file, or the name of a shipped config, for example fam_kd')
    add_option_arguments(parser)


def add_option_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what changes a config, without its path: :data:`CONFIG_OPTIONS`."""
    parser.add_argument(
        '--data', metavar='NAME', help="data in the place of the config's: a name, as hapt, or the path of such a file"
    )
    parser.add_argument('--fold', type=int, help="fold of the data's protocol, from 0")
    parser.add_argument(
        '--quick', action='store_true', help='a first look: two epochs, for teachers too, in folders of their own'
    )
    add_pairs(parser, '--cfg-options', "override the config; keys that begin with teachers. override the teachers' configs")


def add_seen_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--allow-seen-subjects``."""
    parser.add_argument(
        '--allow-seen-subjects', action='store_true', help='take checkpoints that have learned from subjects that are tested'
    )


def add_pairs(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    """Add an option that takes ``KEY=VALUE`` once or several times; :func:`parse_options` reads them."""
    parser.add_argument(name, nargs='+', action='extend', default=[], type=_pair, metavar='KEY=VALUE', help=text)


def _pair(text: str) -> str:
    if not text.partition('=')[1] or text.startswith('='):
        raise argparse.ArgumentTypeError(f'{text!r} is not of the form KEY=VALUE')
    return text


def parse_options(pairs: Iterable[str]) -> dict[str, Any]:
    """Parse ``KEY=VALUE``, see :func:`~mmkd_plugin.fileio.parse_value`.

    Args:
        pairs (Iterable[str]): As they were typed.

    Returns:
        dict[str, Any]: Numbers, booleans, None, lists, tuples and text, by key.

    Raises:
        ValueError: Brackets are not balanced.
    """
    from mmkd_plugin.fileio import parse_value

    options = {}
    for key, _, text in (pair.partition('=') for pair in pairs):
        try:
            options[key] = parse_value(text)
        except ValueError as error:
            raise ValueError(f'{key}: {error}') from error
    return options


def config_of(args: argparse.Namespace, **more: Any) -> Config:
    """Read the config that a command was given.

    Args:
        args (argparse.Namespace): With the arguments of :func:`add_config_arguments`.
        **more (Any): Further arguments of :func:`mmkd_plugin.apis.load_config`.

    Returns:
        Config: Complete.

    Raises:
        FileNotFoundError: As :func:`mmkd_plugin.apis.load_config`.
        ValueError: Likewise.
    """
    from mmkd_plugin.apis import load_config

    given = {name: getattr(args, name) for name in CONFIG_OPTIONS}
    given['cfg_options'] = parse_options(args.cfg_options)
    return load_config(args.config, **given, **more)


def repeat(args: argparse.Namespace, *names: str) -> list[str]:
    """Return the words that give options again: those of the names that were given."""
    words: list[str] = []
    for name in names:
        value = getattr(args, name)
        if value is None or value is False or value == []:
            continue
        values = [] if value is True else value if isinstance(value, list) else [value]
        words += [f'--{name.replace("_", "-")}', *map(str, values)]
    return words


def command_line(*words: str) -> str:
    """Return a command to be typed in the shell that this process was started from."""
    script = shutil.which('mmkd')
    ours = script is not None and Path(script).parent == Path(sys.executable).parent
    return shlex.join(['mmkd' if ours else sys.executable, *([] if ours else ['-m', 'mmkd_plugin']), *words])
