"""Config files: where they are, how they are read, and what a distiller's config takes from its teachers' own."""

from __future__ import annotations

import ast
import contextlib
import copy
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd_plugin.failures import lacks_memory
from mmkd_plugin.structures import suggest

from .options import merge_options

__all__ = [
    'SHIPPED',
    'ConfigError',
    'complete_teachers',
    'config_files',
    'deployed_learner',
    'read_config',
    'resolve_config',
    'shipped_configs',
    'views_read',
]

PACKAGE = Path(__file__).resolve().parents[1]
# A package holds its configs below .mim; in a checkout that is a link, and where links are off, a file of text.
SHIPPED = PACKAGE / '.mim' if (PACKAGE / '.mim' / 'configs').is_dir() else PACKAGE.parent
OWN = f'{PACKAGE.name}::'  # the host's notation for a config of another package


class ConfigError(ValueError):
    """All faults of a config: one sentence, or a list with one fault a line.

    Args:
        faults (Sequence[str] | str): One sentence for each fault; the same sentence counts once.
        source (str | Path, optional): Config file for the first line of the list.
    """

    def __init__(self, faults: Sequence[str] | str, source: str | Path | None = None) -> None:
        self.faults = tuple(dict.fromkeys([faults] if isinstance(faults, str) else faults))
        if len(self.faults) == 1:
            super().__init__(self.faults[0])
        else:
            head = f'{len(self.faults)} faults in {source or "the config"}:'
            super().__init__('\n'.join([head, *(f'  - {fault}' for fault in self.faults)]))


def resolve_config(path: str | Path) -> Path:
    """Find a config file: as given, else among those that the package ships, by path or by name.

    Args:
        path (str | Path): ``'configs/fam_kd.py'``, ``'fam_kd'`` or ``'mmkd_plugin::configs/fam_kd.py'``.

    Returns:
        Path: A file that exists.

    Raises:
        FileNotFoundError: The file is in neither place.
    """
    name = str(path).removeprefix(OWN)
    folders = [SHIPPED, SHIPPED / 'configs'] if str(path).startswith(OWN) else [Path(), SHIPPED, SHIPPED / 'configs']
    for folder in folders:
        for candidate in (folder / name, folder / f'{name}.py'):
            if candidate.is_file():
                return candidate
    known = shipped_configs()
    question = suggest(name.removeprefix('configs/').removesuffix('.py'), known)
    raise FileNotFoundError(
        f'there is no config {path}, neither from {Path.cwd()} nor among the shipped ones'
        + (f'; {question}' if question else '')
    )


def shipped_configs(folder: str = '') -> list[str]:
    """List the configs that the package ships, by the names that :func:`resolve_config` takes.

    Args:
        folder (str): Only what lies directly in this folder below ``configs``; by default everything but bases.
    """
    root = SHIPPED / 'configs'
    files = (root / folder).glob('*.py') if folder else root.rglob('*.py')
    names = [file.relative_to(root / folder).with_suffix('') for file in sorted(files)]
    return [str(name) for name in names if '_base_' not in name.parts]


def config_files(path: str | Path, above: tuple[Path, ...] = ()) -> list[Path]:
    """List a config file and the files that it inherits from, each before its own bases.

    Args:
        path (str | Path): Config file.
        above (tuple[Path, ...]): Files that inherit from this one.

    Returns:
        list[Path]: The config first. Bases of other packages are left to the host.

    Raises:
        ConfigError: A file is not UTF-8 text, has a syntax error, or inherits from itself.
        FileNotFoundError: A base is not there.
    """
    path = Path(path)
    if any(path.samefile(other) for other in above):
        raise ConfigError(f'config {path} inherits from itself')
    try:
        text = path.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ConfigError(f'config {path} is not UTF-8 text: byte {error.object[error.start]:#04x} at {error.start}') from error
    if path.suffix != '.py':
        return [path]
    try:
        bases = _bases(ast.parse(text))
    except SyntaxError as error:
        raise ConfigError(f'config {path}, line {error.lineno}: {error.msg}') from error
    files = [path]
    for base in bases:
        if not base.startswith(OWN) and ('::' in base or '{{' in base):
            continue
        base_path = resolve_config(base) if base.startswith(OWN) else path.parent / base
        if not base_path.is_file():
            hint = f"; the shipped one is _base_ = '{OWN}configs/{base}'" if (SHIPPED / 'configs' / base).is_file() else ''
            raise FileNotFoundError(f'config {path}: there is no base {base}{hint}')
        files += config_files(base_path, (*above, path))
    return files


