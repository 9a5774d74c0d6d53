"""How an operation ends under a fault, and whether that is as documented."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, field

__all__ = ['End', 'judge_sentence', 'judge_signal']

SENTENCE = re.compile(r'(?m)^(error|.*: FAILED): \S.*')


@dataclass
class End:
    """How an operation has ended.

    Attributes:
        command (int): Index of the command that has ended it.
        code (int | None): As of :class:`~soaking.children.Child`; None for one that hangs.
        text (str): What the command has written to standard error.
        reached (bool): Whether the fault has happened.
        faults (list[str]): What is wrong with this end.
    """

    command: int
    code: int | None
    text: str
    reached: bool = True
    faults: list[str] = field(default_factory=list)


def judge_signal(end: End, number: int) -> None:
    """See that a command which got a signal has ended by the signal, or well, and says that it was stopped."""
    codes = {0, -number, 128 + number} - ({128 + number} if number == signal.SIGKILL else set())
    if end.code not in codes:
        end.faults.append(f'{signal.Signals(number).name} ends the command with {end.code}, expected {128 + number}')
    if end.code == 128 + number and not (end.text.strip().splitlines() or [''])[-1].startswith('stopped'):
        end.faults.append(f'the command does not say that it was stopped: {end.text[-300:]!r}')
    _judge_text(end)


def _judge_text(end: End) -> None:
    if 'Traceback' in end.text:
        end.faults.append(f'a traceback: {end.text[-1500:]}')


def judge_sentence(end: End, *reasons: str) -> None:
    """See that the command has ended well, or with a sentence that gives a reason."""
    if end.code == 0:
        return
    if end.code != 1:
        end.faults.append(f'exit code {end.code}, expected 1: {end.text[-1500:]}')
    elif not SENTENCE.search(end.text) or not any(reason in end.text for reason in reasons):
        end.faults.append(f'no sentence that says {" or ".join(reasons)}: {end.text[-1500:]}')
    _judge_text(end)
