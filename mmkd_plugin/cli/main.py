"""Names and help of the commands; a command's module is imported when the command is called, and heavy ones even later."""

from __future__ import annotations

import argparse
import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from types import ModuleType

from mmkd_plugin.text import printable_output
from mmkd_plugin.version import __version__

from .errors import EXIT_CODES, run_command

__all__ = ['COMMANDS', 'build_parser', 'main']

# A command is a module of this package (import_ for import), with add_arguments(parser) and run(args).
COMMANDS = {
    'train': 'train a config, its missing teachers first, and print its test metrics',
    'test': "test a checkpoint of a config's deployed network on the test subjects",
    'show': 'draw windows and views, what is confused most, activation maps, embeddings, filters, networks and transfers',
    'infer': 'classify recordings of any length by an exported student: table, CSV or JSON',
    'stream': 'replay a recording, and write what a student decides meanwhile',
    'demo': 'show in the browser a signal, its images and what a student decides, from a recording or a client',
    'export': 'write a student as a file for another runtime, and compare it with itself there',
    'sweep': 'make all runs of a matrix of methods, data, folds and seeds, side by side; finished runs are skipped',
    'search': 'choose settings by trials on the validation subjects, and write the best as a config',
    'report': 'make tables and comparisons from the records of runs',
    'data': "look at data, check a download, or convert a config's data ahead of training",
    'import': "convert other programs' recordings, weights and logs into files of this package",
    'doctor': "look at a config's transfers and teachers on a few batches",
    'cache': "check the outputs that are kept of a config's teachers",
    'completion': 'print the lines that let a shell complete commands and options',
}
VERSIONS = ('torch', 'onedl-mmengine', 'mmengine', 'onedl-mmpretrain', 'mmpretrain')


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv (Sequence[str], optional): Words after ``mmkd``; those of the process by default.

    Returns:
        int: Exit code, one of :data:`EXIT_CODES`.
    """
    # Threads that wait for work would keep a core busy that another process needs. Read when torch is loaded.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    with printable_output():
        try:
            words = list(sys.argv[1:] if argv is None else argv)
            args = build_parser([word for word in words[:1] if word in COMMANDS]).parse_args(words)
            module = _module_of(args.command)
        except SystemExit as stop:  # argparse has printed help, the version or what is wrong
            return int(stop.code or 0)
        except KeyboardInterrupt:
            print('stopped', file=sys.stderr)
            return 130
        return run_command(module, args)


def build_parser(commands: Sequence[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Build the parser of ``mmkd``.

    Args:
        commands (Sequence[str]): Commands that get their arguments; the others are only listed.

    Returns:
        argparse.ArgumentParser: Of all commands.
    """
    codes = '\n'.join(f'  {code:<4}{meaning}' for code, meaning in EXIT_CODES.items())
    parser = argparse.ArgumentParser(
        prog='mmkd',
        description='Multimodal knowledge distillation on time series.',
        epilog=f'exit codes:\n{codes}\n\n`mmkd COMMAND --help` lists the arguments of a command.',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument('--version', action=_Version)
    subparsers = parser.add_subparsers(dest='command', metavar='COMMAND', required=True, title='commands')
    for name, summary in COMMANDS.items():
        sentence = summary[0].upper() + summary[1:] + '.'
        subparser = subparsers.add_parser(name, help=summary, description=sentence, allow_abbrev=False)
        if name in commands:
            _module_of(name).add_arguments(subparser)
    return parser


def _module_of(command: str) -> ModuleType:
    return importlib.import_module(f'{__package__}.{command}{"_" if keyword.iskeyword(command) else ""}')


class _Version(argparse.Action):
    """Prints the versions that decide what a run gives."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help='print the versions and exit')

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        versions = [f'mmkd_plugin {__version__}', f'Python {sys.version.split()[0]}']
        for name in VERSIONS:
            try:
                versions.append(f'{name} {metadata.version(name)}')
            except metadata.PackageNotFoundError:
                continue
        print(', '.join(versions))
        parser.exit()
