"""Test a checkpoint of a config's deployed network on the test subjects."""

import argparse
import json
import sys

from mmengine.config import DictAction

from mmkd_plugin.apis import evaluate_checkpoint, load_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, for example configs/fam_kd.py')
    parser.add_argument('checkpoint', help='<work_dir>/student_best.pth, or a checkpoint of the run')
    parser.add_argument('--work-dir', help='where the log is written; work_dirs/<config> by default')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override the config')
    args = parser.parse_args()
    try:
        cfg = load_config(args.config, args.work_dir, cfg_options=args.cfg_options)
        figures = evaluate_checkpoint(cfg, args.checkpoint)
    except (ValueError, KeyError, FileNotFoundError, ImportError) as error:
        sys.exit(f'error: {error.args[0] if error.args else error}')
    print(json.dumps({'checkpoint': args.checkpoint, 'test': figures}))


if __name__ == '__main__':
    main()
