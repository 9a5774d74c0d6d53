"""What commands have printed."""

import re


def rows_of(text, title):
    """Return the words of each row of a table that is printed under a title."""
    block = text[text.index(title) :].split('\n')
    rules = [place for place, line in enumerate(block) if re.fullmatch('-+', line)]
    return [line.split() for line in block[rules[1] + 1 : rules[2]]]


def refused(done, pattern):
    """See that a command has ended with this error and nothing else."""
    assert done.returncode == 1, done.stdout
    assert re.fullmatch(f'error: {pattern}\n', done.stderr), done.stderr
