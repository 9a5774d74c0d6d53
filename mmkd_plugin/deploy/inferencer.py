"""Inference by an exported student on signals of any length, rate and format, with nothing of the run that has trained it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.infer import BaseInferencer
from mmengine.logging import print_log
from mmpretrain.structures import DataSample
from numpy.typing import NDArray
from torch import Tensor

from mmkd_plugin.datasets.names import list_names
from mmkd_plugin.engine import use_whole_float32
from mmkd_plugin.failures import reworded
from mmkd_plugin.registry import INFERENCERS
from mmkd_plugin.structures import check_number, check_whole

from .decisions import Decision, average_votes
from .inputs import Source, drift_of, read_notes, read_source
from .student import Student, load_student

__all__ = ['SignalInferencer']

Window = tuple[Source, int, int]  # source, index of the recording, first sample


class _Batches:
    """Batches of windows, made one after another; their number is known, so that a progress bar has an end."""

    def __init__(self, windows: Sequence[Window], size: int, collate: Callable[[Sequence[Window]], dict]) -> None:
        self.windows, self.size, self.collate = windows, size, collate

    def __len__(self) -> int:
        return -(-len(self.windows) // self.size)

    def __iter__(self) -> Iterator[dict]:
        for begin in range(0, len(self.windows), self.size):
            yield self.collate(self.windows[begin : begin + self.size])


@INFERENCERS.register_module()
class SignalInferencer(BaseInferencer):
    """Classification of signals by an exported student, of which nothing else of its run is needed.

    For example::

        from mmkd_plugin import SignalInferencer

        inferencer = SignalInferencer('student_best.pth')
        rows = inferencer('recording.csv')  # one dict for each window

    Recordings are cut into windows by the contract of the student. Every row has ``source``, ``recording``, ``start`` and
    ``end`` in seconds, ``class``, ``probability`` and ``probabilities`` of all classes by their names;
    :func:`~mmkd_plugin.deploy.format_decisions` writes them as a table, CSV or JSON. Whatever differs from the data that the
    student has learned from is said as a warning, see :func:`~mmkd_plugin.deploy.find_drift`, and so is what was left out.

    mmengine's contract is kept but for these: a file of a student takes the place of config and weights, so that there is no
    ``model=`` and no list of models; one input gives as many results as it has windows; a call returns a list, as
    mmpretrain's inferencers do, not a dict of predictions and visualisations, and nothing is drawn; the model gives logits and
    has no ``test_step``.

    Args:
        weights (str | Path): ``<name>_best.pth`` or ``<name>_last.pth`` of a run.
        device (str, optional): Such as 'cpu' or 'cuda:0'; by default an accelerator where there is one.
        show_progress (bool, optional): Draw a progress bar; by default where the standard output is a terminal.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, changed or no exported student, or the device does not exist.
    """

    preprocess_kwargs = {'rate', 'hop', 'strict'}
    postprocess_kwargs = {'vote'}

    model: Student

    def __init__(self, weights: str | os.PathLike, device: str | None = None, show_progress: bool | None = None) -> None:
        shown = sys.stdout.isatty() if show_progress is None else show_progress
        super().__init__(weights=os.fspath(weights), device=device, scope='mmkd_plugin', show_progress=shown)
        self.contract = self.model.contract

    def __call__(
        self,
        inputs: Any,
        return_datasamples: bool = False,
        batch_size: int = 256,
        *,
        rate: float | None = None,
        hop: int | None = None,
        vote: str | None = None,
        strict: bool = False,
    ) -> list:
        """Classify signals.

        Args:
            inputs (Any): An array ``(T, C)``, or N of one length ``(N, T, C)``, time first and channels in the order of the
                contract, values in its units; a mapping or a data frame with a column for each channel; the path of a CSV,
                Parquet, ``.npy`` or ``.npz`` file, or of a folder that ``recordings.yml`` or a reader describes; or a list of
                these. Columns are found by their names.
            return_datasamples (bool): Return the host's ``DataSample`` with ``pred_score`` ``(K, )`` and ``pred_label``, and
                the rest as its metainfo.
            batch_size (int): Windows that are run at once.
            rate (float, optional): Of the inputs, in Hz; by default what files and their time stamps tell, else the contract's.
                Signals of another rate are resampled.
            hop (int, optional): Samples, at the contract's rate, from the start of a window to that of the next; by default the
                contract's.
            vote (str, optional): 'mean' averages the probabilities of all windows that cover a stretch of time.
            strict (bool): Refuse signals that differ from what the student has learned from, in the place of warnings.

        Returns:
            list[dict | DataSample]: In the order of the inputs and of time.

        Raises:
            FileNotFoundError: A file does not exist.
            ValueError: An input does not fit the contract or is shorter than a window, or an option is out of range.
        """
        if vote not in (None, 'mean'):
            raise ValueError(f"vote must be 'mean' or None, got {vote!r}")
        return super().__call__(inputs, return_datasamples, batch_size, rate=rate, hop=hop, vote=vote, strict=strict)

    def _init_model(self, cfg: Any, weights: str | None, device: str = 'cpu') -> Student:
        use_whole_float32()
        student = load_student(str(weights))
        # Torch has an error for each kind of device that is not there.
        message = f"device must be one that torch has here, such as 'cpu'; got {device!r}"
        with reworded(message, (AssertionError, RuntimeError)):
            return student.to(torch.device(device))

    def _init_pipeline(self, cfg: Any) -> Callable[[NDArray], Tensor]:
        """Return what turns the samples of a window ``(T, C)`` into what the student reads, ``(C, T)``."""
        return lambda samples: torch.from_numpy(np.ascontiguousarray(samples.T))

    def _init_collate(self, cfg: Any) -> Callable[[Sequence[Window]], dict]:
        def collate(windows: Sequence[Window]) -> dict:
            length = self.model.contract.window
            cut = [source.recordings[index][1][start : start + length] for source, index, start in windows]
            return {'signal': torch.stack(list(map(self.pipeline, cut))), 'windows': windows}  # (N, C, T)

        return collate

    def _inputs_to_list(self, inputs: Any) -> list:
        return list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]

    def preprocess(
        self, inputs: Sequence, batch_size: int = 1, rate: float | None = None, hop: int | None = None, strict: bool = False
    ) -> _Batches:
        """Read all inputs, hold them against the contract and cut them into windows; see :meth:`__call__`."""
        check_whole('batch_size', batch_size)
        hop = check_whole('hop', self.contract.hop if hop is None else hop)
        if rate is not None:
            check_number('rate', rate, above=0)
        sources = [source for place, value in enumerate(inputs) for source in read_source(value, self.contract, rate, place)]
        if not sources:
            raise ValueError('there is no input to classify')
        windows, notes = self._cut(sources, hop)
        drift = [sentence for source in sources for sentence in drift_of(source, self.contract)]
        if strict and drift:
            raise ValueError('\n'.join(drift))
        for message in (*read_notes(sources, self.contract.rate), *drift, *notes):
            print_log(message, 'current', logging.WARNING)
        return _Batches(windows, batch_size, self.collate_fn)

    def _cut(self, sources: Sequence[Source], hop: int) -> tuple[list[Window], list[str]]:
        """Return all windows, and sentences about samples that fit none."""
        length, rate = self.contract.window, self.contract.rate
        windows: list[Window] = []
        short, rest = [], {}
        for source in sources:
            counts = [len(samples) for _, samples, _ in source.recordings]
            if max(counts, default=0) < length:
                raise ValueError(
                    f'{source.name} has {max(counts, default=0):,} samples at {rate:g} Hz'
                    f'{" in its longest recording" if len(counts) > 1 else ""}, expected {length:,} or more: the student reads '
                    f'windows of {length / rate:g} s'
                )
            for index, (name, samples, _) in enumerate(source.recordings):
                starts = range(0, len(samples) - length + 1, hop)
                windows += [(source, index, start) for start in starts]
                place = f'{source.name} {name}'.rstrip()
                if not starts:
                    short.append(place)
                elif len(samples) > starts[-1] + length:
                    rest[place] = len(samples) - starts[-1] - length
        notes = (
            [f'{len(short)} recording(s) are shorter than a window of {length} samples: {list_names(short)}'] if short else []
        )
        if rest:
            most = max(rest.values())
            notes.append(
                f'samples after the last window are left out, at most {most} ({most / rate:.2f} s): {list_names(list(rest))}'
            )
        return windows, notes

    def forward(self, inputs: dict, **kwargs: Any) -> list[Decision]:
        """Run the student on a batch of windows."""
        rate, length = self.contract.rate, self.contract.window
        decisions = []
        for (source, index, start), shares in zip(inputs['windows'], self.model.probabilities(inputs['signal'])):
            name, _, begin = source.recordings[index]
            decisions.append(Decision(source.name, name, begin + start / rate, begin + (start + length) / rate, shares))
        return decisions

    def visualize(self, inputs: list, preds: Any, show: bool = False, **kwargs: Any) -> list:
        """Draw nothing."""
        return []

    def postprocess(
        self, preds: list[Decision], visualization: list, return_datasample: bool = False, vote: str | None = None
    ) -> list:
        """Return decisions as dicts or data samples, averaged over overlapping windows by ``vote='mean'``."""
        rows = [decision.to_dict(self.contract.classes) for decision in (average_votes(preds) if vote else preds)]
        return list(map(_sample, rows)) if return_datasample else rows


def _sample(row: dict) -> DataSample:
    scores = torch.tensor(list(row.pop('probabilities').values()))  # (K, )
    return DataSample(metainfo=row).set_pred_score(scores).set_pred_label(scores.argmax())
