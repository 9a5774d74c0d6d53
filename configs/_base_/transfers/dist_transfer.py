# DIST (Huang et al., NeurIPS 2022): beta 1 and gamma 1, temperature 1.
dist = dict(type='CorrelationTransfer', source='sig.logits', target='student.logits', beta=1.0, gamma=1.0, tau=1.0, weight=1.0)
