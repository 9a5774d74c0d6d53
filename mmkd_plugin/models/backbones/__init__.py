"""Backbones, which return their stages as a tuple, shallow to deep."""

from .mantis import Mantis
from .mobilenet_v2_1d import MobileNetV2For1d
from .resnet1d import ResNet1d
from .vgg1d import VGG1d
from .wide_resnet import WideResNet

__all__ = ['Mantis', 'MobileNetV2For1d', 'ResNet1d', 'VGG1d', 'WideResNet']
