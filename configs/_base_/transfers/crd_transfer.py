# Contrastive representation distillation (Tian et al., ICLR 2020): temperature, momentum, negatives and weight as published.
crd = dict(
    type='ContrastiveTransfer',
    source='gaf.embedding',
    target='student.embedding',
    dim=128,
    tau=0.07,
    negatives=16384,
    momentum=0.5,
    weight=0.8,
)
