"""Rules of all code of the package that tests of what it does would miss where they do not look: writes, and orders."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / 'mmkd_plugin'
FILES = sorted(PACKAGE.rglob('*.py'))

# Calls that write a file where it stands, or move one there, but for those that write into a `buffer`.
WRITERS = {
    *('np.save', 'np.savez', 'np.savez_compressed', 'np.savetxt', 'torch.save', 'torch.jit.save', 'onnx.save', 'json.dump'),
    *('os.rename', 'os.replace', 'shutil.copy', 'shutil.copy2', 'shutil.copyfile', 'shutil.copytree', 'shutil.move'),
    *('yaml.dump', 'yaml.safe_dump', 'pickle.dump', 'mmengine.dump', 'save_checkpoint'),
}
WRITING_METHODS = {'write_text', 'write_bytes', 'savefig', 'tofile', 'to_csv', 'to_json', 'to_parquet', 'to_pickle', 'rename'}
# Files that do so, with the calls, and why nothing is lost.
MAY_WRITE = {
    'apis/pictures.py': ('torch.save', 'into a folder of its own, which is removed'),
    'datasets/store.py': ('np.save np.savez', 'into the file of an atomic write'),
    'experiments/launch/local.py': ('open', 'the log of a run, which is added to'),
    'experiments/launch/slurm.py': ('open', 'lines of messages, of which half a one is not read'),
    'experiments/records.py': ('open', 'lines of records, each whole or taken back'),
    'experiments/study.py': ('open', 'takes half a line of a journal away'),
    'fileio/atomic.py': ('open os.replace', 'the atomic write'),
    'models/distillers/teacher_cache.py': ('open part.rename', 'into a folder that gets its name when it is whole'),
}

# Calls whose results come in an order that differs between processes and file systems; and those to which an order is nothing.
UNORDERED = {'iterdir', 'glob', 'rglob', 'listdir', 'scandir', 'set', 'frozenset'}
UNORDERED |= {'intersection', 'union', 'difference', 'symmetric_difference'}
ANY_ORDER = {'sorted', 'len', 'any', 'all', 'min', 'max', 'set', 'frozenset', 'bool', 'Counter'}
IN_ORDER = {'list', 'tuple', 'enumerate', 'join', 'zip', 'map', 'filter', 'dict', 'next', 'iter', 'fromkeys', 'extend', 'sum'}


def name_of(function: ast.expr) -> str:
    """Return the last name of what is called."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, 'id', '')


def mode_of(call: ast.Call) -> str:
    """Return the mode of a call that opens a file."""
    place = 0 if isinstance(call.func, ast.Attribute) else 1
    given = [keyword.value for keyword in call.keywords if keyword.arg == 'mode'] + call.args[place : place + 1]
    return str(given[0].value) if given and isinstance(given[0], ast.Constant) else ''


