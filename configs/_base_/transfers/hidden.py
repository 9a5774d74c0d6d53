# Hidden-feature distillation: the pooled vector of the image teacher. Widths are equal here; a LinearConnector maps others.
hidden = dict(type='FeatureTransfer', source='gaf.embedding', target='student.embedding', weight=0.2)
