# Logit standardisation (Sun et al., CVPR 2024): plain distillation of z-scores over the classes, at the published temperature
# and weight, which stand beside a label loss of 1 and carry tau squared there too.
standardized = dict(
    type='ResponseTransfer', source='sig.logits', target='student.logits', tau=2.0, standardize=True, weight=9.0
)