def writes_in_place(code: str) -> list[tuple[int, str]]:
    """Return lines and names of calls that write a file where it stands."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        full, name = ast.unparse(node.func), name_of(node.func)
        into = node.args[1:2] if full in ('torch.save', 'torch.jit.save', 'json.dump') else node.args[:1]
        if into and ast.unparse(into[0]) == 'buffer':
            continue
        moves = name == 'replace' and isinstance(node.func, ast.Attribute) and len(node.args) == 1 and not node.keywords
        opens = name == 'open' and set(mode_of(node)) & set('wax+')
        if full in WRITERS or (name in WRITING_METHODS and isinstance(node.func, ast.Attribute)) or moves or opens:
            found.append((node.lineno, full))
    return found


def is_unordered(node: ast.expr, names: set[str]) -> bool:
    """Return whether the order of what an expression gives is not the same everywhere; some names are known to be such."""
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Call):
        return name_of(node.func) in UNORDERED
    if isinstance(node, ast.IfExp):
        return is_unordered(node.body, names) or is_unordered(node.orelse, names)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.BitAnd, ast.BitOr, ast.BitXor)):
        sides = (node.left, node.right)
        return any(is_unordered(side, names) or ast.unparse(side).endswith('.keys()') for side in sides)
    return False


def passed_through(node: ast.AST, parent: ast.AST | None) -> list[ast.expr]:
    """Return what a node goes through one by one, if the order shows in what comes of it."""
    if isinstance(node, ast.For):
        return [node.iter]
    if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.DictComp)):
        consumed = isinstance(parent, ast.Call) and name_of(parent.func) in ANY_ORDER
        return [] if consumed else [generator.iter for generator in node.generators]
    if isinstance(node, ast.Call) and name_of(node.func) in IN_ORDER:
        return node.args
    if isinstance(node, ast.Starred) and not isinstance(parent, ast.Set):
        consumed = isinstance(parent, ast.Call) and name_of(parent.func) in ANY_ORDER
        return [] if consumed else [node.value]
    return []


def orders_by_chance(code: str) -> list[tuple[int, str]]:
    """Return lines and expressions whose elements are used in an order that is not the same everywhere."""
    tree = ast.parse(code)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def scope(node: ast.AST) -> ast.AST:
        while node in parents and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node = parents[node]
        return node

    names: dict[ast.AST, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_unordered(node.value, set()):
            targets = {target.id for target in node.targets if isinstance(target, ast.Name)}
            names.setdefault(scope(node), set()).update(targets)
    return [
        (node.lineno, ast.unparse(each))
        for node in ast.walk(tree)
        for each in passed_through(node, parents.get(node))
        if is_unordered(each, names.get(scope(node), set()) | names.get(tree, set()))
    ]


def test_files_are_written_by_the_atomic_write():
    found = {}
    for file in FILES:
        calls = sorted({name for _, name in writes_in_place(file.read_text())})
        if calls:
            found[str(file.relative_to(PACKAGE))] = ' '.join(calls)
    assert found == {file: calls for file, (calls, _) in MAY_WRITE.items()}


@pytest.mark.parametrize(
    'code',
    [
        "open(path, 'w').write(text)",
        "with path.open(mode='ab') as file: pass",
        'path.write_text(text)',
        'np.savez(path, **arrays)',
        'torch.save(state, path)',
        'json.dump(facts, file)',
        'temporary.replace(path)',
        'os.rename(a, b)',
        'figure.savefig(path)',
        "frame.to_csv('a.csv')",
    ],
)
def test_a_write_in_place_is_found(code):
    assert [line for line, _ in writes_in_place(code)] == [1]


@pytest.mark.parametrize(
    'code',
    ['open(path).read()', "open(path, 'rb')", "text.replace('a', 'b')", 'torch.save(state, buffer)', 'write_atomically(a, b)'],
)
def test_what_writes_no_file_is_not_found(code):
    assert writes_in_place(code) == []


def test_no_order_is_that_of_a_set_or_a_folder():
    found = [
        f'{file.relative_to(PACKAGE)}:{line}: {each}' for file in FILES for line, each in orders_by_chance(file.read_text())
    ]
    assert found == [], 'sorted() gives an order that is the same everywhere'


@pytest.mark.parametrize(
    'code',
    [
        'for name in set(names): print(name)',
        'names = {name for name in given}\nprint(list(names))',
        "def f(given):\n    names = set(given)\n    return ', '.join(names)",
        '[path for path in folder.iterdir()]',
        "for path in folder.glob('*') if folder else (): pass",
        'x = [*os.listdir(folder)]',
        'for name in wanted.keys() - given.keys(): print(name)',
        'for name in set(wanted) - given: print(name)',
        'sum(weights[name] for name in set(names))',
    ],
)
def test_an_order_by_chance_is_found(code):
    assert len(orders_by_chance(code)) == 1


@pytest.mark.parametrize(
    'code',
    [
        'for name in sorted(set(names)): print(name)',
        'any(path.is_file() for path in folder.iterdir())',
        "print(sorted(path.name for path in folder.glob('*')))",
        '{name for name in set(names)}',
        'for name in dict.fromkeys(names): print(name)',
        'max(*set(names))',
    ],
)
def test_what_has_an_order_or_needs_none_is_not_found(code):
    assert orders_by_chance(code) == []
