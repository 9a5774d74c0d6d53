"""The file ``recordings.yml``, which describes how the tables of a user are to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from .text import damaged, read_lines

__all__ = ['EXAMPLE', 'LAYOUT', 'Layout', 'read_layout']

LAYOUT = 'recordings.yml'
EXAMPLE = '{channels: [acc_x, acc_y, acc_z], rate: 50, label: activity, subject: person}'  # on one line, for messages
NEEDED = ('channels', 'rate', 'label', 'subject')
KEYS = (*NEEDED, 'file_name', 'time', 'classes', 'files', 'missing', 'separator')
TIME_KEYS = ('column', 'unit', 'gap')
UNITS = ('s', 'ms', 'ns', 'iso')
MISSING = ('refuse', 'interpolate', 'cut')
SEPARATORS = {',': ',', ';': ';', 'tab': '\t', '\t': '\t'}
FROM_FILE = {'from': 'file name'}


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
        classes (tuple[str, ...]): Names of the classes; empty where they are taken from the data.
        files (str): Pattern of the files' paths.
        missing (str): 'refuse', 'interpolate' or 'cut'.
        separator (str): Between the columns of CSV files.
    """

    channels: tuple[str, ...]
    rate: float
    label: str | None
    subject: str | None
    file_name: str = ''
    time: str | None = None
    unit: str = 's'
    gap: int = 0
    classes: tuple[str, ...] = ()
    files: str = '*.csv'
    missing: str = 'refuse'
    separator: str = ','

    def from_file(self, part: str) -> dict[str, str]:
        """Return subject and label, as far as the path of a file below the folder, without its ending, holds them.

        Raises:
            ValueError: The path is of another form.
        """
        if not self.file_name:
            return {}
        fields = re.split(r'(\{subject\}|\{label\}|\*)', self.file_name)
        pattern = ''.join('[^/]*' if f == '*' else f'(?P<{f[1:-1]}>[^/]+?)' if f[:1] == '{' else re.escape(f) for f in fields)
        match = re.fullmatch(pattern, str(PurePosixPath(part).with_suffix('')))
        if not match:
            raise ValueError(f'{part}: the name of the file is not of the form {self.file_name!r} that {LAYOUT} gives')
        return match.groupdict()


class _Loader(yaml.SafeLoader):
    """Loader of YAML that refuses a key that stands twice, of which YAML would take the last."""

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


def read_layout(root: Path) -> Layout:
    """Read ``recordings.yml``.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no YAML, a key is unknown or missing, or has a value that cannot be.
    """
    path = root / LAYOUT
    if not path.is_file():
        raise FileNotFoundError(
            f'{path} does not exist: root must be a folder of recordings with a file {LAYOUT} in it, for example {EXAMPLE}'
        )
    try:
        content = yaml.load('\n'.join(read_lines(path)), _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        raise damaged(
            path, mark.line + 1 if mark else 1, f'no YAML: {getattr(error, "problem", None) or "unreadable"}'
        ) from error
    content = _mapping(path, 'the file', content, KEYS, NEEDED)
    time = _mapping(path, 'time', content['time'], TIME_KEYS, TIME_KEYS[:2]) if 'time' in content else {}
    layout = Layout(
        channels=_names(path, 'channels', content['channels']),
        rate=content['rate'],
        label=None if content['label'] == FROM_FILE else _name(path, 'label', content['label']),
        subject=None if content['subject'] == FROM_FILE else _name(path, 'subject', content['subject']),
        file_name=_name(path, 'file_name', content.get('file_name', '')),
        time=_name(path, 'time: column', time['column']) if time else None,
        unit=_one_of(path, 'time: unit', time.get('unit', 's'), {unit: unit for unit in UNITS}),
        gap=time.get('gap', 0),
        classes=_names(path, 'classes', content['classes']) if 'classes' in content else (),
        files=_name(path, 'files', content.get('files', '*.csv')),
        missing=_one_of(path, 'missing', content.get('missing', 'refuse'), {way: way for way in MISSING}),
        separator=_one_of(path, 'separator', content.get('separator', ','), SEPARATORS),
    )
    _check(path, layout)
    return layout


def _check(path: Path, layout: Layout) -> None:
    """Refuse numbers out of range, and entries that contradict each other."""
    if isinstance(layout.rate, bool) or not isinstance(layout.rate, (int, float)) or not 0 < layout.rate < float('inf'):
        raise _wrong(path, f'rate is {layout.rate!r}, expected samples per second, above 0')
    if isinstance(layout.gap, bool) or not isinstance(layout.gap, int) or layout.gap < 0:
        raise _wrong(path, f'time: gap is {layout.gap!r}, expected a number of samples, from 0')
    if not layout.files or layout.files.startswith('/') or '..' in layout.files:
        raise _wrong(path, f"files is {layout.files!r}, expected a pattern of paths below {path.parent}, such as '*.csv'")
    twice = {name for name in layout.channels if name in (layout.label, layout.subject, layout.time)}
    if twice:
        raise _wrong(path, f'{", ".join(sorted(twice))} is a channel and label, subject or time as well')
    fields = sorted(re.findall(r'\{(.*?)\}', layout.file_name))
    expected = [key for key in ('label', 'subject') if getattr(layout, key) is None]
    if fields != expected:
        told = ' and '.join(expected) or 'nothing'
        raise _wrong(
            path,
            f'file_name is {layout.file_name!r}, but {told} comes from the file name; expected for example '
            "label: {from: file name}, subject: {from: file name}, file_name: '{subject}_{label}_*'",
        )


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
        raise _wrong(path, f'{key} is {value!r}, expected a list of names')
    names = tuple(_name(path, key, name) for name in value)
    if len(set(names)) < len(names):
        raise _wrong(path, f'{key} names one twice: {", ".join(names)}')
    return names


def _name(path: Path, key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):  # YAML reads yes and no as truth values
        raise _wrong(path, f'{key} has {value!r}, expected a text; put it in quotes if it is one')
    return str(value)


def _one_of(path: Path, key: str, value: object, known: dict[str, str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise _wrong(path, f'{key} is {value!r}, expected one of {" ".join(name for name in known if name.strip())}')
    return known[value]
