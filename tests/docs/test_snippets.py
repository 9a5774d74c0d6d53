"""Commands and snippets of the documentation: checked here beside what other tests run, or marked with the reason why not."""

import ast
import importlib
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from snippets import COMMANDS as LANGUAGES
from snippets import blocks_of, commands_of, mentions_of

from mmkd_plugin import registry
from mmkd_plugin.cli.main import build_parser
from mmkd_plugin.structures import accepted_arguments

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
PAGES = [*(ROOT / name for name in ('README.md', 'README.ko.md', 'CONTRIBUTING.md')), *sorted((ROOT / 'docs').rglob('*.md'))]
BLOCKS = [(page, block) for page in PAGES for block in blocks_of(page)]
SAVED = {block.file for _, block in BLOCKS if block.file}
SHOWN = {str(path.relative_to(CONFIGS).with_suffix('')) for path in CONFIGS.rglob('*.py')}
SHOWN |= {path.stem for folder in ('sweeps', 'searches') for path in (CONFIGS / folder).glob('*.py')}
# Programs of others, whose arguments are not checked.
SYSTEM = {'.', 'cd', 'cp', 'git', 'mkdir', 'pre-commit', 'python3', 'ruff', 'mypy', 'sphinx-build'}
OURS = {'mmkd', 'python', 'pip', 'pytest', 'bash', 'torchrun', 'tools/dev/matrix.sh'}


def shown_commands(block):
    """Return the commands of a block; an indented one that does not begin with a program is a formula or an output."""
    commands = [part.strip() for line in commands_of(block) for part in re.split(r' && | \| | > ', line)]
    first = re.sub(r'^(\w+=\S+ )+', '', commands[0]).split()[0]
    if not block.language and first not in OURS | SYSTEM:
        return []
    return [part for part in commands if not re.fullmatch(r'~\S+', part)]  # files that output goes to


def fault_of(command, capsys):
    """Return what is wrong with a command, or an empty text."""
    first, *words = shlex.split(re.sub(r'^(\w+=\S+ )+', '', command))
    if first == 'torchrun':
        first, words = 'mmkd', words[words.index('mmkd_plugin') + 1 :]
    if first == 'mmkd':
        return mmkd_fault(words, capsys)
    if first == 'pip':
        extras = [Requirement('x' + word[1:]).extras for word in words if word.startswith('.[')]
        return ', '.join(f'no extra {extra}' for names in extras for extra in names if extra not in extras_of_setup())
    if first in SYSTEM or words[:1] == ['-m']:
        return ''
    if first not in OURS:
        return f'an unknown program, {first}'
    files = [word for word in (first, *words) if '/' in word or word.endswith('.py')]
    return ', '.join(f'no file {file}' for file in files if not (ROOT / file).exists() and file not in SAVED)


def extras_of_setup():
    nodes = [node for node in ast.parse((ROOT / 'setup.py').read_text()).body if isinstance(node, ast.Assign)]
    return next(ast.literal_eval(node.value) for node in nodes if node.targets[0].id == 'EXTRAS')


@cache
def parser_of(command):
    return build_parser([command])


def mmkd_fault(words, capsys):
    """Return what the real parser says of the words after `mmkd`, and which configs and data they name that are not there."""
    try:
        args = parser_of(words[0]).parse_args(words)
    except SystemExit as stop:
        return capsys.readouterr().err.strip().splitlines()[-1] if stop.code else ''
    names = [name for key in ('config', 'configs', 'space', 'baseline') for name in listed(args, key)]
    # A path is the reader's own, and so is a name in capitals.
    faults = [f'no config {name}' for name in names if re.fullmatch(r'(?!data/)[a-z_0-9]+(/\w+)?', name) and name not in SHOWN]
    known = {path.stem for path in (CONFIGS / '_base_' / 'datasets').glob('*.py')}
    data = [] if args.command == 'import' else listed(args, 'data')
    return ', '.join([*faults, *(f'no data {name}' for name in data if not name.endswith('.py') and name not in known)])


def listed(args, key):
    value = getattr(args, key, None) or []
    return [value] if isinstance(value, str) else value


