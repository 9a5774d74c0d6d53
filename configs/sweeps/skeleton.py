# A watch taught by a skeleton, on everybody of both data sets who was recorded with both.
axes = dict(
    method=['skeleton/watch_from_skeleton', 'skeleton/watch_from_skeleton_fam'],
    data=['smartfallmm', 'utd_mhad'],
    fold='all',
    seed=[0],
)
