"""Files of the UCR and UEA archives."""

import numpy as np

__all__ = ['CLASSES', 'HEADER', 'numbers', 'write', 'write_ts', 'write_tsv']

HEADER = 10  # lines before the data in what write_ts writes of series of one length
CLASSES = ('walk', 'rest')  # not in alphabetical order


def write_ts(root, part, series, labels, classes=CLASSES, name='Toy', flags=None, head=None):
    """A file as the archives have it; every series is (C, T), of numbers or of texts."""
    lengths = {len(s[0]) for s in series}
    message = {
        'problemName': name,
        'timeStamps': 'false',
        'missing': 'false',
        'univariate': 'true' if len(series[0]) == 1 else 'false',
        'dimensions': len(series[0]),
        'equalLength': 'true' if len(lengths) == 1 else 'false',
        'seriesLength': lengths.pop() if len(lengths) == 1 else None,
        'classLabel': ' '.join(['true', *classes]),
        **(flags or {}),
    }
    lines = [f'{"#" if part == "train" else "%#"} {name}: a comment: with colons, and commas']
    lines += [f'@{key} {value}' for key, value in message.items() if value is not None] if head is None else head
    lines += ['@data']
    lines += [':'.join([*(','.join(map(str, dim)) for dim in s), label]) for s, label in zip(series, labels)]
    folder = root / name
    folder.mkdir(exist_ok=True)
    file = folder / f'{name}_{part.upper()}.ts'
    file.write_text('\n'.join(lines) + '\n')
    return file


def write_tsv(root, part, rows, labels, name='Toy'):
    """A file of the UCR archive of 2018: label and values."""
    folder = root / name
    folder.mkdir(exist_ok=True)
    file = folder / f'{name}_{part.upper()}.tsv'
    file.write_text(''.join('\t'.join(map(str, [label, *row])) + '\n' for label, row in zip(labels, rows)))
    return file


def numbers(count, channels=2, length=10, seed=0):
    return np.round(np.random.default_rng(seed).normal(size=(count, channels, length)), 4)


def write(root):
    """Four series to train and three to test, of two channels and 10 samples."""
    train = write_ts(root, 'train', numbers(4), ['walk', 'rest', 'walk', 'rest'])
    write_ts(root, 'test', numbers(3, seed=1), ['rest', 'walk', 'rest'])
    return train
