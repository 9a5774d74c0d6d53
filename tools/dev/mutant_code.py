"""Changes of the package's code in one place, and tests of a process in which the package has such a change."""

from __future__ import annotations

import ast
import contextlib
import difflib
import hashlib
import itertools
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ['ROOT', 'Mutant', 'files_of', 'groups_of', 'mutants_of', 'prepare', 'tree_of', 'try_mutant']

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / 'mmkd_plugin'
ROOMS = ('functional', 'models/transfers')
# Tests of a file that is not named here are those of its own name.
OWN = {
    'functional/encodings/persistence_image.py': ['functional/encodings/test_persistence.py'],
    'functional/summaries.py': ['functional/test_properties.py', 'test_recorded_values.py'],
    'models/transfers/base.py': ['models/transfers'],
    'models/transfers/contrastive.py': ['models/transfers/test_contrastive_transfers.py'],
    'models/transfers/feature.py': ['models/transfers/test_transfers.py'],
    'models/transfers/maps.py': ['models/transfers/test_map_transfers.py', 'models/transfers/test_missing_streams.py'],
    'models/transfers/memory_bank.py': ['models/transfers/test_contrastive_transfers.py'],
    'models/transfers/relation.py': ['models/transfers/test_relation_transfers.py'],
    'models/transfers/response.py': ['models/transfers/test_response_transfer.py'],
}
# What notices most of the rest in ten seconds. The steps of all methods, tests/test_recorded_values.py, would take twenty more
# and noticed one of 1,500.
NEXT = (
    *('functional/test_properties.py', 'functional/test_all_functions.py', 'functional/test_arguments.py'),
    *('models/transfers', 'models/connectors', 'models/weightings', 'models/test_encoders.py', 'models/test_views.py'),
)
TYPES = ('TypeVar', 'ParamSpec')  # calls that make what type checkers read
PREPARED = ('torch', 'numba', 'scipy', 'mmengine.runner', 'mmpretrain', 'pytest', 'hypothesis', 'pyts', 'persim', 'gudhi')
SECONDS = 180  # of the processor for one group of tests; a whole one takes less than a minute
ENDS = {signal.SIGPROF: 'time', signal.SIGALRM: 'time'}


@dataclass(frozen=True)
class Mutant:
    """A change of one place.

    Attributes:
        name (str): ``file:byte+length:operator:number``, with the file below the package.
        line (int): Of the place, from 1.
        change (str): What it is.
        code (str): The whole file with the change.
    """

    name: str
    line: int
    change: str
    code: str

    @property
    def file(self) -> str:
        """Below the package."""
        return self.name.partition(':')[0]

    @property
    def key(self) -> str:
        """Hash of the code: another file has other mutants."""
        return hashlib.sha256(f'{self.file}\n{self.code}'.encode()).hexdigest()[:16]


class _Bare(ast.NodeTransformer):
    """Leave docstrings out, and what type checkers alone read."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if isinstance(node.annotation, ast.Name) and node.annotation.id == 'TypeAlias':
            return None
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        made = node.value.func if isinstance(node.value, ast.Call) else None
        return None if isinstance(made, ast.Name) and made.id in TYPES else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)


def tree_of(code: str) -> str:
    """Return what of a file's syntax tree is run."""
    return ast.dump(_Bare().visit(ast.parse(code)))


def mutants_of(file: str) -> list[Mutant]:
    """Return the mutants of a file by their place, each syntax tree once."""
    import libcst
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper
    from mutmut.mutation.mutators import mutation_operators

    source = _source(file)
    data, own = source.encode(), tree_of(source)
    wrapper = MetadataWrapper(libcst.parse_module(source), unsafe_skip_copy=True)
    spans = wrapper.resolve(ByteSpanPositionProvider)
    found: dict[str, Mutant] = {}
    for node, operator in _pairs(wrapper.module, mutation_operators):
        # Of a text, the first change alone: others differ from it in case.
        changes = itertools.islice(operator(node), 1 if isinstance(node, libcst.BaseString) else None)
        for number, changed in enumerate(changes):
            start, length = spans[node].start, spans[node].length
            code = (data[:start] + wrapper.module.code_for_node(changed).encode() + data[start + length :]).decode()
            name = f'{file}:{start}+{length}:{operator.__name__.removeprefix("operator_")}:{number}'
            tree = _tree_or_none(code)
            if tree is not None and tree != own and tree not in found:
                found[tree] = Mutant(name, *_difference(source, code), code)
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.name))


