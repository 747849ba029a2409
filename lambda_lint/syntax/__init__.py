"""From bytes to a small tree with spans: the only part that knows LibCST."""