def test_commands_are_what_the_parser_takes(capsys):
    faults, count = [], 0
    for page, block in BLOCKS:
        if block.language in LANGUAGES and not block.reason:
            for command in shown_commands(block):
                count += 1
                if fault := fault_of(command, capsys):
                    faults.append(f'{page.relative_to(ROOT)}:{block.line}: {command}: {fault}')
    assert faults == []
    assert count > 60


@pytest.mark.parametrize(
    ('command', 'fault'),
    [
        ('mmkd export student_best.pth --int9', 'unrecognized arguments: --int9'),
        ('mmkd train kdd', 'no config kdd'),
        ('mmkd train kd --data happt', 'no data happt'),
        ('mmkd sweep kd --data hapt wacth', 'no data wacth'),
        ('OMP_NUM_THREADS=1 python benchmarks/nowhere.py', 'no file benchmarks/nowhere.py'),
        ('pip install -e ".[exports]"', 'no extra exports'),
        ('torchrun --nproc-per-node=2 -m mmkd_plugin train kd --launch pytorch', 'unrecognized arguments: --launch pytorch'),
        ('mkmd train kd', 'an unknown program, mkmd'),
    ],
)
def test_a_wrong_command_is_found(command, fault, capsys):
    assert fault_of(command, capsys).endswith(fault)


def test_commands_in_running_text_are_what_the_parser_takes(capsys):
    faults, count = [], 0
    for page in PAGES:
        for line, text in mentions_of(page):
            if '…' in text:
                continue
            options = re.search(r'\w+(\|\w+)+', text)
            for choice in options[0].split('|') if options else ['']:
                words = shlex.split(text.replace(options[0], choice) if options else text)[1:]
                count += 1
                fault = '' if words[0] == 'COMMAND' else mmkd_fault([word.removesuffix('...') for word in words], capsys)
                if fault and 'arguments are required' not in fault:  # what the sentence is not about is left out
                    faults.append(f'{page.relative_to(ROOT)}:{line}: {text}: {fault}')
    assert faults == []
    assert count > 60


PYTHON = [(page, block) for page, block in BLOCKS if block.language == 'python' and not block.reason]
# Types that are the README's example, Optuna's and MMRazor's.
ELSEWHERE = {'MyFormat', 'MedianPruner', 'ModuleOutputs'}
REGISTRIES = [item for name in registry.__all__ if isinstance(item := getattr(registry, name), registry.Registry)]


@pytest.mark.parametrize(('page', 'block'), PYTHON, ids=[f'{page.relative_to(ROOT)}-{block.line}' for page, block in PYTHON])
def test_a_snippet_is_python_and_names_what_there_is(page, block):
    """Imports resolve, and so do types in configs with the arguments that are given."""
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []
        elif isinstance(node, ast.Import):
            assert [importlib.import_module(name.name) for name in node.names]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict':
            given = {word.arg: word.value for word in node.keywords}
            kind = getattr(given.pop('type', None), 'value', None)
            if kind and kind not in ELSEWHERE and not kind.startswith('mmrazor.'):
                items = [item for each in REGISTRIES if (item := registry.find_type(each, kind))]
                assert items, f'type={kind!r} is registered nowhere'
                accepted = [accepted_arguments(item) for item in items]
                # The last two are of a view, not of its encoder.
                unknown = (
                    given.keys() - set().union(*(a.names for a in accepted)) - {'_delete_', '_scope_', 'channels', 'stream'}
                )
                assert not unknown or any(a.open for a in accepted), f'{kind} has no {", ".join(unknown)}'


def test_descriptions_in_yaml_are_read():
    described = [yaml.safe_load(block.text) for _, block in BLOCKS if block.language == 'yaml' and not block.reason]
    assert [entry['rate'] for entry in described] == [50] * len(described)
    assert len(described) >= 3


def test_every_language_is_checked_and_every_exception_has_a_reason():
    kinds = {block.language for _, block in BLOCKS if not block.reason}
    assert {kind for kind in kinds if not kind.startswith('{')} <= {*LANGUAGES, 'python', 'yaml', 'text'}
    assert [block.line for _, block in BLOCKS if block.reason and len(block.reason.split()) < 3] == []
