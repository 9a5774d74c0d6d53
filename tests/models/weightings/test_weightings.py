import math

import pytest
import torch
import torch.nn.functional as F

from mmkd_plugin.engine import Predictions
from mmkd_plugin.models.weightings import Confidence, Entropy, Fixed, MinimumNorm, SelfPaced, Uniform


def responses(teachers=3, n=4, classes=5):
    torch.manual_seed(0)
    return [torch.randn(n, classes) for _ in range(teachers)], torch.randint(classes, (n,))


def test_fixed_weights_follow_names_and_not_positions():
    logits, labels = responses(2)
    torch.testing.assert_close(Fixed(['b', 'a'], a=0.3, b=0.7)(logits, labels), torch.tensor([[0.7] * 4, [0.3] * 4]))
    torch.testing.assert_close(Uniform(['a', 'b'])(logits, labels), torch.full((2, 4), 0.5))


def test_fixed_weights_for_other_networks_are_refused():
    with pytest.raises(
        ValueError, match=r"Fixed has weights for \['gaf', 'sig'\], but the transfer comes from \['pi', 'sig'\]"
    ):
        Fixed(['sig', 'pi'], sig=0.5, gaf=0.5)


def test_fixed_weights_that_do_not_sum_to_one_are_used_with_a_warning():
    with pytest.warns(UserWarning, match='sum to 3, not 1'):
        weights = Fixed(['a', 'b'], a=1, b=2)
    assert weights([torch.zeros(1, 2)] * 2, torch.zeros(1))[:, 0].tolist() == [1, 2]


def test_confidence_by_the_formula():
    logits, labels = responses()
    errors = torch.stack([F.cross_entropy(z, labels, reduction='none') for z in logits])
    by_formula = (1 - errors.exp() / errors.exp().sum(0)) / 2
    torch.testing.assert_close(Confidence(['a', 'b', 'c'])(logits, labels), by_formula)


@pytest.mark.parametrize('of', ['teacher', 'student'])
def test_the_reference_of_confidence_is_a_share_and_learns_with_the_student(of):
    logits, labels = responses()
    logits = [z.requires_grad_() for z in logits]
    exp = torch.stack([F.cross_entropy(z, labels, reduction='none').exp() for z in logits])
    by_formula = (1 - exp / exp.sum(0)) / (3 * 2)
    weights = Confidence(['a', 'b', 'c'], of, 'reference')(logits, labels)
    torch.testing.assert_close(weights, by_formula, atol=1e-6, rtol=0)
    assert weights.requires_grad == (of == 'student')
    if of == 'student':
        factors = torch.rand(3, 4)
        gradients = [torch.autograd.grad((w * factors).sum(), logits) for w in (weights, by_formula)]
        torch.testing.assert_close(*gradients, atol=1e-6, rtol=0)
    assert not Confidence(['a', 'b', 'c'], of)(logits, labels).requires_grad
    with pytest.raises(ValueError, match="variant must be 'paper' or 'reference', got 'code'"):
        Confidence(['a', 'b'], of, 'code')


def test_entropy_by_hand():
    certain, undecided = torch.tensor([[100.0, 0.0]]), torch.zeros(1, 2)
    torch.testing.assert_close(Entropy(['a', 'b'])([certain, undecided], torch.zeros(1)), torch.tensor([[1.0], [0.0]]))
    unequal = torch.tensor([[math.log(3), 0.0]])  # probabilities 3/4 and 1/4
    h = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    total = h + math.log(2)
    expected = torch.tensor([[1 - h / total], [1 - math.log(2) / total]])
    torch.testing.assert_close(Entropy(['a', 'b'])([unequal, undecided], torch.zeros(1)), expected)


def test_the_public_code_s_scale_of_entropy_weights():
    logits, labels = responses()
    paper, reference = (Entropy(['a', 'b', 'c'], variant)(logits, labels) for variant in ('paper', 'reference'))
    torch.testing.assert_close(reference, paper * 2 / 3)


@pytest.mark.parametrize('weighting', [Confidence, Entropy, Uniform])
def test_weights_lie_on_the_simplex_for_every_kind_of_response(weighting):
    for teachers in (1, 2, 3):
        names = list('abc')[:teachers]
        for scale in (0.0, 1.0, 1e4):
            logits, labels = responses(teachers)
            weights = weighting(names)([scale * z for z in logits], labels)
            assert weights.shape == (teachers, 4)
            torch.testing.assert_close(weights.sum(0), torch.ones(4))
            assert (weights >= 0).all()


def test_saturated_teachers_that_are_all_certain_count_alike():
    certain = torch.tensor([[1e4, -1e4]])
    torch.testing.assert_close(Entropy(['a', 'b'])([certain, certain], torch.zeros(1)), torch.full((2, 1), 0.5))


def test_an_unknown_variant_is_refused():
    with pytest.raises(ValueError, match="variant must be 'paper' or 'reference', got 'mine'"):
        Entropy(['a'], 'mine')


@pytest.mark.parametrize('teachers', [1, 2, 3])
@pytest.mark.parametrize('case', ['plain', 'saturated', 'equal', 'one sample'])
@pytest.mark.parametrize('build', [Confidence, Entropy])
def test_weights_per_sample_are_on_the_simplex_with_finite_gradients(build, case, teachers):
    logits, labels = responses(teachers, n=1 if case == 'one sample' else 4)
    if case == 'saturated':
        logits = [1e4 * z for z in logits]
    if case == 'equal':
        logits = [torch.zeros_like(z) for z in logits]
    student = torch.randn_like(logits[0], requires_grad=True)
    weights = build([str(t) for t in range(teachers)])(logits, labels)
    torch.testing.assert_close(weights.sum(0), torch.ones(len(labels)))
    assert (weights >= 0).all()
    if case == 'equal':
        torch.testing.assert_close(weights, torch.full_like(weights, 1 / teachers))
    kl = torch.stack([F.kl_div(student.log_softmax(1), z.softmax(1), reduction='none').sum(1) for z in logits])
    (weights * kl).sum(0).mean().backward()
    assert torch.isfinite(student.grad).all()


