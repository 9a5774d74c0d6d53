"""Check the outputs that are kept of a config's teachers: some windows are computed again and compared."""

import argparse
import sys

from mmkd_plugin.apis import add_config_arguments, load_config, verify_caches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('action', choices=['verify'])
    add_config_arguments(parser)
    parser.add_argument('--samples', type=int, default=16, help='windows to compute again')
    args = parser.parse_args()
    try:
        checks = verify_caches(load_config(args.config, cfg_options=args.cfg_options, fold=args.fold), args.samples)
    except (ValueError, KeyError, FileNotFoundError, ImportError) as error:
        sys.exit(f'error: {error.args[0] if error.args else error}')
    for check in checks:
        said = f'largest relative difference {check.error:.1e} over {check.samples} windows' if check.found else 'not there'
        print(f'teacher {check.teacher}: {said} ({check.folder})')
    stale = [check.teacher for check in checks if check.found and not check.good]
    if stale:
        sys.exit(f'error: the outputs kept of {", ".join(stale)} are not what the teachers say; delete their folders')


if __name__ == '__main__':
    main()
