"""Modules as somebody else would write them, for the tests of external networks."""

import torch
from torch import nn


class Sensor(nn.Module):
    """Two convolutions, pooling and a classifier; a further output is computed and not returned."""

    def __init__(self, sample_shape, num_classes, width=8):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv1d(sample_shape[0], width, 3, padding=1), nn.BatchNorm1d(width), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Conv1d(width, 2 * width, 3, stride=2, padding=1), nn.ReLU())
        self.auxiliary = nn.Linear(width, 3)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(2 * width, num_classes)

    def forward(self, x):
        x = self.layer1(x)
        self.auxiliary(x.mean(2))
        return self.fc(self.dropout(self.layer2(x).mean(2)))


class Deciding(nn.Module):
    """A module whose way depends on values, so that none can trace it."""

    def __init__(self, num_classes, named=True, keys=('logits', 'embedding', 'stages.0')):
        super().__init__()
        self.named, self.keys = named, keys
        self.conv, self.fc = nn.Conv1d(3, 6, 5), nn.Linear(6, num_classes)

    def forward(self, x):
        stage = self.conv(x)
        if stage.mean() > 1e9:
            stage = -stage
        embedding = stage.mean(2)
        outputs = dict(zip(self.keys, (self.fc(embedding), embedding, stage)))
        return outputs if self.named else outputs[self.keys[0]]


class Softmax(nn.Module):
    """A module that does not return its last step."""

    def __init__(self, num_classes):
        super().__init__()
        self.fc = nn.Linear(3, num_classes)

    def forward(self, x):
        logits = self.fc(x.mean(2))
        self.probabilities = logits.softmax(1)
        return logits


def pair(num_classes):
    return Pair()


class Pair(nn.Module):
    """A module that returns two tensors."""

    def forward(self, x):
        return x, x


def nothing():
    return None


def broken(num_classes):
    raise RuntimeError('the disk of weights is not mounted')


def pretrained(num_classes):
    """A module whose factory has given it weights."""
    module = Sensor((3, 40), num_classes)
    nn.init.constant_(module.fc.weight, 0.25)
    module.init_weights = lambda: torch.nn.init.zeros_(module.fc.weight)
    return module
