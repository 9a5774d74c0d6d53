import sys

import numpy as np
import pytest
from writers.tables import LAYOUT, rows_of, write

from mmkd_plugin.datasets.readers.tables import Tables


@pytest.fixture
def write_parquet(tmp_path):
    """Writes the columns of rows_of, some of them changed, as the only table, and gives its reader."""
    pyarrow = pytest.importorskip('pyarrow', reason="pyarrow is not here: pip install 'mmkd_plugin[parquet]'")
    from pyarrow import parquet

    def run(rows=60, layout=LAYOUT, **changed):
        file = write(tmp_path, [], 'a.parquet', layout=layout + "files: '*.parquet'\n")
        columns = dict(zip(('t', 'acc_x', 'acc_y', 'activity', 'person'), map(list, zip(*rows_of('ann')))))
        table = pyarrow.table({**columns, **changed}).slice(0, rows)
        parquet.write_table(table, file)
        return Tables(tmp_path)

    return run


def test_parquet_is_read_like_csv(tmp_path, write_parquet):
    import pyarrow

    write(tmp_path / 'csv', rows_of('ann'))
    expected = Tables(tmp_path / 'csv').read_all()
    categories = pyarrow.array([row[3] for row in rows_of('ann')]).dictionary_encode()  # as pandas writes categories
    for changed in ({}, dict(activity=categories)):
        result = write_parquet(**changed).read_all()
        np.testing.assert_array_equal(result.recordings[0].signal, expected.recordings[0].signal)
        np.testing.assert_array_equal(result.recordings[0].label, expected.recordings[0].label)
        assert (result.recordings[0].name, result.classes) == ('a.parquet:1', expected.classes)
    result = write_parquet(activity=[None, 3, *[4] * 58]).read_all()
    assert (result.classes, result.recordings[0].label[:3].tolist()) == (('3', '4'), [-1, 0, 1])
    for label, classes in (
        (pyarrow.array([float('nan'), None, 3.0, *[4.0] * 57]), ('3', '4')),  # pandas makes floats of a column with gaps
        (pyarrow.array([b'NaN', b'None', b'a', *[b'b'] * 57]), ('a', 'b')),
        (pyarrow.array(['null', None, "'a'", *['b'] * 57]).dictionary_encode(), ('a', 'b')),
    ):
        result = write_parquet(activity=label).read_all()
        assert (result.classes, result.recordings[0].label[:4].tolist()) == (classes, [-1, -1, 0, 1])
    for zone in (None, 'Europe/Berlin'):
        stamps = pyarrow.array([1_700_000_000_000 + 20 * i for i in range(60)], pyarrow.timestamp('ms', zone))
        result = write_parquet(layout=LAYOUT.replace('ms', 'iso'), t=stamps).read_all()
        assert [len(r.signal) for r in result.recordings] == [60]


def test_damaged_parquet(tmp_path, write_parquet):
    for changed, message in (
        (dict(acc_x=[1.0, None, *[2.0] * 58]), r'a\.parquet:2: acc_x is missing, 1 missing value'),
        (dict(acc_x=['1'] * 60), r'a\.parquet:1: acc_x holds string, expected numbers'),
        (dict(person=[{'name': 'ann'}] * 60), r'a\.parquet:1: no Parquet that can be read: .*struct'),
        (dict(rows=0), r'a\.parquet:1: the file has no row'),
        (
            dict(layout=LAYOUT.replace('acc_y', 'gyr')),
            r"a\.parquet:1: there is no column 'gyr'; there is t, acc_x, acc_y, activity, person$",
        ),
    ):
        reader = write_parquet(**changed)
        with pytest.raises(ValueError, match=message):
            reader.read_all()
    reader, file = write_parquet(), tmp_path / 'a.parquet'
    whole = file.read_bytes()
    for data in (whole[:-100], b'', b'no parquet', whole.replace(b'acc_x', b'\x80cc_x')):
        file.write_bytes(data)
        with pytest.raises(ValueError, match=r'a\.parquet:1: no Parquet that can be read: ') as caught:
            reader.read_all()
        assert '\n' not in str(caught.value)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyarrow', None)  # what Python itself does to forbid an import
    write(tmp_path, [], 'a.parquet', layout=LAYOUT + "files: '*.parquet'\n")
    with pytest.raises(ImportError, match=r"a\.parquet needs pyarrow, .*Run: pip install 'mmkd_plugin\[parquet\]'"):
        Tables(tmp_path).read_all()
