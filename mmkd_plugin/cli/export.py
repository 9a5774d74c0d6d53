"""``mmkd export``: a student as a file for another runtime, compared with itself there."""

from __future__ import annotations

import argparse

from .arguments import CONFIG_OPTIONS, add_option_arguments, config_of, repeat
from .errors import fail

__all__ = ['add_arguments', 'run']

ALONE = ('format', 'folder', 'int8', 'qat', 'max_drop', 'header', 'max_params', 'max_ram', 'max_latency', 'config')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument('checkpoint', help='<work_dir>/student_best.pth; with --check an artefact, student_best.onnx')
    parser.add_argument('--check', action='store_true', help='hold an artefact against its contract and golden vectors')
    parser.add_argument('--format', choices=['onnx', 'torchscript', 'executorch', 'tflite'], help='what is written (onnx)')
    parser.add_argument('--folder', help='where it is written; beside the checkpoint by default')
    parser.add_argument('--int8', action='store_true', help='quantise too, calibrated on training windows of --config')
    parser.add_argument(
        '--qat', type=int, metavar='EPOCHS', help='fine-tune for int8 with fake quantisation, by the objective of --config'
    )
    parser.add_argument('--max-drop', type=float, metavar='POINTS', help='accuracy that int8 may cost (1)')
    parser.add_argument('--max-params', type=int, metavar='N', help='most parameters')
    parser.add_argument('--max-ram', type=float, metavar='KIB', help='most memory of activations, in KiB')
    parser.add_argument('--max-latency', type=float, metavar='MS', help='longest 95th percentile for a window, in ms')
    parser.add_argument('--header', action='store_true', help='write a C header with normaliser, labels and golden vectors')
    parser.add_argument(
        '--config', help='config of the run, whose windows the artefact is compared on; golden windows by default'
    )
    add_option_arguments(parser)


def run(args: argparse.Namespace) -> int | None:
    """Export, and print budget cards; or check."""
    given, changes = repeat(args, *ALONE), repeat(args, *CONFIG_OPTIONS)
    if args.check:
        if given or changes:
            raise ValueError(f'--check takes no {[*given, *changes][0]}')
        _check(args.checkpoint)
        return None
    if changes and not args.config:
        raise ValueError(f'{changes[0]} changes a config: name one by --config')
    if args.max_drop is not None and not args.int8:
        raise ValueError('--max-drop is of accuracy that int8 costs: it needs --int8')
    from mmkd_plugin.apis import export_checkpoint, export_faults
    from mmkd_plugin.deploy import Limits

    from .console import reporting

    drop = {} if args.max_drop is None else {'drop': args.max_drop}
    limits = Limits(params=args.max_params, ram=args.max_ram, latency=args.max_latency, **drop)
    with reporting():
        cfg = config_of(args) if args.config else None
        exported = export_checkpoint(
            args.checkpoint, args.folder, args.format or 'onnx', cfg, args.int8, args.header, limits, args.qat
        )
    for artifact in exported:
        print(artifact.to_text())
    faults = export_faults(exported, limits)
    return fail('\n'.join(f'fault: {fault}' for fault in faults)) if faults else None


def _check(path: str) -> None:
    from mmkd_plugin.deploy import load_artifact

    artifact = load_artifact(path)
    count = artifact.facts['golden_windows']
    print(f'{path} fits its contract, and gives what it was exported with for {count} golden windows')
