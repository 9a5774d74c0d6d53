"""The engine of a sweep, by the words of a command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import add_pairs, parse_options

if TYPE_CHECKING:
    from mmkd_plugin.experiments.launch import Engine

__all__ = ['ENGINE_OPTIONS', 'add_engine_arguments', 'chosen_gpus', 'engine_of']

ENGINE_OPTIONS = ('engine', 'slurm', 'workers', 'threads', 'gpus', 'runs_per_gpu')


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add :data:`ENGINE_OPTIONS`; :func:`engine_of` reads them."""
    parser.add_argument(
        '--engine',
        choices=('local', 'ray', 'slurm'),
        help='where runs are made: on this machine (local, the default), on a Ray cluster (RAY_ADDRESS), or as jobs of Slurm',
    )
    add_pairs(parser, '--slurm', "options of jobs in submitit's words, as timeout_min=60 slurm_partition=gpu gpus_per_node=1")
    parser.add_argument('--workers', type=int, help='runs at once on the CPU; as many as there are cores; of jobs of Slurm, 16')
    parser.add_argument('--threads', type=int, help='threads of a run; one for small networks')
    parser.add_argument('--gpus', metavar='0,1', help="GPUs that runs are dealt to; all by default, 'none' for the CPU")
    parser.add_argument('--runs-per-gpu', type=int, help='runs at once on a GPU (1); small students leave one idle')


def engine_of(args: argparse.Namespace, folder: Path) -> Engine:
    """Return the engine that a command was given.

    Args:
        args (argparse.Namespace): With the arguments of :func:`add_engine_arguments`.
        folder (Path): Of the sweep.

    Raises:
        ImportError: The engine needs a package that is not installed.
        ValueError: An option is not for this engine, or is beyond what there is.
    """
    if args.slurm and args.engine != 'slurm':
        raise ValueError(f'--slurm {args.slurm[0]} is for --engine slurm')
    threads = 1 if args.threads is None else args.threads
    if args.engine == 'ray':
        return _ray(args, folder, threads)
    if args.engine == 'slurm':
        return _slurm(args, folder, threads)
    return _local(args, folder, threads)


def _local(args: argparse.Namespace, folder: Path, threads: int) -> Engine:
    from mmkd_plugin.experiments.launch import LocalEngine, plan_places, usable_cores

    gpus = chosen_gpus(args.gpus, _visible())
    if args.runs_per_gpu is not None and not gpus:
        why = '--gpus none was given' if args.gpus else _seen(gpus)
        raise ValueError(f'--runs-per-gpu {args.runs_per_gpu}: {why}')
    per_gpu = 1 if args.runs_per_gpu is None else args.runs_per_gpu
    return LocalEngine(plan_places(usable_cores(), threads, args.workers, gpus, per_gpu), folder / 'workers.txt')


def _ray(args: argparse.Namespace, folder: Path, threads: int) -> Engine:
    from mmkd_plugin.experiments.launch import RayEngine

    if args.gpus not in (None, 'none'):
        raise ValueError(f'--gpus {args.gpus} are of one machine; Ray deals out those of its cluster, all or none')
    return RayEngine(folder / 'workers.txt', threads, args.workers, args.runs_per_gpu, cpu=args.gpus == 'none')


def _slurm(args: argparse.Namespace, folder: Path, threads: int) -> Engine:
    from mmkd_plugin.experiments.launch import SlurmEngine

    for option, value in (('--gpus', args.gpus), ('--runs-per-gpu', args.runs_per_gpu)):
        if value is not None:
            raise ValueError(f'{option} {value} is not for --engine slurm; a job asks for a GPU by --slurm gpus_per_node=1')
    return SlurmEngine(folder, parse_options(args.slurm), threads, args.workers)


def chosen_gpus(text: str | None, names: list[str]) -> list[str]:
    """Return the GPUs that ``--gpus`` names.

    Args:
        text (str, optional): Numbers, as ``'0,1'``, or 'none'; None where the option was not given, which means all.
        names (list[str]): Of the GPUs that this process may use, as in ``CUDA_VISIBLE_DEVICES``.

    Raises:
        ValueError: There are no such GPUs, or one is named twice.
    """
    if text is None:
        return names
    if text == 'none':
        return []
    wanted = text.split(',')
    unknown = [word for word in wanted if not word.isdecimal() or int(word) >= len(names)]
    if unknown:
        raise ValueError(f'--gpus {text}: {_seen(names)}')
    if len(set(map(int, wanted))) < len(wanted):
        raise ValueError(f'--gpus {text} names a GPU twice; --runs-per-gpu says how many runs share one')
    return [names[int(word)] for word in wanted]


def _visible() -> list[str]:
    """Return the GPUs that this process may use, as in ``CUDA_VISIBLE_DEVICES``."""
    import torch

    count = torch.cuda.device_count()
    given = os.environ.get('CUDA_VISIBLE_DEVICES')
    return (given.split(',') if given else [str(index) for index in range(count)])[:count]


def _seen(names: list[str]) -> str:
    if not names:
        return 'torch sees no GPU on this machine; without this option, runs are made on the CPU'
    return f'this machine has {len(names)} GPU(s); expected numbers below that, as 0,1, or none'
