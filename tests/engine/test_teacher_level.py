import pytest
import torch

from mmkd_plugin.engine import Predictions, chance_faults


def teacher(labels, predicted, classes=4):
    logits = torch.nn.functional.one_hot(torch.tensor(predicted), classes).float()
    windows = len(labels)
    return Predictions(logits, torch.tensor(labels), tuple(map(str, range(windows))), (None,) * windows)


def test_a_teacher_must_be_better_than_guessing():
    """Of 48 windows of 4 classes, guessing gets 25 %, and 12.5 points more in two standard deviations."""
    labels = [0, 1, 2, 3] * 12
    assert teacher(labels, labels).accuracy == 1.0
    at_chance = teacher(labels, labels[:18] + [0 if label else 1 for label in labels[18:]])  # 18 of 48 are right: 37.5 %
    assert chance_faults({'gaf': at_chance, 'sig': teacher(labels, labels)}) == [
        "teacher 'gaf' is at chance level: 37.5 % on validation, guessing gives up to 37.5 %"
    ]
    assert chance_faults({'gaf': teacher(labels, labels[:19] + [0 if label else 1 for label in labels[19:]])}) == []


@pytest.mark.parametrize(('labels', 'faults'), [([0] * 60 + [1] * 40, 1), ([0] * 100, 0)])
def test_a_teacher_that_gives_one_class_is_named_where_there_are_others(labels, faults):
    named = chance_faults({'pi': teacher(labels, [0] * 100)})
    assert named == ["teacher 'pi' gives the same class for all 100 validation windows"] * faults
