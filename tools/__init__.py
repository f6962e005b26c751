"""What the model can call: one module per tool, thin, over `penstock.cache`."""
