"""Sources of the views: the stream that a view reads, and the channels of the stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import Tensor

from .fields import build_fields, unknown_name

__all__ = ['SIGNAL', 'StreamSize', 'ViewSource', 'choose_channels', 'read_source', 'stream_sizes', 'view_source']

SIGNAL = 'signal'  # key of the recordings' own signal in a batch, beside the names of their streams


@dataclass(frozen=True, kw_only=True)
class StreamSize:
    """Sizes of a stream in a config: ``shape``, channels and samples of a window, and the channels' names.

    Attributes:
        shape (tuple[int, int]): ``(C, T)``.
        channels (tuple[str, ...], optional): Names of the C channels, needed where a view chooses some.

    Raises:
        ValueError: The shape is not two numbers above 0, or the names are not C different texts.
    """

    shape: tuple[int, int]
    channels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        shape, names = self.shape, self.channels
        if not isinstance(shape, (list, tuple)) or len(shape) != 2 or not all(type(n) is int and n > 0 for n in shape):
            raise ValueError(f'shape must be the numbers of channels and samples of a window, (C, T), got {shape!r}')
        object.__setattr__(self, 'shape', tuple(shape))
        if names is None:
            return
        if isinstance(names, str) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise ValueError(f'channels must be a list of different names, got {names!r}')
        if len(names) != shape[0]:
            raise ValueError(f'channels names {len(names)} channels, but shape has {shape[0]}')
        object.__setattr__(self, 'channels', tuple(names))


@dataclass(frozen=True)
class ViewSource:
    """Where a view reads.

    Attributes:
        stream (str): Name of the stream; 'signal' is the recordings' own signal.
        shape (tuple[int, int]): Channels and samples of a window as the view gets it, ``(C, T)``.
        channels (tuple[int, ...], optional): Indices of the channels; None for all of them.
    """

    stream: str
    shape: tuple[int, int]
    channels: tuple[int, ...] | None = None

    def read(self, inputs: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Return what the view is made of, ``(N, C, T)``.

        Args:
            inputs (Tensor | Mapping[str, Tensor]): Signals, or all streams of the windows.

        Raises:
            ValueError: The windows do not have the stream.
        """
        if isinstance(inputs, Mapping):
            if self.stream not in inputs:
                raise ValueError(f"the windows have no stream '{self.stream}', but {', '.join(inputs)}")
            signal = inputs[self.stream]
        elif self.stream == SIGNAL:
            signal = inputs
        else:
            raise ValueError(f"the windows have no stream '{self.stream}', but their signal alone")
        return signal if self.channels is None else signal[:, list(self.channels)]


def stream_sizes(
    shape: Sequence[int], channels: Sequence[str] | None, streams: Mapping[str, Mapping] | None
) -> dict[str, StreamSize]:
    """Return the sizes of the signal and of all streams, by name.

    Raises:
        ValueError: A size is wrong; the message names the key.
    """
    sizes = {SIGNAL: build_fields(StreamSize, dict(shape=shape, channels=channels), 'data_preprocessor')}
    for name, entry in (streams or {}).items():
        if name == SIGNAL:
            raise ValueError(f"data_preprocessor.streams: '{SIGNAL}' is the recordings' own signal, whose size is shape")
        if entry is not None:
            sizes[name] = build_fields(StreamSize, entry, f'data_preprocessor.streams.{name}')
    return sizes


def read_source(view: str, entry: Mapping, sizes: Mapping[str, StreamSize]) -> tuple[ViewSource, dict]:
    """Take the source out of the config of a view.

    Args:
        view (str): Name of the view, for messages.
        entry (Mapping): Config of an encoder with ``stream`` and ``channels``, both optional.
        sizes (Mapping[str, StreamSize]): Of all streams.

    Returns:
        tuple[ViewSource, dict]: The source, and what is left for the encoder: nothing where the view is the signal itself.

    Raises:
        ValueError: There is no such stream or channel, or an encoder is called 'sig'.
    """
    where = f"data_preprocessor: view '{view}'"
    if not isinstance(entry, Mapping):
        raise ValueError(f'{where} must be a dict, got {entry!r}')
    rest = {key: value for key, value in entry.items() if key not in ('stream', 'channels', '_scope_')}
    stream, patterns = entry.get('stream') or SIGNAL, entry.get('channels')
    if rest and view == 'sig':
        raise ValueError(
            f'{where} is the signal itself, with channels at most; give another name to a view that has {", ".join(rest)}'
        )
    if rest and '_scope_' in entry:
        rest['_scope_'] = entry['_scope_']
    if stream not in sizes:
        raise ValueError(f'{where}: {unknown_name("stream", stream, sizes)}')
    try:
        return view_source(stream, patterns, sizes[stream]), rest
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from error


def view_source(stream: str, patterns: str | Sequence[str] | None, size: StreamSize) -> ViewSource:
    """Return the source of a view that reads some channels of a stream, all of them by default.

    Raises:
        ValueError: A pattern fits no channel, or the channels have no names.
    """
    if patterns is None:
        return ViewSource(stream, size.shape)
    if size.channels is None:
        key = 'channels' if stream == SIGNAL else f'streams.{stream}.channels'
        raise ValueError(f'channels={patterns!r} needs the names of the channels: data_preprocessor.{key}=[...]')
    chosen = choose_channels(patterns, size.channels)
    whole = chosen == tuple(range(len(size.channels)))
    return ViewSource(stream, (len(chosen), size.shape[1]), None if whole else chosen)


def choose_channels(patterns: str | Sequence[str], names: Iterable[str]) -> tuple[int, ...]:
    """Return the indices of channels by name or pattern, in the order of the patterns and then of the data.

    Args:
        patterns (str | Sequence[str]): A name or a pattern with ``*``, ``?`` and ``[...]``, or a list of them.
        names (Iterable[str]): Of all channels.

    Raises:
        ValueError: A pattern is no text, or no channel has such a name.
    """
    names, chosen = list(names), {}
    given = [patterns] if isinstance(patterns, str) else list(patterns)
    if not given or not all(isinstance(pattern, str) for pattern in given):
        raise ValueError(f'channels must be a name, a pattern or a list of them, got {patterns!r}')
    for pattern in given:
        found = [i for i, name in enumerate(names) if name == pattern] or [
            i for i, name in enumerate(names) if fnmatchcase(name, pattern)
        ]
        if not found:
            raise ValueError(unknown_name('channel', pattern, names))
        chosen.update(dict.fromkeys(found))
    return tuple(chosen)
