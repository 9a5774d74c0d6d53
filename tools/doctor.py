"""Look at a config's transfers and teachers on a few batches; exit non-zero if something only seems to work."""

import argparse
import sys

from mmkd_plugin.apis import add_config_arguments, diagnose, load_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_config_arguments(parser)
    parser.add_argument('--batches', type=int, default=3, help='training batches to look at')
    args = parser.parse_args()
    try:
        diagnosis = diagnose(load_config(args.config, cfg_options=args.cfg_options, fold=args.fold), args.batches)
    except (ValueError, KeyError, FileNotFoundError, ImportError) as error:
        sys.exit(f'error: {error.args[0] if error.args else error}')
    for number, seen in enumerate(diagnosis.examinations, 1):
        print(f'batch {number}\n{seen.table()}\n')
    for name, size in diagnosis.connectors.items():
        print(f'connector {name}: {size}')
    for name, accuracy in diagnosis.teachers.items():
        record = diagnosis.records.get(name)
        said = 'its checkpoint says nothing of it' if record is None else f'its checkpoint says {100 * record:.2f} %'
        print(f'teacher {name}: {100 * accuracy:.2f} % on validation, {said}')
    if diagnosis.faults:
        sys.exit('\n'.join(f'fault: {fault}' for fault in diagnosis.faults))
    print('no fault found')


if __name__ == '__main__':
    main()
