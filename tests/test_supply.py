"""What is installed with the package: lock files, licences, the bill of materials, and the workflows of the forge, held against setup.py."""

import ast
import re
from pathlib import Path

import licences
import lock
import pytest
import sbom
import yaml
from audit import judge
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from requirements import DEFAULT, brought_by, direct, normal

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / 'requirements'
WORKFLOWS = sorted((ROOT / '.github' / 'workflows').glob('*.yml'))
SETUP = (ROOT / 'setup.py').read_text()
PYTHONS = re.findall(r"'Programming Language :: Python :: (3\.\d+)'", SETUP)
AGAIN = 'the lock files are older than setup.py: python tools/dev/lock.py'


def locked(*parts):
    """Blocks of lock files, by package."""
    return {
        name: blocks for part in parts for name, blocks in lock.read_blocks((FOLDER / f'lock-{part}.txt').read_text()).items()
    }


def version_for(blocks, python):
    """The versions of a package that are installed with a Python on Linux."""
    lines = [Requirement(block.partition(' \\')[0]) for block in blocks]
    here = {
        'python_version': python,
        'python_full_version': f'{python}.5',
        'sys_platform': 'linux',
        'platform_machine': 'x86_64',
    }
    return [next(iter(line.specifier)).version for line in lines if line.marker is None or line.marker.evaluate(here)]


def test_pythons_of_setup_are_those_that_it_allows_and_the_matrix_has():
    (allowed,) = re.findall(r"python_requires='(.+)'", SETUP)
    assert PYTHONS == ['3.10', '3.11', '3.12', '3.13']
    assert all(python in SpecifierSet(allowed) for python in PYTHONS)
    assert '3.9' not in SpecifierSet(allowed)
    assert f'environments=({" ".join(PYTHONS)})' in (ROOT / 'tools' / 'dev' / 'matrix.sh').read_text()
    assert f"python_full_version < '3.{int(PYTHONS[-1][2:]) + 1}'" in (ROOT / 'pyproject.toml').read_text()


@pytest.mark.parametrize('python', PYTHONS)
@pytest.mark.parametrize(('extra', 'parts'), [(DEFAULT, ('torch', 'default')), ('test', ('torch', 'default', 'test'))])
def test_lock_files_hold_every_requirement_in_its_range(extra, parts, python):
    blocks = locked(*parts)
    for each in direct():
        if each.extra == extra:
            (version,) = version_for(blocks.get(each.name, []), python) or [None]
            assert version is not None, f'{each.name} is missing; {AGAIN}'
            assert each.requirement.specifier.contains(version), f'{each.name} {version}; {AGAIN}'


def test_every_line_of_a_lock_file_has_hashes_and_no_package_stands_in_two():
    seen = [name for part in lock.CONTENT for name in locked(part)]
    assert len(seen) == len(set(seen)) > 100
    for part in lock.CONTENT:
        for blocks in locked(part).values():
            for block in blocks:
                first, *rest = block.splitlines()
                assert re.match(r'[a-z0-9][a-z0-9.-]*==\S+', first)
                assert rest
                assert all(re.fullmatch(r' +--hash=sha256:[0-9a-f]{64}( \\)?', line) for line in rest), first
        text = (FOLDER / f'lock-{part}.txt').read_text()
        assert 'python tools/dev/lock.py' in text.splitlines()[0]
        assert 'http' not in text
        assert ' @ ' not in text
    pair = locked('torch')
    assert [f'{name}=={version_for(pair[name], "3.11")[0]}' for name in ('torch', 'torchvision')] == list(lock.HELD)


def test_a_lock_file_is_split_by_who_brings_a_package():
    text = """\
# a head
a==1 \\
    --hash=sha256:0
    # via mmkd-plugin (setup.py)
b==1 ; python_full_version < '3.11' \\
    --hash=sha256:0
    # via
    #   a
    #   c
b==2 ; python_full_version >= '3.11' \\
    --hash=sha256:0
    # via a
c==1 \\
    --hash=sha256:0
    # via mmkd-plugin (setup.py)
nvidia-d==1 \\
    --hash=sha256:0
    # via torch
"""
    parts = lock.split(lock.read_blocks(text), {'a'})
    assert {part: [block.partition(' ')[0] for block in blocks] for part, blocks in parts.items()} == {
        'torch': ['nvidia-d==1'],
        'default': ['a==1', 'b==1', 'b==2'],
        'test': ['c==1'],
    }
    assert not any('#' in block for blocks in parts.values() for block in blocks)


def test_licences_of_what_is_installed_are_allowed(capsys):
    assert licences.main(['--check']) == 0, capsys.readouterr().err


def test_the_page_of_dependencies_has_every_requirement_with_its_reason():
    page = (ROOT / 'docs' / 'dependencies.md').read_text()
    rows = {row[0]: row for row in (line.strip('| ').split(' | ') for line in page.splitlines()) if len(row) == 5}
    for each in direct():
        row = rows.get(each.requirement.name)
        assert row, f'{each.requirement.name} is not on the page: python tools/dev/licences.py'
        assert f'{each.requirement.specifier}' in row[1]
        assert each.extra in row[4]
        assert each.extra != DEFAULT or row[2] == each.reason != ''


@pytest.mark.parametrize(
    ('fields', 'licence'),
    [
        (('MIT AND PSF-2.0', 'x', []), 'MIT AND PSF-2.0'),
        ((None, 'Apache 2.0', ['License :: OSI Approved :: MIT License']), 'Apache-2.0'),
        ((None, 'the\nwhole text', ['License :: OSI Approved :: BSD License']), 'BSD'),
        ((None, 'UNKNOWN', ['License :: OSI Approved', 'License :: OSI Approved :: MIT License']), 'MIT'),
        ((None, None, ['Topic :: x']), licences.UNKNOWN),
    ],
)
def test_a_licence_is_read_out_of_three_fields(fields, licence):
    assert licences.spdx(*fields) == licence


