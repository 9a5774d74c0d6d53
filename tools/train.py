"""Train a config, its missing teachers first, and print its test figures."""

import argparse
import os
import sys

from mmengine.dist import is_main_process

from mmkd_plugin.apis import add_config_arguments, check_config, find_network, format_table, load_config, train


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_config_arguments(parser)
    parser.add_argument('--work-dir', help='where the run writes; work_dirs/<config> by default')
    parser.add_argument(
        '--resume', nargs='?', const=True, default=False, metavar='PATH', help='go on from the newest checkpoint, or from PATH'
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision (needs an accelerator)')
    parser.add_argument('--seed', type=int, help='seed of this run; teachers keep the one of their config')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='see dist_train.sh')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main() -> None:
    args = parse_args()
    try:
        cfg = load_config(
            args.config, args.work_dir, args.resume, args.amp, args.cfg_options, args.launcher, args.seed, args.fold
        )
        check_config(cfg)
    except (ValueError, KeyError, FileNotFoundError, ImportError) as error:
        sys.exit(f'error: {error.args[0] if error.args else error}')
    result = train(cfg)
    if is_main_process():
        print(format_table(result))
        print(f'figures: {cfg.work_dir}/result.json')
        fold = '' if args.fold is None else f' --fold {args.fold}'
        print(f'next: python tools/test.py {args.config} {find_network(result)["checkpoint"]}{fold}')


if __name__ == '__main__':
    main()
