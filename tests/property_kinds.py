"""Kinds of properties that a function can have by its formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ['LABEL', 'Along', 'Properties', 'Scaling', 'Shift']

LABEL = 'label'  # in the place of an axis: the argument holds indices along the axis


@dataclass(frozen=True)
class Along:
    """What happens to a result where arguments are reordered along an axis.

    Attributes:
        arguments (tuple): For each argument its axes of this meaning, or ``LABEL``.
        result (tuple[int, ...]): Axes of the result that are reordered likewise; without one, the result stays.
        order (str): 'any' permutation, a 'roll', or the 'reverse'.
    """

    arguments: tuple
    result: tuple[int, ...] = ()
    order: str = 'any'


@dataclass(frozen=True)
class Scaling:
    """A factor of arguments (and options) that multiplies the result by a power of the factor.

    Attributes:
        arguments (tuple[int, ...]): Which are multiplied.
        power (float): Of the factor; 0 leaves the result as it is.
        options (tuple[str, ...]): Names of options that are multiplied too, as a temperature is.
        signed (bool): Whether negative factors are among them; they have the power of their size.
    """

    arguments: tuple[int, ...]
    power: float = 0.0
    options: tuple[str, ...] = ()
    signed: bool = False


@dataclass(frozen=True)
class Shift:
    """Numbers that can be added to arguments without a change of the result.

    Attributes:
        arguments (tuple[int, ...]): To which the same is added.
        same (tuple[int, ...]): Axes along which all get the same number; without one, every element gets its own.
        moves (bool): Whether the result gets the same number instead of staying.
    """

    arguments: tuple[int, ...]
    same: tuple[int, ...] = ()
    moves: bool = False


@dataclass(frozen=True)
class Properties:
    """Properties of one function.

    Attributes:
        along (dict[str, Along]): By the meaning of an axis.
        alone (tuple[int, ...]): Arguments whose parts along the first axis have results of their own, whatever the others are.
        scalings (tuple[Scaling, ...]): See there.
        shifts (tuple[Shift, ...]): See there.
        distance (bool): Whether equal arguments are 0 apart.
        symmetric (bool): Whether two arguments can be exchanged.
        bounds (tuple[float, float]): Of all values.
        total (tuple, optional): Axes of the result, and their sum: a number, or a function of the arguments.
        gradients (tuple[int, ...]): Arguments in which the function is differentiable.
        plain (Callable, optional): The formula written anew, without kernels, matrices or a backward pass by hand.
        options (dict): Option to the values that are tried.
        least (dict): Smallest size of an axis at which the properties hold.
        largest (float): Most that a finite value may be.
        finite (bool): Whether finite arguments have finite results.
        double (bool): Whether the result is of double precision whatever the arguments are.
        view (Callable): Makes axes of the result, or an order in it, visible.
        error (float): By how much, relative to the largest value, results of double precision may differ.
    """

    along: dict[str, Along]
    alone: tuple[int, ...] = ()
    scalings: tuple[Scaling, ...] = ()
    shifts: tuple[Shift, ...] = ()
    distance: bool = False
    symmetric: bool = False
    bounds: tuple[float, float] = (-float('inf'), float('inf'))
    total: tuple[tuple[int, ...], Any] | None = None
    gradients: tuple[int, ...] = ()
    plain: Callable | None = None
    options: dict[str, tuple] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    largest: float = 1e6
    finite: bool = True
    double: bool = False
    view: Callable[[Any], Any] = lambda result: result
    error: float = 1e-8
