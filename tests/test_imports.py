"""The directions of import between the rooms of the package: left may import right, nothing else."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / 'mmkd_plugin'
FUNCTIONAL = {'functional'}
MAY_IMPORT = {
    'functional': set(),
    'structures': set(),
    'fileio': {'structures', 'compatibility', 'failures'},
    'registry': {'structures'},
    'engine': {'registry', 'structures', 'fileio', 'compatibility', 'failures', 'text'},
    # The version tells a store's age.
    'datasets': {'compatibility', 'failures', 'registry', 'functional', 'structures', 'fileio', 'version'},
    # The weights of a published model lie in a file.
    'models/backbones': {'compatibility', 'failures', 'registry', 'functional', 'fileio'},
    'models/connectors': {'registry', 'functional', 'structures'},
    'models/weightings': {'registry', 'functional', 'structures'},
    'models/encoders': {'registry', 'functional'},
    'models/views': {'registry', 'structures', 'models/encoders'},
    # Images that another program has made lie in files.
    'models/stored_images': {'registry', 'fileio'},
    'models/simple_detectors': {'registry', 'functional'},
    'models/losses': {'registry', 'functional', 'structures'},
    'models/transfers': {'registry', 'functional', 'structures', 'engine', 'models/connectors'},
    # The distiller reads the run's progress, which lives in engine.
    'models/distillers': {'failures', 'registry', 'structures', 'fileio', 'engine', 'models/transfers', 'models/views'},
    'evaluation': {'registry'},
    'experiments': {'compatibility', 'failures', 'fileio', 'structures', 'text'},
    'visualization': {'compatibility', 'failures', 'registry', 'datasets', 'fileio'},
    # The version is written into artefacts.
    'deploy': {'compatibility', 'failures', 'registry', 'structures', 'fileio', 'datasets', 'engine', 'version', 'text'},
    'apis': {
        'compatibility',
        'failures',
        'registry',
        'structures',
        'fileio',
        'engine',
        'datasets',
        'experiments',
        'models/connectors',
        'models/distillers',
        'models/encoders',
        'models/views',
        'models/stored_images',
        'deploy',
        'visualization',
    },
    'cli': {
        'failures',
        'version',
        'text',
        'engine',
        'fileio',
        'datasets',
        'experiments',
        'visualization',
        'deploy',
        'apis',
    },
}


def room_of(parts: tuple[str, ...]) -> str:
    if parts and parts[0] == 'models' and len(parts) > 1:
        return '/'.join(parts[:2])
    return parts[0] if parts else ''


def imports(file: Path) -> list[tuple[str, ...]]:
    """Modules of the package that a file imports, as path parts below the package."""
    here = file.relative_to(PACKAGE).with_suffix('').parts
    result = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            result += [tuple(a.name.split('.'))[1:] for a in node.names if a.name.split('.')[0] == 'mmkd_plugin']
        elif isinstance(node, ast.ImportFrom):
            module = tuple((node.module or '').split('.')) if node.module else ()
            if node.level:
                module = here[: len(here) - node.level] + module
            elif module[:1] == ('mmkd_plugin',):
                module = module[1:]
            else:
                continue
            result.append(module)
    return result


FILES = [f for f in sorted(PACKAGE.rglob('*.py')) if f.parent != PACKAGE and f != PACKAGE / 'models' / '__init__.py']


@pytest.mark.parametrize('file', FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_a_file_imports_only_to_the_right(file):
    room = room_of(file.relative_to(PACKAGE).with_suffix('').parts)
    for module in imports(file):
        other = room_of(module)
        assert other in ('', room) or other in MAY_IMPORT[room], f'{room} imports {other}'


def test_every_room_has_its_rule():
    assert {room_of(f.relative_to(PACKAGE).with_suffix('').parts) for f in FILES} == MAY_IMPORT.keys() - {'registry'}


def test_no_module_hooks_and_no_assert_in_the_package():
    for file in PACKAGE.rglob('*.py'):
        tree = ast.parse(file.read_text())
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not names & {'register_forward_hook', 'register_forward_pre_hook', 'register_full_backward_hook'}, file
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(tree)), file


def test_no_test_imports_a_test():
    """Neither as a module nor in a script that a test starts; shared code stands in `helpers`, `writers` and their like."""
    statement = re.compile(r'^\s*(?:from|import)\s+(?:\w+\.)*test_|import_module\(\W*test_', re.MULTILINE)
    assert [file.name for file in Path(__file__).parent.rglob('*.py') if statement.search(file.read_text())] == []
