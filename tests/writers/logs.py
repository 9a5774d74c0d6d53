"""Logs as the scripts of published comparisons print them."""

__all__ = ['PATTERNS', 'published_log']

# Of the first line and of every epoch's last; the fold is named by the number of the subject who is tested.
PATTERNS = [r'sbj=(?P<fold>(?P<subject>\d+)), seed=(?P<seed>\d+)', r'epoch (?P<epoch>\d+)/', r'"value": (?P<accuracy>[\d.]+)']


def published_log(accuracies, subject=0, seed=1234, epochs=None) -> str:
    """Return the log of a run; accuracies are those of the test split after every epoch, in per cent."""
    lines = [f"Namespace(epochs=200, batch_size=64, student='1611', sbj={subject}, seed={seed}, save_weight=0)"]
    best = 0.0
    for epoch, accuracy in enumerate(accuracies):
        lines += [
            'current_time: 2022-03-01 12:00:00.000000',
            f'"epoch {epoch}/{epochs or len(accuracies)} | Epoch Time: 0m 8s | lr: 0.0500000 | loss 0.812 | best_acc {best:.4f}',
            f'( "metric": "1611_val_accuracy", "value": {accuracy:.4f}, "SF_L": 0.712345678)',
        ]
        best = max(best, accuracy)
    return '\n'.join([*lines, ''])
