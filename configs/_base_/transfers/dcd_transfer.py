# Discriminative and consistent distillation (Giakoumoglou & Stathaki 2024): contrast within the batch.
dcd = dict(
    type='BatchContrastTransfer', source='gaf.embedding', target='student.embedding', dim=128, consistency=0.5, weight=1.0
)
