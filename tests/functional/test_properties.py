"""Properties that functions have by their formulas, at random sizes; which function has which is said in a table.

The suite tries few sizes, the same in every run; ``pytest -m soak tests/functional/test_properties.py`` tries many others.
"""

import dataclasses
import math

import pytest
import torch
from functional_calls import Sizes, arguments_of
from functional_properties import PROPERTIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from property_kinds import LABEL

from mmkd_plugin import functional

COMMON = dict(deadline=None, database=None, suppress_health_check=list(HealthCheck))
PROFILES = {'ci': settings(max_examples=4, derandomize=True, **COMMON), 'long': settings(max_examples=300, **COMMON)}
PRECISIONS = (torch.float32, torch.float64)
LENGTHS = {axis: st.integers(1, 5) for axis in 'nkcdt'} | {axis: st.sampled_from([1, 2, 3, 4, 5, 12]) for axis in 'hw'}
# Values of another kind than normal ones; the most that one may be follows.
VALUES = {
    'constant': lambda x, most: torch.full_like(x, 0.3),
    'zero': lambda x, most: torch.zeros_like(x),
    'tied': lambda x, most: x.round(),
    'of all sizes': lambda x, most: x.sign() * 10 ** (4 * x).clamp(-20, math.log10(most)),
    'large': lambda x, most: x.sign() * most,
    'small': lambda x, most: 1e-25 * x,
}


@dataclasses.dataclass
class Case:
    """One call of a function.

    Attributes:
        name (str): Of the function.
        arguments (list): Tensors and arrays.
        options (dict): Other arguments.
    """

    name: str
    arguments: list
    options: dict

    def result(self, arguments=None, **options):
        arguments = self.arguments if arguments is None else arguments
        value = getattr(functional, self.name)(*arguments, **{**self.options, **options})
        value = PROPERTIES[self.name].view(value)
        return value if isinstance(value, list) else torch.as_tensor(value)

    def error(self, result):
        """By how much two results of this precision may differ, in units of the largest value or 1."""
        double = isinstance(result, list) or result.dtype == torch.float64
        least = PROPERTIES[self.name].error
        return least if double and self.precision == torch.float64 else max(least, 2e-4)

    @property
    def precision(self):
        kinds = {torch.as_tensor(x).dtype.to_real() for x in self.arguments if torch.as_tensor(x).dtype != torch.int64}
        return torch.float64 if torch.float64 in kinds or not self.arguments else torch.float32

    def compare(self, result, expected):
        if isinstance(result, list):
            assert len(result) == len(expected)
            for part, other in zip(result, expected):
                self.compare(part, other)
            return
        assert result.shape == expected.shape
        assert result.dtype == expected.dtype
        largest = expected.abs().max().item() if expected.numel() else 0
        torch.testing.assert_close(result, expected, rtol=0, atol=self.error(result) * max(1.0, largest))


@st.composite
def cases(draw, name, precisions=PRECISIONS, values=None):
    known = PROPERTIES[name]
    lengths = {axis: max(draw(length), known.least.get(axis, 1)) for axis, length in LENGTHS.items()}
    kind = VALUES[draw(st.sampled_from(sorted(VALUES)))] if values else None
    change = (lambda x: kind(x, known.largest)) if kind else lambda x: x
    sizes = Sizes(**lengths, dtype=draw(st.sampled_from(precisions)), values=change)
    arguments, options = arguments_of(name, sizes, draw(st.integers(0, 2**31)))
    return Case(name, arguments, options | {key: draw(st.sampled_from(few)) for key, few in known.options.items()})


def holds(kind, select, **how):
    """Make a test of a check: of every function that has this kind of property, in the short form and in the long one."""

    def make(check):
        names = [name for name, known in PROPERTIES.items() if select(known)]

        @pytest.mark.parametrize('profile', ['ci', pytest.param('long', marks=pytest.mark.soak)])
        @pytest.mark.parametrize('name', names)
        def test(name, profile):
            PROFILES[profile](given(cases(name, **how))(lambda case: check(case, PROPERTIES[name])))()

        test.__doc__ = kind
        return test

    return make


def test_every_public_function_has_properties():
    assert sorted(PROPERTIES) == sorted(functional.__all__)
    for name, known in PROPERTIES.items():
        assert known.along or name == 'high_pass_mask', f'{name} has no axis that can be reordered'


def reorder(x, axes, order):
    """Reorder a tensor, an array or a list along axes."""
    if isinstance(x, list):
        return [x[i] for i in order.tolist()] if axes else x
    x = torch.as_tensor(x)
    for axis in axes:
        x = x.index_select(axis, order)
    return x


def back(x, like):
    return x if isinstance(like, torch.Tensor) else x.numpy()


@holds('Results of reordered samples, classes, channels, positions.', lambda known: known.along)
def test_order(case, known):
    plain = case.result()
    for along in known.along.values():
        length = next(x.shape[axes[0]] for x, axes in zip(case.arguments, along.arguments) if axes and axes != LABEL)
        places = torch.arange(length)
        orders = {'any': torch.randperm(length), 'roll': places.roll(1), 'reverse': places.flip(0)}
        order = orders[along.order]
        arguments = []
        for x, axes in zip(case.arguments, along.arguments):
            changed = order.argsort()[x] if axes == LABEL else reorder(x, axes or (), order)
            arguments.append(back(changed, x))
        case.compare(case.result(arguments), reorder(plain, along.result, order))


