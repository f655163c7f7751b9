"""Between a recurrence and a model: blocks, normalisation, embeddings; one idea per file, imported from it."""
