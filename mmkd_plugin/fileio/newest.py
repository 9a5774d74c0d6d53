"""The checkpoint that an interrupted run goes on from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from mmkd_plugin.failures import of_the_machine

from .checkpoint import check_resumable, load_checkpoint

__all__ = ['newest_checkpoint']

POINTER = 'last_checkpoint'
LONGEST = 4096  # bytes of a path


def newest_checkpoint(work_dir: str | Path, folder: str | Path, pattern: str, say: Callable[[str], object]) -> Path | None:
    """Return the newest checkpoint of a run that is whole.

    Args:
        work_dir (str | Path): Of the run; ``last_checkpoint`` there names the newest one.
        folder (str | Path): Where the run's checkpoints lie. No file outside is read, whatever ``last_checkpoint`` says.
        pattern (str): Of the checkpoints' names, as ``'epoch_*.pth'``.
        say (Callable[[str], object]): Called with a sentence for everything that is not as the run has left it.

    Returns:
        Path, optional: None where there is no whole checkpoint, so that the run starts anew.

    Raises:
        ValueError: ``last_checkpoint`` names a URL or a file of another folder.
    """
    pointer, folder = Path(work_dir, POINTER), Path(folder)
    named = _named(pointer, folder)
    # Not by number: an earlier, longer run may have left checkpoints of later epochs.
    by_age = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    candidates = ([named] if named else []) + [path for path in by_age if named is None or path.name != named.name]
    if named is None and pointer.exists():
        say(f'{pointer} names no checkpoint')
    for path in candidates:
        try:
            check_resumable(load_checkpoint(path), path)
        except (OSError, ValueError) as error:
            if of_the_machine(error):
                raise
            say(f'{error}; this checkpoint is left out')
            continue
        if path != named:
            say(f'the run goes on from {path}, the newest whole checkpoint')
        return path
    if candidates or pointer.exists():
        say(f'{folder} has no whole checkpoint: the run starts anew')
    return None


def _named(pointer: Path, folder: Path) -> Path | None:
    """Return the checkpoint that a file names, None where its text is damaged or there is no such checkpoint."""
    if not pointer.is_file():
        return None
    with open(pointer, 'rb') as file:
        text = file.read(LONGEST).decode(errors='replace').strip()
    advice = f'delete {pointer}, and the run goes on from the newest checkpoint in {folder}'
    if '://' in text:
        raise ValueError(f'{pointer} names {text}, which is not fetched; {advice}')
    if text and (folder / _last_part(text)).is_file():  # also of a run whose folder was moved
        return folder / _last_part(text)
    if _is_file(text):
        raise ValueError(f'{pointer} names {text}, which is not in {folder} and is not read; {advice}')
    return None


def _last_part(text: str) -> str:
    """Return the name at the end of a path; a name that no file can have where the text is no path."""
    name = Path(text).name
    return name if name.isprintable() and len(name.encode()) < 256 else '.'


def _is_file(text: str) -> bool:
    with contextlib.suppress(OSError, ValueError):  # a text that cannot be a path
        return Path(text).is_file()
    return False
