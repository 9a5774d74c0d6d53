"""``mmkd completion``: completion of commands, options and files in the shell."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('shell', choices=['bash', 'zsh', 'tcsh'], help='where the lines go: see docs/commands.md')


def run(args: argparse.Namespace) -> None:
    """Print the script of a shell."""
    import shtab

    from .main import build_parser

    parser = build_parser()
    for action in _actions(parser):
        if action.choices is None and action.nargs != 0 and action.type is None:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(parser, args.shell))


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from _actions(child)
