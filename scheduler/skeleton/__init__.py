"""The first plan that `duban init` writes: `{year}` stands for the present year."""
