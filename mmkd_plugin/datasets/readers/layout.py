"""The file ``recordings.yml``, which describes how the tables of a user are to be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import yaml

from ..names import list_names
from .path_fields import match_path
from .text import damaged, read_lines

__all__ = ['EXAMPLE', 'LAYOUT', 'Layout', 'read_layout']

T = TypeVar('T')

LAYOUT = 'recordings.yml'
EXAMPLE = '{channels: [acc_x, acc_y, acc_z], rate: 50, label: activity, subject: person}'  # on one line, for messages
NEEDED = ('channels', 'rate', 'label', 'subject')
KEYS = (*NEEDED, 'file_name', 'time', 'classes', 'files', 'missing', 'separator', 'columns')
TIME_KEYS = ('column', 'unit', 'gap', 'resample')
UNITS = ('s', 'ms', 'ns', 'iso')
MISSING = ('refuse', 'interpolate', 'cut')
SEPARATORS = {',': ',', ';': ';', 'tab': '\t', '\t': '\t', 'blanks': None}
FROM_FILE = {'from': 'file name'}
STARS = 4  # in one part of a path: matching takes a power of it
FASTEST = 1e9  # Hz


@dataclass(frozen=True)
class Layout:
    """Content of a ``recordings.yml``.

    Attributes:
        channels (tuple[str, ...]): Columns of the signal.
        rate (float): Samples per second, in Hz.
        label (str | None): Column of the class, None where the file's name tells it.
        subject (str | None): Column of the subject, None where the file's name tells it.
        file_name (str): What a file's path is made of: ``'{subject}_{label}'``, or '' where it tells nothing.
        time (str | None): Column of the time, None where there is no such column.
        unit (str): Of the time: 's', 'ms', 'ns', or 'iso' for dates and times as texts.
        gap (int): Samples that may be missing between two rows of one recording.
        resample (bool): Rows are put on the grid of the rate by their time.
        classes (tuple[str, ...]): Names of the classes; empty where they are taken from the data.
        files (str): Pattern of the files' paths.
        missing (str): 'refuse', 'interpolate' or 'cut'.
        separator (str | None): Between the columns of CSV files; None for any number of blanks and tabs.
        columns (tuple[str, ...]): All columns of CSV files whose first line does not name them; empty where it does.
    """

    channels: tuple[str, ...]
    rate: float
    label: str | None
    subject: str | None
    file_name: str = ''
    time: str | None = None
    unit: str = 's'
    gap: int = 0
    resample: bool = False
    classes: tuple[str, ...] = ()
    files: str = '*.csv'
    missing: str = 'refuse'
    separator: str | None = ','
    columns: tuple[str, ...] = ()

    def from_file(self, part: str) -> dict[str, str]:
        """Return subject and label, as far as the path of a file below the folder, without its ending, holds them.

        Raises:
            ValueError: The path is of another form.
        """
        if not self.file_name:
            return {}
        path = PurePosixPath(part[:-3] if part.lower().endswith('.gz') else part).with_suffix('')
        values = match_path(self.file_name, str(path))
        if values is None:
            raise ValueError(f'{part}: the name of the file is not of the form {self.file_name!r} that {LAYOUT} gives')
        return values


class _Loader(yaml.SafeLoader):
    """Loader of YAML without aliases, which can stand for more than memory holds, and without a key that stands twice."""

    def compose_node(self, parent, index):
        """Return the next node."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.constructor.ConstructorError(problem='aliases (*name) are not read', problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return the mapping of a node."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key, yaml.ScalarNode) else False:
                raise yaml.constructor.ConstructorError(
                    problem=f'the key {key.value!r} stands twice', problem_mark=key.start_mark
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


def read_layout(root: Path, labelled: bool = True) -> Layout:
    """Read ``recordings.yml``.

    Args:
        root (Path): Folder of the file.
        labelled (bool): Labels and subjects are wanted; otherwise the file need not say where they come from.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no YAML, a key is unknown or missing, or has a value that cannot be.
    """
    path = root / LAYOUT
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} does not exist: root must be a folder of recordings with a file {LAYOUT} in it, for example {EXAMPLE}'
        )
    text = '\n'.join(read_lines(path))
    try:
        content = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        raise damaged(
            path, mark.line + 1 if mark else 1, f'no YAML: {getattr(error, "problem", None) or "unreadable"}'
        ) from error
    except (RecursionError, ValueError) as error:  # a number or a date that YAML promises and Python refuses
        reason = 'nested too deeply' if isinstance(error, RecursionError) else str(error)
        raise damaged(path, 1, f'no YAML that can be read: {reason}') from error
    content = _mapping(path, 'the file', content, KEYS, NEEDED if labelled else NEEDED[:2])
    time = _mapping(path, 'time', content['time'], TIME_KEYS, TIME_KEYS[:2]) if 'time' in content else {}
    layout = Layout(
        channels=_names(path, 'channels', content['channels']),
        rate=content['rate'],
        label=_column(path, 'label', content.get('label', FROM_FILE)),
        subject=_column(path, 'subject', content.get('subject', FROM_FILE)),
        file_name=_name(path, 'file_name', content.get('file_name', '')),
        time=_name(path, 'time: column', time['column']) if time else None,
        unit=_one_of(path, 'time: unit', time.get('unit', 's'), {unit: unit for unit in UNITS}),
        gap=time.get('gap', 0),
        resample=time.get('resample', False),
        classes=_names(path, 'classes', content['classes']) if 'classes' in content else (),
        files=_name(path, 'files', content.get('files', '*.csv')),
        missing=_one_of(path, 'missing', content.get('missing', 'refuse'), {way: way for way in MISSING}),
        separator=_one_of(path, 'separator', content.get('separator', ','), SEPARATORS),
        columns=_names(path, 'columns', content['columns']) if 'columns' in content else (),
    )
    _check(path, layout)
    if labelled:
        _check_file_name(path, layout)
    return layout