def test_a_licence_that_nobody_has_agreed_to_is_a_fault():
    stated = {
        'a': 'MIT AND BSD-3-Clause',
        'b': 'GPL-3.0-only OR MIT',
        'c': 'GPL-3.0-only',
        'd': 'MIT AND AGPL-3.0',
        'e': licences.UNKNOWN,
    }
    stated |= {
        'nvidia-x': licences.PROPRIETARY,
        'nvidia-y': 'EULA',
        'gudhi': licences.licence_of('gudhi'),
        'f': licences.ABSENT,
    }
    wrong = licences.faults(stated, {'gudhi': {'test'}})
    assert [sentence.split()[0] for sentence in wrong] == ['c', 'd', 'e', 'nvidia-y']
    assert "c has the licence 'GPL-3.0-only', which is neither in ALLOWED nor in EXCEPTIONS" in wrong[0]
    assert licences.faults({'gudhi': licences.licence_of('gudhi')}, {'gudhi': {'test', DEFAULT}}) == [
        'gudhi (MIT AND GPL-3.0-or-later) is allowed for bench, test, but default brings it too'
    ]


def test_what_a_requirement_brings_follows_the_metadata():
    assert {'tensorboard', 'grpcio', 'werkzeug', 'markupsafe'} <= brought_by([Requirement('tensorboard')])
    assert brought_by([Requirement('no-such-package')]) == {'no-such-package'}
    assert normal('Scikit_Posthocs') == 'scikit-posthocs'


def test_a_bill_of_materials_holds_what_is_wanted_and_nothing_else():
    component = [{'bom-ref': f'{name}-ref', 'name': name, 'version': '1.5'} for name in ('mmkd_plugin', 'a', 'b', 'c')]
    component[0]['externalReferences'] = [{'url': 'file:///home/ann/mmkd_plugin'}]
    needs = [
        {'ref': 'mmkd_plugin-ref', 'dependsOn': ['a-ref', 'c-ref']},
        {'ref': 'a-ref', 'dependsOn': ['b-ref']},
        {'ref': 'c-ref'},
    ]
    bill = sbom.pruned({'components': component, 'dependencies': needs}, {'mmkd-plugin', 'a', 'b'})
    assert 'ann' not in str(bill)
    assert bill['dependencies'][0]['dependsOn'] == ['a-ref']
    assert [each['name'] for each in bill['components']] == ['mmkd_plugin', 'a', 'b']
    assert [each['ref'] for each in bill['dependencies']] == ['mmkd_plugin-ref', 'a-ref']
    asked = [Requirement(line) for line in ('A>=1', 'b>=2', 'c', 'd; sys_platform == "win32"')]
    assert sbom.bill_faults(bill, asked) == [
        'b is 1.5 in the bill of materials, expected >=2',
        'c is not in the bill of materials',
    ]


def test_an_audit_that_could_not_ask_is_no_good_news():
    found = '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1", "aliases": [], "fix_versions": ["2"]}]}]}'
    assert judge(found) == (1, ['a 1: X-1, mended in 2', '1 packages, 1 vulnerabilities that are not accepted'])
    assert judge(found.replace('[{"id": "X-1", "aliases": [], "fix_versions": ["2"]}]', '[]'))[0] == 0
    for report in ('', 'no JSON', '{"dependencies": []}', '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'):
        code, lines = judge(report)
        assert code == 3
        assert 'nothing is known' in lines[-1]


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_reads_alone_and_its_actions_are_pinned(path):
    text = path.read_text()
    workflow = yaml.safe_load(text)
    assert workflow['permissions'] == {'contents': 'read'}
    for job in workflow['jobs'].values():
        assert 'permissions' not in job
        assert job['timeout-minutes'] <= 120
    used = re.findall(r'uses: (\S+)(.*)', text)
    assert used
    assert all(re.fullmatch(r'actions/[a-z-]+@[0-9a-f]{40}', action) and re.match(r' # v\d', note) for action, note in used)
    assert '${{ github.event' not in text  # what strangers write is no part of a command
    scripts = re.findall(r'python (tools/dev/\w+\.py)', text)
    assert all((ROOT / script).is_file() for script in scripts)


def test_the_matrices_of_the_workflows_are_those_of_setup():
    jobs = [yaml.safe_load(path.read_text())['jobs'] for path in WORKFLOWS]
    matrices = [job['strategy']['matrix'] for each in jobs for job in each.values() if 'strategy' in job]
    assert len(matrices) == 2
    assert all(matrix['python'] == PYTHONS for matrix in matrices)
    assert all({'python': '3.11', 'stack': 'second'} in matrix['include'] for matrix in matrices)
    commands = (ROOT / '.github' / 'workflows' / 'nightly.yml').read_text()
    for command in ('pytest -m soak', 'licences.py --check', 'sbom.py sbom.json', 'audit.py', 'lock-test.txt'):
        assert command in commands


def test_requirements_are_read_and_not_run(tmp_path):
    (tmp_path / 'setup.py').write_text(
        "raise SystemExit\nINSTALL = ['a>=1',  # why\n]\nEXTRAS = {'x': ['b',  # both, as the next one\n'c']}\n"
    )
    ast.parse((tmp_path / 'setup.py').read_text())
    assert [(each.extra, str(each.requirement), each.reason) for each in direct(tmp_path / 'setup.py')] == [
        (DEFAULT, 'a>=1', 'why'),
        ('x', 'b', 'both'),
        ('x', 'c', 'both'),
    ]
