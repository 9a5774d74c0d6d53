"""Arguments that a class or a function accepts, with those that its constructor passes on to a base."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

__all__ = ['Arguments', 'accepted_arguments']


@dataclass(frozen=True)
class Arguments:
    """Names of arguments.

    Attributes:
        names (tuple[str, ...]): Everything that may be given by name.
        required (tuple[str, ...]): Those without a default.
        open (bool): Other names are accepted too, or the signature cannot be read.
    """

    names: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    open: bool = False


@functools.cache
def accepted_arguments(target: Callable) -> Arguments:
    """Return the arguments of a class or a function.

    ``**kwargs`` of a constructor that go to ``super().__init__`` unchanged stand for the arguments of the next class in the
    method resolution order, less those that the constructor gives itself.

    Args:
        target (Callable): A class, a function or anything else that is called.
    """
    return _of_class(target.__mro__) if inspect.isclass(target) else _of_function(target)


def _of_function(function: Callable) -> Arguments:
    try:
        return _of_parameters(list(inspect.signature(function).parameters.values()))
    except (TypeError, ValueError):  # a function written in C
        return Arguments(open=True)


def _of_class(classes: Sequence[type]) -> Arguments:
    """Return the arguments of the first constructor along a method resolution order."""
    position = next(index for index, cls in enumerate(classes) if '__init__' in vars(cls))
    if classes[position] in (object, nn.Module):
        return Arguments(open=any('__new__' in vars(cls) for cls in classes[:position]))
    init = vars(classes[position])['__init__']
    try:
        parameters = list(inspect.signature(init).parameters.values())[1:]
    except (TypeError, ValueError):
        return Arguments(open=True)
    own = _of_parameters(parameters)
    if not own.open:
        return own
    catch_all = next(p.name for p in parameters if p.kind is p.VAR_KEYWORD)
    call = _super_call(init, catch_all)
    if call is None:
        return own
    base = _of_class(classes[position + 1 :])
    given = {keyword.arg for keyword in call.keywords}
    positional = [arg for arg in call.args if not isinstance(arg, ast.Starred)]
    passed = [name for name in base.names[len(positional) :] if name not in given and name not in own.names]
    required = [name for name in passed if name in base.required]
    return Arguments((*own.names, *passed), (*own.required, *required), base.open)


def _of_parameters(parameters: Sequence[inspect.Parameter]) -> Arguments:
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return Arguments(
        tuple(p.name for p in named),
        tuple(p.name for p in named if p.default is p.empty),
        any(p.kind is p.VAR_KEYWORD for p in parameters),
    )


def _super_call(init: Callable, catch_all: str) -> ast.Call | None:
    """Return the call of ``super().__init__`` that gets ``**catch_all``, where nothing else is done with these arguments."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(init))))
    except (OSError, TypeError, SyntaxError):
        return None
    calls, reads = [], 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_super_init(node.func):
            calls += [
                node for k in node.keywords if k.arg is None and isinstance(k.value, ast.Name) and k.value.id == catch_all
            ]
        if isinstance(node, ast.Attribute) and node.attr == 'get' and isinstance(node.value, ast.Name):
            reads += node.value.id == catch_all
    uses = sum(isinstance(node, ast.Name) and node.id == catch_all for node in ast.walk(tree))
    return calls[0] if len(calls) == 1 and uses == 1 + reads else None


def _is_super_init(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr == '__init__'
        and isinstance(function.value, ast.Call)
        and isinstance(function.value.func, ast.Name)
        and function.value.func.id == 'super'
    )