def _check(path: Path, layout: Layout) -> None:
    """Refuse numbers out of range, and entries that contradict each other."""
    if isinstance(layout.rate, bool) or not isinstance(layout.rate, (int, float)) or not 0 < layout.rate <= FASTEST:
        raise _wrong(path, f'rate is {_brief(layout.rate)}, expected samples per second, above 0')
    if isinstance(layout.gap, bool) or not isinstance(layout.gap, int) or layout.gap < 0:
        raise _wrong(path, f'time: gap is {layout.gap!r}, expected a number of samples, from 0')
    if not isinstance(layout.resample, bool):
        raise _wrong(path, f'time: resample is {_brief(layout.resample)}, expected true or false')
    if not layout.files or layout.files.startswith('/') or '..' in layout.files:
        raise _wrong(path, f"files is {layout.files!r}, expected a pattern of paths below {path.parent}, such as '*.csv'")
    if max(part.count('*') for part in layout.files.split('/')) > STARS or layout.files.count('**') > 1:
        raise _wrong(path, f'files is {_brief(layout.files)}, expected at most {STARS} * in a part of the path, and ** once')
    unknown = {name for name in (*layout.channels, layout.label, layout.subject, layout.time) if name} - set(layout.columns)
    if layout.columns and unknown:
        raise _wrong(path, f'columns has no {", ".join(sorted(unknown))}; it has {list_names(layout.columns, 30)}')
    twice = {name for name in layout.channels if name in (layout.label, layout.subject, layout.time)}
    if twice:
        raise _wrong(path, f'{", ".join(sorted(twice))} is a channel and label, subject or time as well')


def _check_file_name(path: Path, layout: Layout) -> None:
    """Refuse a pattern that does not name what comes from the file's name."""
    fields = sorted(re.findall(r'\{(.*?)\}', layout.file_name))
    expected = [key for key in ('label', 'subject') if getattr(layout, key) is None]
    if fields != expected:
        told = ' and '.join(expected) or 'nothing'
        raise _wrong(
            path,
            f'file_name is {layout.file_name!r}, but {told} comes from the file name; expected for example '
            "label: {from: file name}, subject: {from: file name}, file_name: '{subject}_{label}_*'",
        )


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:59]}…'


def _column(path: Path, key: str, value: object) -> str | None:
    if value == FROM_FILE:
        return None
    if isinstance(value, dict):
        raise _wrong(
            path,
            f'{key} is {_brief(value)}, expected a column or {{from: file name}}; file_name then says where in the path, '
            "folders too: '{subject}/{label}_*'",
        )
    return _name(path, key, value)


def _wrong(path: Path, what: str) -> ValueError:
    return ValueError(f'{path}: {what}; a complete file is for example {EXAMPLE}')


def _mapping(path: Path, name: str, value: object, known: tuple[str, ...], needed: tuple[str, ...]) -> dict:
    if not isinstance(value, dict):
        raise _wrong(path, f'{name} is {str(value)[:40]!r}, expected keys and values: {", ".join(known)}')
    for key in value:
        if key not in known:
            raise _wrong(path, f'{name} has the unknown key {key!r}, expected some of {", ".join(known)}')
    absent = [key for key in needed if key not in value]
    if absent:
        raise _wrong(path, f'{name} has no {", ".join(absent)}')
    return value


def _names(path: Path, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong(path, f'{key} is {_brief(value)}, expected a list of names')
    names = tuple(_name(path, key, name) for name in value)
    if len(set(names)) < len(names):
        raise _wrong(path, f'{key} names one twice: {", ".join(names)}')
    return names


def _name(path: Path, key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):  # YAML reads yes and no as truth values
        raise _wrong(path, f'{key} has {_brief(value)}, expected a text; put it in quotes if it is one')
    return str(value)


def _one_of(path: Path, key: str, value: object, known: Mapping[str, T]) -> T:
    if not isinstance(value, str) or value not in known:
        raise _wrong(path, f'{key} is {_brief(value)}, expected one of {" ".join(name for name in known if name.strip())}')
    return known[value]