def _bases(tree: ast.Module) -> list[str]:
    """Return what a config's text names as ``_base_``; an expression is left to the host."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', None) == '_base_':
            with contextlib.suppress(ValueError):
                bases = ast.literal_eval(node.value)
                return [bases] if isinstance(bases, str) else list(bases)
    return []


_READ: dict[tuple, Config] = {}  # by the names and texts of all files


def read_config(path: str | Path) -> Config:
    """Read a config file with its bases.

    A module beside the config, or beside one of its bases, can be named in ``custom_imports``.

    Args:
        path (str | Path): As for :func:`resolve_config`.

    Returns:
        Config: The config.

    Raises:
        ConfigError: A file cannot be read, or its text cannot be run.
        FileNotFoundError: The file or a base is not there.
        ImportError: A module of ``custom_imports`` cannot be imported.
    """
    path = resolve_config(path)
    texts = {str(file.absolute()): file.read_text(encoding='utf-8') for file in config_files(path)}
    for file, text in texts.items():
        folder = str(Path(file).parent)
        if 'custom_imports' in text and folder not in sys.path:
            sys.path.append(folder)  # last, so that no module of the host is hidden; for the run too, whose workers import it
    key = (str(path), *texts.items())
    if key in _READ:
        return copy.deepcopy(_READ[key])
    cfg = _run_config(path)
    # What texts alone decide is run once: a sweep reads few files hundreds of times.
    if path.suffix == '.py' and not any('import' in text or '{{' in text or '::' in text for text in texts.values()):
        _READ[key] = copy.deepcopy(cfg)
    return cfg


def _run_config(path: Path) -> Config:
    """Run the text of a config file and of its bases."""
    try:
        with _own_bases():
            return Config.fromfile(path)
    except ImportError as error:
        cause: BaseException = error  # the host wraps the first one in others
        while inner := cause.__cause__ or cause.__context__:
            cause = inner
        raise ImportError(
            f'config {path}: {cause}; modules are looked for in {path.parent.absolute()} and on PYTHONPATH'
        ) from error
    except Exception as error:  # whatever the text of a config can raise
        if lacks_memory(error):
            raise
        message = error.args[0] if error.args else error
        raise ConfigError(f'config {path} cannot be read: {type(error).__name__}: {message}') from error


@contextlib.contextmanager
def _own_bases() -> Iterator[None]:
    """Let ``_base_ = 'mmkd_plugin::configs/kd.py'`` be found: the host knows the projects of its own family only."""
    find = Config._get_cfg_path

    def find_own(cfg_path: str, filename: str) -> tuple[str, str | None]:
        return (str(resolve_config(cfg_path)), None) if cfg_path.startswith(OWN) else find(cfg_path, filename)

    Config._get_cfg_path = staticmethod(find_own)
    try:
        yield
    finally:
        Config._get_cfg_path = staticmethod(find)


def deployed_learner(model: Mapping) -> tuple[str, Any]:
    """Return name and config of the learner that a distiller's config deploys; with one learner, that one.

    Args:
        model (Mapping): Config of a distiller.

    Raises:
        ValueError: The config is of no distiller, or it does not say which of its learners is deployed.
    """
    entries = model.get('learners') if isinstance(model, Mapping) else None
    learners = {name: cfg for name, cfg in entries.items() if cfg is not None} if isinstance(entries, Mapping) else {}
    deployed = model.get('deployed') if isinstance(model, Mapping) else None
    name = deployed or (next(iter(learners)) if len(learners) == 1 else None)
    if name is None or name not in learners:
        raise ValueError(f'deployed={name!r} must be one of the learners: {", ".join(learners) or "none given"}')
    return name, learners[name]


def views_read(model: Mapping) -> set[str]:
    """Return the names of the views that the networks of a distiller read, views of teachers being known.

    Args:
        model (Mapping): Config of a distiller, see :func:`complete_teachers`.
    """
    entries = [entry for kind in ('learners', 'teachers') for entry in (model.get(kind) or {}).values() if entry]
    return {entry['view'] for entry in entries if entry.get('view')}


def complete_teachers(model: dict, options: Mapping[str, object] | None = None) -> None:
    """Write ``view`` and ``network`` of every teacher that has a ``config`` into a distiller's config.

    A model is built from its own config, without a look at other files; the other files are read here, before.

    Args:
        model (dict): Config of a distiller, changed in place. Fields that a teacher's entry gives itself stay.
        options (Mapping, optional): ``{'dotted.key': value}``, merged into every teacher's config.

    Raises:
        ConfigError: A teacher's config is not there, cannot be read, or is of no distiller; one fault for each teacher.
    """
    faults = []
    for name, teacher in (model.get('teachers') or {}).items():
        if not isinstance(teacher, dict) or not teacher.get('config') or {'view', 'network'} <= teacher.keys():
            continue
        try:
            cfg = read_config(teacher['config'])
            merge_options(cfg, options or {})
            _, learner = deployed_learner(cfg.get('model', {}))
        except (ValueError, FileNotFoundError, ImportError) as error:
            faults.append(f"teacher '{name}': {error}")
            continue
        for key in ('view', 'network'):
            if key in learner:
                teacher.setdefault(key, learner[key])
    if faults:
        raise ConfigError(faults)
