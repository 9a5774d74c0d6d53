"""What may be asked about: arrays, columns by name, tables with and without recordings.yml, and the readers' own formats."""

import dataclasses
import gzip
import io

import numpy as np
import pytest
import torch

from mmkd_plugin import SignalInferencer
from mmkd_plugin.datasets import UCIHAR, BasicMotions, save_recordings
from mmkd_plugin.deploy.inputs import read_source

NAMES = ['acc_x', 'acc_y', 'acc_z', 'gyr_x', 'gyr_y', 'gyr_z']
LAYOUT = 'channels: [gyr_z, gyr_y, gyr_x, acc_z, acc_y, acc_x]\nrate: {rate}\n'


def write(path, signal, names=NAMES, separator=',', **columns):
    """A table with further columns before those of the signal."""
    rows = [separator.join([*columns, *names])]
    before = list(zip(*columns.values())) if columns else [()] * len(signal)
    rows += [separator.join(map(str, [*first, *map(float, values)])) for first, values in zip(before, signal)]
    text = ('\n'.join(rows) + '\n').encode()
    path.write_bytes(gzip.compress(text) if path.suffix == '.gz' else text)
    return path


@pytest.fixture
def read(contract):
    return lambda value, rate=None: list(read_source(value, contract, rate))


def same(sources, signal, rate=50.0):
    ((name, samples, begin),) = sources[0].recordings
    return len(sources) == 1 and (name, begin, sources[0].rate) == ('', 0, rate) and np.array_equal(samples, signal)


def test_arrays_have_time_first(read, swing):
    signal = swing(2)
    assert same(read(signal), signal)
    assert same(read(torch.from_numpy(signal)), signal)
    assert same(read(signal.astype(np.float64)), signal)
    (source,) = read(np.stack([signal, signal]))
    assert [name for name, _, _ in source.recordings] == ['0', '1']


@pytest.mark.parametrize(
    ('shape', 'message'),
    [
        ((6, 100), r'input 0 has shape \(6, 100\), expected \(T, 6\), or \(N, T, 6\) .*; time comes first: swapaxes\(-1, -2\)'),
        ((4, 6, 50), r'input 0 has shape \(4, 6, 50\), .*: the channels acc_x, .*, gyr_z; time comes first: swapaxes'),
        (
            (100, 5),
            r'input 0 has shape \(100, 5\), expected \(T, 6\), or \(N, T, 6\) for N of one length: the channels .*gyr_z$',
        ),
        ((100,), r'input 0 has shape \(100,\), expected \(T, 6\)'),
        ((6, 6), r'input 0 has shape \(6, 6\): as many samples as channels, so that the orientation \(T, 6\) cannot be seen'),
        ((3, 6, 6), r'input 0 has shape \(3, 6, 6\): as many samples as channels'),
    ],
)
def test_an_orientation_that_is_wrong_or_cannot_be_seen_is_refused(shape, message, read):
    with pytest.raises(ValueError, match=message):
        read(np.zeros(shape))


def test_other_kinds_and_values_are_refused(read, swing):
    with pytest.raises(ValueError, match=r'input 0 is a list: expected an array \(T, 6\), a dict of channels, a data frame'):
        read(swing(1).tolist())
    with pytest.raises(ValueError, match='the signal has the type <U1, expected numbers'):
        read(np.full((60, 6), 'a'))
    with pytest.raises(ValueError, match='input 0 is at 0.001 Hz, and the student reads 50 Hz: is the rate in Hz'):
        read(swing(1), 1e-3)
    with pytest.raises(ValueError, match=r'input 0: channels have the shapes \(\), expected one \(T,\)'):
        read(dict.fromkeys(NAMES, 5))
    signal = swing(2)
    signal[7, 4] = np.nan
    with pytest.raises(ValueError, match=r'input 0: 1 value\(s\) are NaN or infinite, the first in gyr_y at sample 7; fill or'):
        read(signal)


def test_named_columns_stand_in_any_order(read, swing):
    signal = swing(2)
    columns = {name: signal[:, index] for index, name in enumerate(NAMES)}
    turned = dict(reversed(columns.items()))
    assert same(read({'label': ['a'] * 100, **turned}), signal)
    pandas = pytest.importorskip('pandas')
    assert same(read(pandas.DataFrame(turned)), signal)
    with pytest.raises(
        ValueError, match='input 0 has no channel gyr_x; the student reads acc_x, .*, and there is acc_x,.* did '
    ):
        read({**{name: values for name, values in columns.items() if name != 'gyr_x'}, 'gyro_x': signal[:, 0]})
    with pytest.raises(ValueError, match=r'input 0: channels have the shapes \(100,\), \(99,\), expected one \(T,\)'):
        read({**columns, 'gyr_x': signal[:99, 3]})


