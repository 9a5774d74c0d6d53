"""Small networks' taps, and a transfer between them."""

import torch

from mmkd_plugin.structures import Taps


def networks(n=4):
    torch.manual_seed(0)

    def taps(channels, length):
        stages = (torch.randn(n, channels, length), torch.randn(n, 2 * channels, length // 2))
        return Taps(stages, torch.randn(n, 2 * channels), torch.randn(n, 5, requires_grad=True), torch.randn(5, 2 * channels))

    return {'student': taps(4, 8), 'a': taps(4, 8), 'b': taps(4, 8), 'wide': taps(6, 8)}, torch.randint(5, (n,))


def bound(transfer, taps):
    transfer.bind(taps)
    return transfer
