"""Base of the readers: the parts of a data set, and the recordings of each part."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from mmkd_plugin.fileio import content_hashes

from ..recordings import Recording, Recordings
from ..streams import Sensor

__all__ = ['Part', 'Reader']


@dataclass(frozen=True)
class Part:
    """Content of one part of a data set.

    Attributes:
        recordings (tuple[Recording, ...]): Recordings of the part; where there are none, a note says why.
        notes (tuple[str, ...]): Sentences about every repair and everything that was left out: file, line, what and why.
    """

    recordings: tuple[Recording, ...]
    notes: tuple[str, ...] = ()


class Reader(ABC):
    """Base of the readers.

    A reader is a plain object that can be pickled: the constructor keeps ``root`` and the options and opens nothing. Parts are
    independent, usually one file or one subject each, so that they can be read in parallel, and conversions can be resumed.

    Args:
        root (str | Path): Folder of the data, as downloaded and unpacked.

    Attributes:
        format (int): Number to be raised with every change of the recordings that the reader gives of the same files: stores of
            the old number are not opened any more.
        units (tuple[str, ...]): Units of the C channels, as 'm/s²'; empty where the format does not say.
        streams (Mapping[str, Sensor]): Other sensors whose samples the recordings hold beside their own signal, by name.
        has_subjects (bool): Whether the data name who was recorded; if not, what is split is not people.
    """

    format: int = 1
    units: tuple[str, ...] = ()
    streams: Mapping[str, Sensor] = MappingProxyType({})
    has_subjects: bool = True

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    # A subclass may have each of the following as a plain class attribute.
    @property
    @abstractmethod
    def channels(self) -> tuple[str, ...]:
        """Names of the C channels."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Names of the K classes."""

    @property
    @abstractmethod
    def rate(self) -> float:
        """Samples per second after reading, in Hz."""

    @property
    def known(self) -> dict[str, dict]:
        """Known counts of the published files, by part.

        ``recordings`` and ``samples`` after reading, ``rows``, see :meth:`rows`, ``windows``, cut by ``published_windows``, and
        ``bytes``, the sizes of :meth:`files_of` together.
        """
        return {}

    @property
    def published_windows(self) -> dict[str, int] | None:
        """``window`` and ``step`` of the published windows in samples."""
        return None

    @abstractmethod
    def parts(self) -> list[str]:
        """Return the names of the parts, in order.

        Raises:
            FileNotFoundError: The folder does not hold this format; the message says what it must hold and where to get it.
            ValueError: The folder holds this format, but one of its files is missing.
        """

    @abstractmethod
    def read(self, part: str) -> Part:
        """Read one part.

        Raises:
            ValueError: A file is damaged: ``<file>:<line>: <what came, what was expected>``.
        """

    @abstractmethod
    def files(self) -> list[Path]:
        """Return all files that are read, in order; a store is stale once one of them has changed."""

    def notes(self) -> list[str]:
        """Return sentences about what is missing or odd in the data set as a whole."""
        return []

    def name_absent(self, place: Path, kind: str, expected: Iterable[str]) -> list[str]:
        """Return a sentence about the expected parts of which a place has nothing of a kind, none where it has all."""
        present = set(self.parts())
        absent = [part for part in expected if part not in present]
        return [f'{place}: there is no {kind} {", ".join(absent)}'] if absent else []

    def rows(self, part: str) -> int | None:
        """Count the rows of a part's files as :attr:`known` does; None where no count is known."""
        return None

    def files_of(self, part: str) -> list[Path] | None:
        """Return the files whose sizes :attr:`known` has; None where no size is known."""
        return None

    def measured_rate(self, part: str) -> float | None:
        """Return the rate of a part's files in Hz, where the reader resamples them, else None."""
        return None

    def fingerprint(self) -> str:
        """Hash the reader's name, format and options, and the files' names and content; 16 hexadecimal digits.

        The version of the package is no part of the hash, so that a release leaves all stores valid.
        """
        sha = hashlib.sha256(repr((type(self).__name__, self.format, sorted(vars(self).items(), key=str))).encode())
        files = self.files()
        for path, content in zip(files, content_hashes(files)):
            sha.update(repr((str(path), content)).encode())
        return sha.hexdigest()[:16]

    def place(self, part: str) -> str:
        """Return where a part comes from, for messages."""
        path = self.root / part
        return str(path if path.is_file() else self.root) + ('' if path.is_file() or self.root.is_file() else f', part {part}')

    def read_checked(self, part: str) -> Part:
        """Read one part and check its recordings.

        Raises:
            ValueError: A file is damaged, or a recording has a wrong number of channels, an unknown label or a value that is
                not finite; the message says where the part comes from.
        """
        content = self.read(part)
        if content.recordings:
            try:
                Recordings(content.recordings, self.channels, self.classes, self.rate, streams=self.streams)
            except ValueError as error:
                raise ValueError(f'{self.place(part)}: {error}') from error
        return content

    def no_recording(self, notes: Sequence[str]) -> ValueError:
        """Return the error of data in which no part holds a recording, with the first reason that notes give."""
        return ValueError(f'no part of {self.root} holds a recording: {notes[0] if notes else "no reason is given"}')

    def read_all(self) -> Recordings:
        """Read all parts into memory.

        Raises:
            ValueError: A file is damaged, or no part holds a recording.
        """
        parts = [self.read_checked(part) for part in self.parts()]
        recordings = tuple(recording for part in parts for recording in part.recordings)
        if not recordings:
            raise self.no_recording([note for part in parts for note in part.notes])
        return Recordings(
            recordings,
            self.channels,
            self.classes,
            self.rate,
            (*self.notes(), *(note for part in parts for note in part.notes)),
            self.streams,
        )
