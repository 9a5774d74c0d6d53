"""Run configs with several seeds, one after another, and print a table; finished runs are skipped."""

import argparse
import sys
from pathlib import Path

from mmkd_plugin.experiments import markdown_table, plan_runs, read_records, run_sweep


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('configs', nargs='+', help='config files')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='seeds of the student; teachers keep theirs')
    parser.add_argument('--folder', default='work_dirs/sweep', help='where runs, runs.jsonl and table.md are written')
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='override every config')
    args = parser.parse_args()
    try:
        runs = plan_runs(args.configs, args.seeds, args.cfg_options)
        failed = run_sweep(runs, args.folder, say=lambda line: print(line, flush=True))
        wanted = {(run.key, run.seed) for run in runs}
        records = [r for r in read_records(Path(args.folder, 'runs.jsonl')) if (r['key'], r['seed']) in wanted]
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f'error: {error}')
    table = markdown_table(records)
    Path(args.folder, 'table.md').write_text(table + '\n')
    print(table)
    print(f'runs: {args.folder}/runs.jsonl  table: {args.folder}/table.md')
    if failed:
        sys.exit(f'error: {len(failed)} of {len(runs)} runs failed')


if __name__ == '__main__':
    main()
