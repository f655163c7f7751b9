"""What several commands share: `options`, the types of what they take, and `given`, which reads it."""