@pytest.mark.parametrize(('name', 'separator'), [('a.csv', ','), ('a.csv', ';'), ('a.csv', '\t'), ('a.csv.gz', ',')])
def test_tables_are_read_by_the_names_of_their_columns(name, separator, read, swing, tmp_path):
    signal = swing(2)
    path = write(tmp_path / name, signal[:, ::-1], NAMES[::-1], separator, label=['walk'] * 100)
    sources = read(path)
    assert same(sources, signal)
    assert (sources[0].name, sources[0].stamped, sources[0].notes) == (str(path), None, ())
    assert same(read(str(path)), signal)
    assert read(path, 100)[0].rate == 100
    assert read(path, 100)[0].recordings[0][1].shape == (50, 6)


def test_parquet_and_arrays_in_files(read, swing, tmp_path):
    pyarrow = pytest.importorskip('pyarrow')
    from pyarrow import parquet

    signal = swing(2)
    table = {'time_ms': list(range(0, 2000, 20)), **{name: signal[:, index] for index, name in enumerate(NAMES)}}
    parquet.write_table(pyarrow.table(table), tmp_path / 'a.parquet')
    assert same(read(tmp_path / 'a.parquet'), signal)
    np.save(tmp_path / 'a.npy', signal)
    assert same(read(tmp_path / 'a.npy'), signal)
    np.save(tmp_path / 'a.npy', signal.T)
    with pytest.raises(ValueError, match=r'a.npy has shape \(6, 100\), expected \(T, 6\).*swapaxes'):
        read(tmp_path / 'a.npy')
    whole, promise = (tmp_path / 'a.npy').read_bytes(), io.BytesIO()
    np.lib.format.write_array_header_1_0(promise, dict(descr='<f8', fortran_order=False, shape=(10**12, 6)))
    for content in (b'', b'no array', np.lib.format.magic(1, 0), promise.getvalue(), whole.replace(b'}', b'(')):
        (tmp_path / 'a.npy').write_bytes(content)
        with pytest.raises(ValueError, match='a.npy: no array of numbers in an .npy file: '):
            read(tmp_path / 'a.npy')
    (tmp_path / 'a.csv').write_text('\nax,ay,az\n1,2,3\n')
    with pytest.raises(ValueError, match='a.csv'):
        read(tmp_path / 'a.csv')
    (tmp_path / 'a.parquet').write_bytes(b'PAR1')
    with pytest.raises(ValueError, match='a.parquet:1: no Parquet that can be read'):
        read(tmp_path / 'a.parquet')


@pytest.mark.parametrize(
    ('column', 'stamps'),
    [
        ('t', lambda step, n: step * np.arange(n)),
        ('time_ms', lambda step, n: 1_657_544_418_330 + np.round(1000 * step * np.arange(n)).astype(int)),
        ('Timestamp [ns]', lambda step, n: np.round(1e9 * step * np.arange(n)).astype(np.int64)),
        (
            'datetime',
            lambda step, n: np.datetime64('2024-03-01T10:00:00', 'ms') + np.round(1000 * step * np.arange(n)).astype(int),
        ),
    ],
)
def test_time_stamps_tell_the_rate_in_any_unit(column, stamps, read, swing, tmp_path):
    signal = swing(2)
    path = write(tmp_path / 'a.csv', signal, **{column: stamps(0.02, 100)})
    assert same(read(path), signal)
    assert read(path)[0].stamped is None
    path = write(tmp_path / 'b.csv', swing(2, rate=25), **{column: stamps(0.04, 50)})
    (source,) = read(path)
    assert source.stamped == source.rate == pytest.approx(25)
    assert source.recordings[0][1].shape == (99, 6)  # from the first stamp to the last
    (told,) = read(path, 25)
    assert told.stamped is None
    with pytest.raises(ValueError, match=r'b.csv:2: .* steps by 0.04 s, 25 Hz, expected 0.02 s by the rate of 50 Hz'):
        read(path, 50)


def test_gaps_in_time_begin_a_recording_whose_seconds_are_the_file_s(contract, student_file, swing, tmp_path):
    stamps = np.concatenate([np.arange(60), np.arange(200, 280)]) * 0.02
    path = write(tmp_path / 'a.csv', swing(2.8), t=stamps)
    (source,) = read_source(path, contract)
    assert [(name, len(samples), begin) for name, samples, begin in source.recordings] == [
        ('line 2', 60, 0),
        ('line 62', 80, 4),
    ]
    assert '1 gap(s) from here on, of 140 at the longest' in source.notes[0]
    rows = SignalInferencer(student_file, device='cpu')(path)
    assert [(row['recording'], row['start'], row['end']) for row in rows] == [
        ('line 2', 0, 1),
        ('line 62', 4, 5),
        ('line 62', 4.5, 5.5),
    ]


def test_what_time_cannot_be_is_said(read, swing, tmp_path):
    path = write(tmp_path / 'a.csv', swing(2), t=np.arange(100), time=np.arange(100))
    with pytest.raises(ValueError, match=r'a.csv:1: t and time are both named as time is; recordings.yml beside the file may'):
        read(path)
    path = write(tmp_path / 'a.csv', swing(2), t=np.arange(100) * 2e4)  # microseconds
    with pytest.raises(ValueError, match='a.csv:1: t steps by 2e\\+04, which neither in s, ms, ns is a rate near 50 Hz'):
        read(path)


