"""What a run of a sweep costs beside its epochs, and how many runs one worker and two make in an hour."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median

from mmkd_plugin.apis import plan_sweep
from mmkd_plugin.experiments import parse_sweep, run_sweep
from mmkd_plugin.experiments.launch import LocalEngine, plan_places, usable_cores
from mmkd_plugin.experiments.watch import Display

SHORT, LONG = 1, 9  # epochs of the two lengths whose difference is that of epochs alone
RUNS = 8


class TimedEngine(LocalEngine):
    """Keeps the seconds of every run, from the moment at which its worker takes it."""

    def poll(self, seconds: float):
        events = super().poll(seconds)
        self.seconds = [*getattr(self, 'seconds', []), *(e.facts['seconds'] for e in events if e.kind == 'finished')]
        return events


def seconds_of(folder: str, name: str, workers: int, runs: int, **base) -> list[float]:
    """The seconds of each run of the student without teachers."""
    content = {'base': {'method': 'supervised/student', **base}, 'axes': {'seed': list(range(runs))}}
    plan = plan_sweep(parse_sweep(content, name), f'{folder}/{name}')
    engine = TimedEngine(plan_places(usable_cores(), workers=workers), f'{folder}/{name}/workers.txt')
    failures = run_sweep(plan, f'{folder}/{name}', engine, Silent())
    if failures:
        raise SystemExit(f'{failures[0].title}: {failures[0].reason}')
    return engine.seconds


class Silent(Display):
    """Says nothing."""

    def say(self, line: str) -> None:
        pass


def main(arguments: list[str] | None = None) -> None:
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            epochs = {
                length: median(
                    seconds_of(folder, f'e{length}', 1, RUNS, data='basic_motions', **{'train_cfg.max_epochs': length})
                )
                for length in (SHORT, LONG)
            }
            epoch = (epochs[LONG] - epochs[SHORT]) / (LONG - SHORT)
            print(f'a run beside its epochs: {epochs[SHORT] - SHORT * epoch:.2f} s, on one core, tests included')
            hours = {}
            for workers in (1, 2):
                seconds = seconds_of(folder, f'w{workers}', workers, RUNS, data='watch', **{'train_cfg.max_epochs': 3})
                hours[workers] = 3600 * workers / median(seconds)
            print(
                f'runs of three epochs per hour: one worker {hours[1]:.0f}, two {hours[2]:.0f}, {hours[2] / hours[1]:.2f} times'
            )
        finally:
            os.chdir(here)


if __name__ == '__main__':
    main()
