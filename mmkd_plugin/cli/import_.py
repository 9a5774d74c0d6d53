"""``mmkd import``: recordings, weights and logs of other programs, converted into files of this package."""

from __future__ import annotations

import argparse

from .arguments import command_line

__all__ = ['add_arguments', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = parser.add_subparsers(dest='action', required=True)
    recordings = actions.add_parser(
        'recordings', help='a pickle of (X, y) for each subject, as a file that ArrayRecordings reads', allow_abbrev=False
    )
    recordings.add_argument('source', help='the pickle; anything in it but arrays is refused, and nothing is run')
    recordings.add_argument('target', help='the file to write, .npz')
    channels = recordings.add_mutually_exclusive_group(required=True)
    channels.add_argument('--channels', nargs='+', metavar='NAME', help='names of the channels, in their order')
    channels.add_argument('--channels-of', metavar='READER', help='the channels of a reader of a published format, as PAMAP2')
    recordings.add_argument(
        '--classes', nargs='+', required=True, metavar='NAME', help='names of the classes, in the order of the labels from 0'
    )
    recordings.add_argument('--rate', type=float, required=True, metavar='HZ', help='samples per second')
    recordings.add_argument('--subjects', nargs='+', metavar='NAME', help='names of the subjects; numbers from 0 by default')
    recordings.add_argument(
        '--trim',
        nargs=2,
        type=int,
        default=[0, 0],
        metavar='SAMPLES',
        help='what to leave out at the begin and at the end of every recording',
    )
    recordings.add_argument('--channels-first', action='store_true', help='X is (C, T), or (N, C, T) where windows were cut')
    checkpoint = actions.add_parser(
        'checkpoint', help='weights of a wide residual network in the names of published code', allow_abbrev=False
    )
    checkpoint.add_argument('source', help='the checkpoint, .pth.tar or .pth')
    checkpoint.add_argument('target', help='the file to write, .pth')


def run(args: argparse.Namespace) -> None:
    """Convert one file."""
    dict(recordings=_recordings, checkpoint=_checkpoint)[args.action](args)


def _recordings(args: argparse.Namespace) -> None:
    from mmkd_plugin.apis.imports import channels_of, import_recordings

    channels = args.channels or channels_of(args.channels_of)
    found = import_recordings(
        args.source, args.target, channels, args.classes, args.rate, args.subjects, args.trim, args.channels_first
    )
    subjects = list(dict.fromkeys(recording.subject for recording in found.recordings))
    samples = sum(len(recording.signal) for recording in found.recordings)
    print(f'{len(found.recordings):,} recording(s) of {len(subjects)} subject(s), {samples:,} samples: {args.target}')
    print(f'in a config: reader=dict(type={"ArrayRecordings"!r}, root={args.target!r})')
    print(f'next: {command_line("data", "inspect", args.target)}')


def _checkpoint(args: argparse.Namespace) -> None:
    from mmkd_plugin.apis.imports import import_checkpoint

    found = import_checkpoint(args.source, args.target)
    print(f'{found["params"]:,} parameters, {found["channels"]} channels, {found["classes"]} classes: {args.target}')
    if found['left_out']:
        print(f'left out: {", ".join(map(str, found["left_out"]))}')
    print(f'in a config: network={found["network"]!r}, checkpoint={args.target!r}')
