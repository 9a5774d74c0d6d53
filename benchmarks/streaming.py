"""An hour of recordings as a stream: times the speed of the recording, time per decision, memory."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mmkd_plugin.apis import load_config
from mmkd_plugin.apis.predict import build_loader
from mmkd_plugin.deploy import Contract, SignalInferencer, StreamingInferencer, Student, pack_student

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
HOUR = 3600  # seconds
BACKBONE = dict(backbone=dict(type='WideResNet', dim=1, depth=16, widen_factor=1))
# Samples at a time, whether with time stamps, and the rate as a multiple of the contract's.
CASES = [(1, False, 1), (1, True, 1), (50, False, 1), (50, True, 1), (10_000, True, 1), (100, True, 2)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', nargs='?', default=str(CONFIGS / 'supervised' / 'student.py'))
    parser.add_argument('--data', help='other data, as of every command')
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        cfg = load_config(args.config, work_dir=folder, data=args.data)
        dataset = build_loader(cfg, 'test').dataset
        path = _write_student(Path(folder, 'student_best.pth'), Contract.from_dataset(dataset, cfg, 'sig'))
        signal = np.concatenate([r.signal for r in dataset.data.recordings])
        offline = SignalInferencer(path, device='cpu', show_progress=False)
        samples = signal[: round(HOUR * offline.contract.rate)]
        print(f'{len(samples) / offline.contract.rate / 60:.1f} minutes, windows of {offline.contract.window} samples')
        print('| samples at a time | time stamps | rate | decisions | speed, × | a decision, ms, p50 | p95 |')
        print('|---:|---|---|---:|---:|---:|---:|')
        for size, stamped, factor in CASES:
            stream = StreamingInferencer(offline.model, rate=offline.contract.rate * factor)
            rows, seconds, each = _feed(stream, np.repeat(samples, factor, axis=0), size, stamped)
            if factor == 1 and size == 1 and not stamped:
                expected = offline(samples, batch_size=1)
                first = [row['probabilities'] for row in rows] == [row['probabilities'] for row in expected]
                print(f'equal to the inferencer: {first}')
            speed = len(samples) / offline.contract.rate / seconds
            p50, p95 = np.percentile(each, [50, 95]) * 1e3
            stamps = 'yes' if stamped else 'no'
            cells = f'{size:,} | {stamps} | × {factor} | {len(rows):,} | {speed:,.0f} | {p50:.2f} | {p95:.2f}'
            print(f'| {cells} |', flush=True)
        print(_memory(offline.model, samples))


def _write_student(path: Path, contract: Contract) -> Path:
    torch.manual_seed(0)
    student = Student(dataclasses.replace(contract, network=BACKBONE))
    torch.save(pack_student(contract, student.network.state_dict(), BACKBONE, {}), path)
    return path


def _feed(stream: StreamingInferencer, samples: NDArray, size: int, stamped: bool) -> tuple[list[dict], float, list[float]]:
    """Return the decisions, seconds of the whole, and seconds of each piece with a decision, over its decisions."""
    times = np.arange(len(samples)) / stream.rate
    rows: list[dict] = []
    each: list[float] = []
    started = time.perf_counter()
    for begin in range(0, len(samples), size):
        before = time.perf_counter()
        end = begin + size
        decisions = stream.push(samples[begin:end], times[begin:end] if stamped else None)
        if decisions:
            each += [(time.perf_counter() - before) / len(decisions)] * len(decisions)
            rows += decisions
    rows += stream.end()
    return rows, time.perf_counter() - started, each


def _memory(student: Student, samples: NDArray) -> str:
    """Say what a stream at twice the rate with time stamps and votes holds in every sixth of an hour."""
    stream = StreamingInferencer(student, rate=2 * student.contract.rate, vote='mean')
    size, parts = 100, []
    tracemalloc.start()
    for part in range(6):
        for begin in range(part * len(samples) // 6, (part + 1) * len(samples) // 6, size):
            piece = samples[begin : begin + size]
            stream.push(piece, (begin + np.arange(len(piece))) / stream.rate)
        parts.append(tracemalloc.get_traced_memory()[0] / 1024)
    tracemalloc.stop()
    return 'memory held, KiB, after each sixth: ' + ', '.join(f'{part:,.0f}' for part in parts)


if __name__ == '__main__':
    main()
