"""Lists that people read say what the code says: methods, components, exports and requirements."""

import ast
import importlib
import pkgutil
import re
import runpy
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LISTS = runpy.run_path(str(ROOT / 'tools' / 'dev' / 'lists.py'))
TABLES = runpy.run_path(str(ROOT / 'tools' / 'dev' / 'benchmark_tables.py'))


@pytest.fixture(scope='module')
def written():
    return LISTS['lists']()


def test_the_written_lists_are_up_to_date(written):
    outdated = [path.name for path in LISTS['outdated'](written)]
    assert outdated == [], 'run python tools/dev/lists.py'


def test_every_page_of_the_reference_belongs_to_a_room(written):
    pages = {path for path in (ROOT / 'docs' / 'api').glob('*.md') if path.name != 'index.md'}
    assert pages == {path for path in written if path.parent.name == 'api'}
    listed = re.search(r'maxdepth: 1\n\n(.+)\n```', (ROOT / 'docs' / 'api' / 'index.md').read_text(), re.DOTALL)[1]
    assert {path.stem for path in pages} == set(listed.split())


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        ('_base_ = []', r"toy.py: the first line must read '# <method>: <what this config does>', got '_base_ = \[\]'"),
        ('# Toy.\n', r"the first line must read .* got '# Toy.'"),
        (
            '# Toy: plays.\n# Paper: Toys, 2024',
            r"the second line must read '# Paper: <title> \(<authors and year>\), <link>', got",
        ),
        ('# Toy: plays.\n', "one config of Toy must have a second line '# Paper: …', found none"),
    ],
)
def test_a_config_that_does_not_name_its_method_is_refused(lines, message, tmp_path):
    (tmp_path / 'toy.py').write_text(lines)
    with pytest.raises(ValueError, match=message):
        LISTS['methods'](tmp_path)


def test_the_paper_of_a_method_is_named_once(tmp_path):
    text = '# Toy: plays.\n# Paper: On Toys (Doe 2024), https://example.org/toys\n'
    (tmp_path / 'toy.py').write_text(text)
    assert [leaf.url for leaf in LISTS['methods'](tmp_path)] == ['https://example.org/toys']
    (tmp_path / 'toy_2.py').write_text(text)
    with pytest.raises(ValueError, match='one config of Toy must have .* found toy.py, toy_2.py'):
        LISTS['methods'](tmp_path)


def packages(name='mmkd_plugin'):
    package = importlib.import_module(name)
    yield package
    for module in pkgutil.iter_modules(package.__path__, f'{name}.'):
        if module.ispkg:
            yield from packages(module.name)


@pytest.mark.parametrize('package', list(packages()), ids=lambda package: package.__name__)
def test_a_package_has_all_its_exports(package):
    assert all(hasattr(package, name) for name in package.__all__)
    assert len(set(package.__all__)) == len(package.__all__)


COMPONENTS = [(name, module) for name, module in LISTS['COMPONENTS'].values()]


@pytest.mark.parametrize(('registry', 'module'), COMPONENTS, ids=[module for _, module in COMPONENTS])
def test_a_registered_component_is_exported(registry, module):
    ours = getattr(importlib.import_module('mmkd_plugin.registry'), registry).module_dict
    room = importlib.import_module('.'.join(module.split('.')[:2]))
    registered = [item.__name__ for item in ours.values() if f'{item.__module__}.'.startswith(f'{module}.')]
    missing = [name for name in registered if not hasattr(room, name)]
    assert missing == [], f'{room.__name__} does not export them'


def requirements_of_setup() -> list[Requirement]:
    assigned = [node for node in ast.parse((ROOT / 'setup.py').read_text()).body if isinstance(node, ast.Assign)]
    lists = {node.targets[0].id: node.value for node in assigned}
    lines = ast.literal_eval(lists['INSTALL']) + ast.literal_eval(lists['EXTRAS'])['test']
    return [Requirement(line) for line in lines]


def test_the_second_stack_is_the_first_with_another_host():
    """Requirements of setup.py but for the host, with the same bounds."""
    lines = (ROOT / 'requirements' / 'second-stack.txt').read_text().splitlines()
    listed = [Requirement(line) for line in (re.sub(r'#.*', '', line).strip() for line in lines) if line]
    second = {requirement.name: str(requirement.specifier) for requirement in listed}
    first = {r.name: str(r.specifier) for r in requirements_of_setup() if not r.name.startswith('onedl-')}
    assert {name: second.get(name) for name in first} == first
    assert second.keys() - first.keys() == {'mmengine', 'mmcv-lite', 'mmpretrain', 'setuptools'}


OVERVIEW = 'network,toy,mean,over supervised/student\nsupervised/student,80,80,\n{method},{accuracy},{accuracy},{gain}\n'
COMPARISON = 'data,network,difference,low,high\ntoy,{method},{gain},{gain},{gain}\n'


@pytest.mark.parametrize(
    ('best', 'last', 'row', 'said'),
    [
        (0.5, -0.5, '80.50 | +0.50 | 79.50 | -0.50', None),
        (-0.001, 0.0, '80.00 | +0.00 | 80.00 | +0.00', None),
        (-1.234, 0.5, '78.77 | -1.23 | 80.50 | +0.50', 'is 1.23 points below the student alone on the mean, by the last ones no longer'),
        (-1.0, -2.0, '79.00 | -1.00 | 78.00 | -2.00', 'is 1.00 points below the student alone on the mean, by the last ones 2.00 points.'),
    ],
)  # fmt: skip
def test_a_page_says_of_a_method_below_the_student_alone_whether_the_chosen_epoch_makes_it_so(best, last, row, said, tmp_path):
    for epoch, gain in (('best', best), ('last', last)):
        folder = tmp_path / 'tables' / 'benchmark' / epoch
        folder.mkdir(parents=True)
        (folder / 'overview.csv').write_text(OVERVIEW.format(method='kd', accuracy=80 + gain, gain=gain))
        (folder / 'comparison.csv').write_text(COMPARISON.format(method='kd', gain=gain))
    part = TABLES['benchmark_part'](['kd', 'absent'], TABLES['read_benchmark'](tmp_path), '../results.md')
    assert f'| `kd` | mean | {row} |' in part
    assert 'absent' not in part
    assert said in part if said else 'below the student' not in part
