"""Steps per second of training alone and beside another run of its kind, by the number of threads and OpenMP's way of waiting.

Every run is a process of its own. A row is measured with one process and with two, which begin their steps together; the
rows take turns, and medians are taken.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

READY = 'ready\n'
CHOSEN = 'chosen'  # as `mmkd train` chooses
ROWS = ((CHOSEN, 'PASSIVE'), ('1', 'PASSIVE'), ('2', 'PASSIVE'), ('2', 'ACTIVE'))


def steps_per_second(name: str, threads: str, waiting: str, runs: int, seconds: float) -> list[float]:
    """The speed of each of so many processes that run at once."""
    environment = {**os.environ, 'OMP_WAIT_POLICY': waiting}
    environment.pop('OMP_NUM_THREADS', None)
    if threads != CHOSEN:
        environment['OMP_NUM_THREADS'] = threads
    command = [sys.executable, str(Path(__file__).resolve()), name, '--seconds', str(seconds), '--worker']
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(runs)]
    for process in processes:  # all are warm before one begins
        while process.stdout.readline() != READY:
            pass
    for process in processes:
        process.stdin.write('\n')
        process.stdin.flush()
    return [float(process.communicate()[0]) for process in processes]


def work(name: str, seconds: float) -> None:
    """Make steps for so long, once a line comes in, and print how many there were in a second."""
    import torch
    from mmengine.logging import MessageHub
    from mmengine.registry import init_default_scope
    from steps import CONFIGS, stepper

    from mmkd_plugin.apis import load_config
    from mmkd_plugin.apis.threads import choose_threads, count_operations
    from mmkd_plugin.experiments.launch import usable_cores

    init_default_scope('mmkd_plugin')
    hub = MessageHub.get_instance('steps')
    hub.update_info('iter', 50)
    hub.update_info('max_iters', 100)
    cfg = load_config(CONFIGS / f'{name}.py')
    model, step = stepper(cfg)
    if 'OMP_NUM_THREADS' not in os.environ:
        operations = count_operations(model, cfg.train_dataloader.batch_size)
        torch.set_num_threads(choose_threads(operations, len(usable_cores())))
    for _ in range(5):
        step()
    print(READY, end='', flush=True)
    sys.stdin.readline()
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        step()
        count += 1
    print(count / (time.perf_counter() - start))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', default=['supervised/student', 'fam_kd'], help='configs below configs/')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=6.0)
    parser.add_argument('--worker', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.worker:
        return work(args.names[0], args.seconds)
    print('| config | threads | OpenMP waits | alone, steps per second | two at once | both / alone |')
    print('|---|---:|---|---:|---:|---:|')
    for name in args.names:
        times = [
            {(row, runs): steps_per_second(name, *row, runs, args.seconds) for row in ROWS for runs in (1, 2)}
            for _ in range(args.repeats)
        ]
        for row in ROWS:
            alone = median(each[row, 1][0] for each in times)
            both = [median(sorted(each[row, 2])[k] for each in times) for k in (0, 1)]
            print(f'| `{name}` | {row[0]} | {row[1]} | {alone:.1f} | {both[0]:.1f} + {both[1]:.1f} | {sum(both) / alone:.2f} |')


if __name__ == '__main__':
    main()