def test_missing_channels_and_values_are_named(read, swing, tmp_path):
    path = write(tmp_path / 'a.csv', swing(2), [*NAMES[:5], 'GYR_z'])
    message = r'a.csv has no channel gyr_z; the student reads acc_x, .*, and there is acc_x, .*, GYR_z; did you mean .GYR_z.'
    with pytest.raises(ValueError, match=message):
        read(path)
    path = write(tmp_path / 'a.csv', swing(2), [*NAMES[:5], 'gyr_y'])
    with pytest.raises(ValueError, match='a.csv has several channels gyr_y'):
        read(path)
    path.write_text(path.read_text().replace('gyr_y\n', 'gyr_z\n').replace('\n', '\n\n', 1) + ',,,,,1\n')
    with pytest.raises(
        ValueError, match=r"a.csv:103: acc_x is missing, 5 missing value\(s\) in 1 row\(s\) from here on; 'missing"
    ):
        read(path)
    with pytest.raises(FileNotFoundError, match='none.csv does not exist'):
        read(tmp_path / 'none.csv')


def test_recordings_yml_describes_a_folder_without_labels(read, swing, tmp_path):
    (tmp_path / 'recordings.yml').write_text(LAYOUT.format(rate=50) + "separator: ';'\n")
    signal = swing(2)
    for name in ('b', 'a'):
        write(tmp_path / f'{name}.csv', signal, separator=';')
    sources = read(tmp_path)
    assert [source.name for source in sources] == [str(tmp_path / 'a.csv'), str(tmp_path / 'b.csv')]
    assert all(same([source], signal) for source in sources)
    assert same(read(tmp_path / 'b.csv'), signal)  # the file alone is described by it too
    with pytest.raises(ValueError, match=r'b.csv is at 50 Hz, and rate=25 was given: leave the rate out'):
        read(tmp_path / 'b.csv', 25)
    (tmp_path / 'recordings.yml').write_text(LAYOUT.format(rate=25) + "separator: ';'\nmissing: interpolate\n")
    assert [len(source.recordings[0][1]) for source in read(tmp_path)] == [199, 199]
    (tmp_path / 'recordings.yml').write_text('channels: [acc_x, acc_y]\nrate: 50\n')
    with pytest.raises(ValueError, match=r'recordings.yml has no channel acc_z, gyr_x, gyr_y, gyr_z; the student reads'):
        read(tmp_path)
    (tmp_path / 'recordings.yml').write_text(LAYOUT.format(rate=50) + 'files: "*.txt"\n')
    with pytest.raises(ValueError, match="holds no file '\\*.txt'"):
        read(tmp_path)


def test_recordings_end_with_a_subject_where_the_table_names_them(read, swing, tmp_path):
    layout = LAYOUT.format(rate=50) + 'label: activity\nsubject: person\n'
    (tmp_path / 'recordings.yml').write_text(layout)
    write(tmp_path / 'a.csv', swing(2), person=['ann'] * 60 + ['bob'] * 40)  # no column activity
    (source,) = read(tmp_path)
    assert [(name, len(samples), begin) for name, samples, begin in source.recordings] == [
        ('line 2', 60, 0),
        ('line 62', 40, 1.2),
    ]


def test_other_formats_are_read_by_their_readers(read, contract, swing, tmp_path):
    save_recordings(tmp_path / 'a.npz', [swing(2), swing(3)], ['x', 'x'], ['1', '2'], NAMES[:3] + NAMES[3:], ['x'], 50)
    (source,) = read(tmp_path / 'a.npz')
    assert [(name, len(samples)) for name, samples, _ in source.recordings] == [
        ('recording_0000', 100),
        ('recording_0001', 150),
    ]
    with pytest.raises(ValueError, match='a.npz is at 50 Hz, and rate=10 was given'):
        read(tmp_path / 'a.npz', 10)
    sources = read(BasicMotions().root)  # a folder, at 10 Hz
    assert [len(source.recordings) for source in sources] == [40, 40]
    assert {source.rate for source in sources} == {10.0}
    assert sources[0].recordings[0][1].shape == (496, 6)
    with pytest.raises(FileNotFoundError, match='has no recordings.yml, and no reader knows it: name its files, or describe'):
        read(tmp_path)


def test_units_of_a_reader_are_held_against_the_contract(contract, recordings_of):
    folder = recordings_of('UCIHAR')
    with pytest.raises(ValueError, match='has no channel'):
        list(read_source(folder, contract))
    reader = UCIHAR(folder)
    other = dataclasses.replace(
        contract,
        channels=reader.channels[:3],
        units=('m/s²',) * 3,
        statistics={name: values[:3] for name, values in contract.statistics.items()},
    )
    with pytest.raises(ValueError, match='has the units g, g, g, and the student has learned from m/s², m/s², m/s²'):
        list(read_source(folder, other))