def _pairs(module: Any, operators: Sequence[tuple[type, Callable]]) -> Iterator[tuple[Any, Callable]]:
    """Yield nodes with the operators that change them, but not within errors that are raised and lists of exports."""
    from libcst import matchers

    exports = matchers.Assign(targets=[matchers.AssignTarget(matchers.Name('__all__'))])
    left_out, stack = matchers.Raise() | exports, [module]
    while stack:
        node = stack.pop()
        if matchers.matches(node, left_out):
            continue
        yield from ((node, operator) for kind, operator in operators if isinstance(node, kind))
        stack += node.children


def _tree_or_none(code: str) -> str | None:
    try:
        return tree_of(code)
    except SyntaxError:
        return None


def _source(file: str) -> str:
    return (PACKAGE / file).read_text(encoding='utf-8')


def _difference(source: str, code: str) -> tuple[int, str]:
    """Return the line of a change, and what it is."""
    old, new = source.splitlines(), code.splitlines()
    for tag, i, _, j, k in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != 'equal':
            lines = [line.strip() for line in new[j:k]] or ['(nothing)']
            return i + 1, f'{old[i].strip()} → {" ".join(lines)}'
    raise ValueError('there is no difference')


def files_of(only: Sequence[str] = ()) -> list[str]:
    """Return the files that are changed, below the package, or those whose names have one of some parts."""
    paths = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob('*.py')) if path.name != '__init__.py']
    names = [str(path.relative_to(PACKAGE)) for path in paths]
    return [name for name in names if not only or any(part in name for part in only)]


def groups_of(file: str) -> list[list[str]]:
    """Return paths of tests: those of the file, and all that may notice its mutants."""
    own = OWN.get(file) or [f'{Path(file).parent}/test_{Path(file).name}']
    return [[f'tests/{path}' for path in paths] for paths in (own, NEXT)]


class _First:
    """Plugin of pytest: the first test that fails."""

    name = ''

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid

    def pytest_collectreport(self, report) -> None:
        if report.failed and not self.name:
            self.name = report.nodeid


def prepare(*more: str) -> None:
    """Import what the package and its tests need, and more modules, but not the package: forks share it."""
    os.environ.update(OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE', CUDA_VISIBLE_DEVICES='')
    for name in (*PREPARED, *more):
        with contextlib.suppress(ImportError):
            __import__(name)


def try_mutant(file: str, code: str | None, paths: Sequence[str], quiet: bool = True) -> tuple[str, str]:
    """Run tests in a fork in which a file of the package has other code.

    Args:
        file (str): Below the package.
        code (str, optional): In its place; the file's own by default.
        paths (Sequence[str]): Of the tests.
        quiet (bool): Leave pytest's output out.

    Returns:
        tuple[str, str]: 'survived'; 'test' and the first that has failed; 'time' where they took too long; or 'end' where the
        process has ended otherwise.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            for number in ENDS:
                signal.signal(number, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            signal.setitimer(signal.ITIMER_REAL, 10 * SECONDS)
            if quiet:
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, 1)
                os.dup2(null, 2)
            status, name = _run_tests(file, code, paths)
            os.write(writing, name.encode())
            os._exit(status)
        finally:
            os._exit(99)
    os.close(writing)
    with open(reading) as pipe:
        name = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        return 'survived', ''
    if status < 0:
        return ENDS.get(signal.Signals(-status), 'end'), f'ended by signal {-status}'
    return ('test', name) if name else ('end', f'pytest has ended with {status}')


def _run_tests(file: str, code: str | None, paths: Sequence[str]) -> tuple[int, str]:
    """Run pytest with other code; the package must not have been imported."""
    import importlib.machinery

    import numba
    import pytest

    target, plain = str(PACKAGE / file), importlib.machinery.SourceFileLoader.get_code
    if code is not None:

        def get_code(loader, name):
            return compile(code, target, 'exec', dont_inherit=True) if loader.path == target else plain(loader, name)

        importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
        if 'njit' in code or 'parallel import' in code:  # compiled functions hold the code of those that they call
            njit = numba.njit
            numba.njit = lambda *args, **options: njit(*args, **{**options, 'cache': False})
    first = _First()
    os.chdir(ROOT)  # where the tests' paths begin
    with tempfile.TemporaryDirectory() as folder:
        options = ['-x', '-q', '-n', '0', '-p', 'no:cacheprovider', '--basetemp', f'{folder}/tests', '--no-header']
        status = pytest.main([*options, *map(str, paths)], plugins=[first])
    return int(status), first.name
