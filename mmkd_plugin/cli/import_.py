"""``mmkd import``: recordings, weights and logs of other programs, converted into files of this package."""

from __future__ import annotations

import argparse

from .arguments import add_config_arguments, command_line, config_of

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
    images = actions.add_parser('images', help="images of a config's windows, one array for each subject", allow_abbrev=False)
    add_config_arguments(images)
    images.add_argument(
        'source', help="path of the arrays (N, C, H, W), with {index}, the subject's number from 0, or {subject}, the name"
    )
    images.add_argument('target', help='the index to write, .npz; the arrays stay where they are')
    images.add_argument('--labels', metavar='PATH', help='path of the labels of the images, likewise, to compare their order')
    images.add_argument('--channels-last', action='store_true', help='images are (N, H, W, C)')
    _add_log_arguments(actions.add_parser('log', help='text logs, as records for mmkd report', allow_abbrev=False))


def _add_log_arguments(log: argparse.ArgumentParser) -> None:
    log.add_argument('source', nargs='+', help='the logs')
    log.add_argument('--records', required=True, metavar='FILE', help='file that the records are appended to, as runs.jsonl')
    log.add_argument(
        '--pattern',
        nargs='+',
        required=True,
        action='extend',
        metavar='REGEX',
        help='regular expressions, searched in the path and in every line; groups: accuracy, val_accuracy, macro_f1, epoch, '
        'method, data, fold, seed, subject, as (?P<accuracy>[0-9.]+)',
    )
    log.add_argument('--unit', choices=['percent', 'share'], required=True, help='unit of the metrics')
    log.add_argument('--method', metavar='NAME', help='where no pattern gives the method')
    log.add_argument('--data', metavar='NAME', help='likewise the data')
    log.add_argument('--fold', type=int, help='likewise the fold, from 0')
    log.add_argument('--seed', type=int, help='likewise the seed')
    log.add_argument('--subject', metavar='NAME', help='likewise the subject who is tested')
    log.add_argument('--epochs', type=int, help='number of epochs of a whole run; a shorter one is recorded as failed')
    log.add_argument(
        '--best-on-test',
        action='store_true',
        help='take the epoch that is best on the test split for the best; it is no result',
    )


def run(args: argparse.Namespace) -> None:
    """Convert one file."""
    dict(recordings=_recordings, checkpoint=_checkpoint, images=_images, log=_log)[args.action](args)


def _recordings(args: argparse.Namespace) -> None:
    from mmkd_plugin.apis.imports import channels_of, import_recordings

    channels = args.channels or channels_of(args.channels_of)
    content = import_recordings(
        args.source, args.target, channels, args.classes, args.rate, args.subjects, args.trim, args.channels_first
    )
    subjects = list(dict.fromkeys(recording.subject for recording in content.recordings))
    samples = sum(len(recording.signal) for recording in content.recordings)
    print(f'{len(content.recordings):,} recording(s) of {len(subjects)} subject(s), {samples:,} samples: {args.target}')
    print(f'in a config: reader=dict(type={"ArrayRecordings"!r}, root={args.target!r})')
    print(f'next: {command_line("data", "inspect", args.target)}')


def _checkpoint(args: argparse.Namespace) -> None:
    from mmkd_plugin.apis.imports import import_checkpoint

    facts = import_checkpoint(args.source, args.target)
    print(f'{facts["params"]:,} parameters, {facts["channels"]} channels, {facts["classes"]} classes: {args.target}')
    if facts['left_out']:
        print(f'left out: {", ".join(map(str, facts["left_out"]))}')
    print(f'in a config: network={facts["network"]!r}, checkpoint={args.target!r}')


def _images(args: argparse.Namespace) -> None:
    from mmkd_plugin.apis.imports import import_images

    facts = import_images(config_of(args), args.source, args.target, args.labels, args.channels_last)
    print(f'{facts["images"]:,} images {facts["shape"]} of {facts["subjects"]} subject(s): {args.target}')
    if not args.labels:
        print('only numbers were compared with those of the windows, and not the order: --labels compares that too')
    view = f'dict(_delete_=True, type="StoredImages", index={args.target!r}, sha256={facts["sha256"]!r})'
    print(f'in a config: data_preprocessor = dict(views=dict(<view>={view}))')


def _log(args: argparse.Namespace) -> None:
    from mmkd_plugin.experiments import append_record, read_log

    given = {name: getattr(args, name) for name in ('method', 'data', 'fold', 'seed', 'subject')}
    known = {name: value for name, value in given.items() if value is not None}
    records = [
        record
        for path in args.source
        for record in read_log(path, args.pattern, args.unit, known, args.best_on_test, args.epochs)
    ]
    runs = [tuple(record[name] for name in ('method', 'data', 'fold', 'seed')) for record in records]
    twice = next((run for run in runs if runs.count(run) > 1), None)
    if twice:
        words = ', '.join(f'{name} {value}' for name, value in zip(('method', 'data', 'fold', 'seed'), twice))
        raise ValueError(f'several logs are of one run: {words}; a pattern or an option has to tell them apart')
    for record in records:
        append_record(record, args.records)
        print(_describe(record))
    print(f'{len(records)} record(s): {args.records}')
    print(f'next: {command_line("report", args.records)}')


def _describe(record: dict) -> str:
    fold = '' if record['fold'] is None else f', fold {record["fold"]}'
    run = f'{record["data"]}: {record["method"]}{fold}, seed {record["seed"]}'
    if record['ended']['state'] == 'failed':
        return f'{run}: failed: {record["ended"]["reason"]}'
    test = record['networks'][0]['test']
    best = f', best {record["code"]["imported"]["best"]} {100 * test["best"]["accuracy"]:.2f} %' if test['best'] else ''
    return f'{run}: last epoch {100 * test["last"]["accuracy"]:.2f} %{best}'
