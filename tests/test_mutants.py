"""A change of a formula makes a test fail: one change of every third file here, and all by ``tools/dev/mutants.py``."""

import json
import subprocess
import sys
from random import Random

import pytest
from helpers import ROOT

pytest.importorskip('mutmut.mutation.mutators', reason='changes are made by mutmut')

from mutant_code import files_of, groups_of, mutants_of, tree_of
from mutants import KEPT, KILLED, read_known


def source(file):
    return (ROOT / 'mmkd_plugin' / file).read_text()


def drawn(file):
    """Return a change of a file, none of those that nothing can notice; the same one until the file is another."""
    known = read_known().get(file, {})
    return Random(file).choice([mutant for mutant in mutants_of(file) if mutant.change not in known])


def test_one_change_of_every_third_file_is_noticed(tmp_path):
    """In a process of its own, since forks of this one have the package already; what changes nothing is noticed by no test."""
    changes = [drawn(file) for file in files_of()[::3]]
    plain = [(file, f'{source(file)}\nNOTHING = 0\n') for file in ('functional/contrastive.py', 'models/transfers/feature.py')]
    code = (
        'import json, sys\n'
        'from mutant_code import groups_of, prepare, try_mutant\n'
        'prepare()\n'
        'for file, code in json.load(open(sys.argv[1])):\n'
        '    result, by = try_mutant(file, code, groups_of(file)[0])\n'
        '    print(by or result, flush=True)\n'
    )
    (tmp_path / 'changes.json').write_text(json.dumps([*plain, *((change.file, change.code) for change in changes)]))
    command = [sys.executable, '-c', code, str(tmp_path / 'changes.json')]
    done = subprocess.run(command, cwd=ROOT / 'tools' / 'dev', capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[: len(plain)] == ['survived'] * len(plain)
    noticed = lines[len(plain) :]
    found = [(c.name, c.change, by) for c, by in zip(changes, noticed, strict=True) if not by.startswith('tests/')]
    assert found == []


def test_what_only_people_read_is_no_change():
    assert tree_of('def f(x: int | None = 1) -> int:\n    """Two."""\n    return x') == tree_of('def f(x=1):\n    return x')
    assert tree_of('def f(x=1):\n    return x') != tree_of('def f(x=2):\n    return x')


def test_a_change_says_where_and_what_it_is():
    mutants = mutants_of('functional/maps.py')
    assert len({mutant.key for mutant in mutants}) == len({mutant.name for mutant in mutants}) > 60
    mutant = mutants[0]
    old, new = source(mutant.file).splitlines(), mutant.code.splitlines()
    assert [i for i, (a, b) in enumerate(zip(old, new, strict=True), 1) if a != b] == [mutant.line]
    assert mutant.change == f'{old[mutant.line - 1].strip()} → {new[mutant.line - 1].strip()}'


@pytest.mark.parametrize('file', files_of())
def test_every_file_has_tests_and_its_survivors_are_of_this_code(file):
    for paths in groups_of(file):
        for path in paths:
            assert (ROOT / path).exists(), path
    lines = {line.strip() for line in source(file).splitlines()}
    for change, reason in read_known().get(file, {}).items():
        assert change.partition(' → ')[0] in lines, f'tests/survivors.yml: {file} has no such line any more: {change}'
        assert len(reason.split()) > 3, change


def test_what_was_tried_is_kept_by_key_and_next_to_all_of_it_was_noticed():
    kept = dict(line.split() for line in KEPT.read_text().splitlines())
    assert set(kept.values()) <= {*KILLED, 'survived'}
    noticed = sum(result in KILLED for result in kept.values())
    assert noticed >= 0.9 * len(kept) > 900
    keys = {mutant.key for mutant in mutants_of('functional/maps.py')}
    assert len(keys & kept.keys()) > 10  # as long as the file is what it was when they were tried
