"""Test a checkpoint of a config's deployed network on the test subjects."""

import argparse
import json
import sys

from mmkd_plugin.apis import (
    add_config_arguments,
    choose_corruptions,
    evaluate_checkpoint,
    evaluate_corruptions,
    format_corruptions,
    load_config,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_config_arguments(parser)
    parser.add_argument('checkpoint', help='<work_dir>/student_best.pth, or a checkpoint of the run')
    parser.add_argument('--work-dir', help='where the log is written; work_dirs/<config> by default')
    parser.add_argument(
        '--corruptions',
        nargs='*',
        metavar='NAME',
        help='test corrupted windows too: kinds (noise, missing, ...) or levels (noise-0.06), all of them by default',
    )
    args = parser.parse_args()
    try:
        suite = choose_corruptions(args.corruptions or [])
        cfg = load_config(args.config, args.work_dir, cfg_options=args.cfg_options, fold=args.fold)
        if args.corruptions is None:
            print(json.dumps({'checkpoint': args.checkpoint, 'test': evaluate_checkpoint(cfg, args.checkpoint)}))
            return
        result = evaluate_corruptions(cfg, args.checkpoint, suite)
    except (ValueError, KeyError, FileNotFoundError, ImportError) as error:
        sys.exit(f'error: {error.args[0] if error.args else error}')
    print(format_corruptions(result))
    print(f'figures: {cfg.work_dir}/corruptions.json')


if __name__ == '__main__':
    main()
