"""Where services look for their metrics."""