@holds('A sample has the result that it has without the others.', lambda known: known.alone)
def test_alone(case, known):
    plain = case.result()
    axis = next(iter(known.along.values())).result[:1]
    for place in range(len(case.arguments[known.alone[0]])):
        one = torch.tensor([place])
        arguments = [x[place : place + 1] if i in known.alone else x for i, x in enumerate(case.arguments)]
        case.compare(case.result(arguments), reorder(plain, axis, one))


@holds('A factor of arguments is a power of the factor in the result.', lambda known: known.scalings)
def test_scaling(case, known):
    plain = case.result()
    for scaling in known.scalings:
        for factor in (0.25, 8.0, -2.0)[: 2 + scaling.signed]:  # powers of two: nothing is rounded
            arguments = [factor * x if i in scaling.arguments else x for i, x in enumerate(case.arguments)]
            options = {name: factor * case.options[name] for name in scaling.options}
            gain = abs(factor) ** scaling.power
            expected = [gain * part for part in plain] if isinstance(plain, list) else gain * plain
            case.compare(case.result(arguments, **options), expected)


@holds('What is added to arguments is not seen.', lambda known: known.shifts, precisions=[torch.float64])
def test_shift(case, known):
    plain = case.result()
    for shift in known.shifts:
        first = torch.as_tensor(case.arguments[shift.arguments[0]])
        more = torch.randn([1 if axis in shift.same else length for axis, length in enumerate(first.shape)], dtype=first.dtype)
        arguments = [back(torch.as_tensor(x) + more, x) if i in shift.arguments else x for i, x in enumerate(case.arguments)]
        case.compare(case.result(arguments), plain + more if shift.moves else plain)


@holds('Equal arguments are 0 apart; two can be exchanged.', lambda known: known.distance or known.symmetric)
def test_distance(case, known):
    a, b, *more = case.arguments
    plain = case.result()
    if known.symmetric:
        case.compare(case.result([b, a, *more]), plain)
    if known.distance:
        case.compare(case.result([a, a, *more]), torch.zeros_like(plain))


@holds('Values lie within bounds and have a known sum.', lambda known: known.total or math.isfinite(known.bounds[0]))
def test_bounds(case, known):
    result = case.result()
    slack = case.error(result)
    assert known.bounds[0] - slack <= result.min()
    assert result.max() <= known.bounds[1] + slack
    if known.total:
        axes, total = known.total
        total = total(*case.arguments) if callable(total) else total
        sums = result.sum(axes)
        case.compare(sums, torch.full_like(sums, total))


def leaves(case, known):
    """Ask for the gradient in those arguments that have one; return them."""
    case.arguments = [x.clone().requires_grad_() if i in known.gradients else x for i, x in enumerate(case.arguments)]
    return [case.arguments[i] for i in known.gradients]


@holds('Gradients are the limits of quotients.', lambda known: known.gradients, precisions=[torch.float64])
def test_gradients(case, known):
    def function(*inputs):
        given = dict(zip(known.gradients, inputs))
        return case.result([given.get(i, x) for i, x in enumerate(case.arguments)])

    assert torch.autograd.gradcheck(function, leaves(case, known), fast_mode=True)


@holds('Values and gradients are those of the formula.', lambda known: known.plain, precisions=[torch.float64])
def test_backward_passes_by_hand(case, known):
    inputs = leaves(case, known)
    result, expected = case.result(), known.plain(*case.arguments, **case.options)
    case.compare(result, expected)
    upstream = torch.randn_like(result)
    gradients = [torch.autograd.grad(value, inputs, upstream) for value in (result, expected)]
    for gradient, other in zip(*gradients, strict=True):
        case.compare(gradient, other)


def in_double(x):
    x = torch.as_tensor(x)
    return x.to(torch.promote_types(x.dtype, torch.float64)) if x.is_floating_point() or x.is_complex() else x


@holds('Single precision gives what double precision gives.', lambda known: known.along, precisions=[torch.float32])
def test_precision(case, known):
    result = case.result()
    wide = Case(case.name, [back(in_double(x), x) for x in case.arguments], case.options).result()
    if isinstance(result, list):
        result, wide = torch.cat(result), torch.cat(wide)
    assert wide.dtype.to_real() == torch.float64
    assert result.dtype.to_real() == (torch.float64 if known.double else torch.float32)
    case.compare(result, wide.to(result.dtype))


@holds('Finite numbers give finite numbers, and finite gradients.', lambda known: known.finite, values=VALUES)
def test_finite(case, known):
    inputs = leaves(case, known)
    result = case.result()
    for part in result if isinstance(result, list) else [result]:
        assert part.isfinite().all()
    for gradient in torch.autograd.grad(result.abs().sum(), inputs) if inputs else []:
        assert gradient.isfinite().all()
