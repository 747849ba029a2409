"""What the code means on Lambda: names, values, calls, handlers and phases."""