def test_confidence_is_in_the_teacher_or_in_what_it_makes_of_the_student():
    assert Confidence(['a']).of == 'teacher'
    with pytest.raises(ValueError, match="of must be 'teacher' or 'student', got 'both'"):
        Confidence(['a'], of='both')


def test_the_shortest_common_gradient_is_that_of_the_batch_or_of_its_mean_sample():
    opposed, small = torch.tensor([[1.0], [-1.0]]), torch.tensor([[0.1], [0.1]])  # two samples
    labels = torch.zeros(2, dtype=torch.long)
    weights = MinimumNorm(['a', 'b'], 1.0)([opposed, small], labels)
    torch.testing.assert_close(weights, torch.tensor([[0.02 / 2.02] * 2, [2 / 2.02] * 2]))  # ‖b‖² and ‖a‖² over their sum
    weights = MinimumNorm(['a', 'b'], 1.0, 'reference')([opposed, small], labels)
    torch.testing.assert_close(weights, torch.tensor([[1.0] * 2, [0.0] * 2]))  # the samples of a cancel out
    halved = MinimumNorm(['a', 'b'], 1.0)([opposed.half(), small.half() * 1e-4], labels)
    assert halved.dtype == torch.float32
    assert halved[0, 0] < 1e-3


def test_a_tolerance_that_allows_no_weights_is_refused():
    with pytest.raises(ValueError, match='tolerance must be a number from 0.333333 to 1, got 0.3'):
        MinimumNorm(['a', 'b', 'c'], 0.3)
    with pytest.raises(ValueError, match="variant must be 'paper' or 'reference', got 'code'"):
        MinimumNorm(['a'], 1.0, 'code')


def predictions(predicted, labels):
    logits = F.one_hot(torch.tensor(predicted), 3).float()
    return Predictions(logits, torch.tensor(labels), tuple(map(str, labels)), ())


def test_weights_follow_the_student_s_accuracy_on_the_classes_of_each_teacher():
    labels = [0, 0, 1, 1, 2]
    known = {
        'student': predictions([0, 1, 1, 2, 0], labels),  # right on 1 of 2, 1 of 2, 0 of 1
        'a': predictions([0, 0, 1, 1, 2], labels),
        'b': predictions([0, 0, 0, 1, 2], labels),
    }
    asked = []

    def predict(name):
        asked.append(name)
        return known[name]

    weighting = SelfPaced(['a', 'b'], 0.2, classes=dict(b=[1, 2]))
    logits = [torch.zeros(4, 3)] * 2
    assert torch.equal(weighting(logits, torch.zeros(4)), torch.ones(2, 4))  # nothing is measured yet
    weighting.observe(predict)
    assert asked == ['a', 'b']
    assert torch.equal(weighting(logits, torch.zeros(4)), torch.ones(2, 4))
    weighting.observe(predict, 'student')
    torch.testing.assert_close(weighting.student_accuracy, torch.tensor([2 / 5, 1 / 3]))
    torch.testing.assert_close(weighting.teacher_accuracy, torch.tensor([1.0, 2 / 3]))
    by_hand = torch.tensor([0.6 / 0.8, (1 / 3) / (0.8 * 2 / 3)])
    torch.testing.assert_close(weighting(logits, torch.zeros(4)), by_hand[:, None].expand(2, 4))
    known['student'] = known['a']
    asked.clear()
    weighting.observe(predict, 'student')
    assert asked == ['student', 'student']  # teachers stay as they are
    assert torch.equal(weighting(logits, torch.zeros(4)), torch.zeros(2, 4))
    again = SelfPaced(['a', 'b'], 0.2)
    again.load_state_dict(weighting.state_dict())
    assert torch.equal(again(logits, torch.zeros(4)), torch.zeros(2, 4))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(alpha=1.0), 'alpha must be below 1'),
        (dict(alpha=-0.1), 'alpha must be a number from 0 to 1, got -0.1'),
        (dict(classes=dict(aa=[0])), "classes: there is no source 'aa'; did you mean 'a'?"),
        (dict(classes=dict(a=0)), "classes of 'a' must be a list of labels, got 0"),
        (dict(classes=dict(a=[])), r"classes of 'a' must be a list of labels, got \[\]"),
        (dict(classes=dict(a=['0'])), "a label of 'a' must be a whole number, at least 0, got '0'"),
    ],
)
def test_impossible_experts_are_refused(options, message):
    with pytest.raises(ValueError, match=message.replace('?', r'\?')):
        SelfPaced(['a', 'b'], **options)


def test_an_expert_of_classes_that_are_not_there_is_named():
    weighting = SelfPaced(['a'], classes=dict(a=[1, 3]))
    weighting.bind([4, 4])
    with pytest.raises(ValueError, match="classes of 'a': labels go from 0 to 2, got 3"):
        weighting.bind([3, 3])
    known = predictions([0, 1], [0, 1])
    with pytest.raises(ValueError, match=r"no validation window is of the classes \[2\] of teacher 'a'"):
        SelfPaced(['a'], classes=dict(a=[2])).observe(lambda name: known)
