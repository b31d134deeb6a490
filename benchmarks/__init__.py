"""Our snippets against what a reader would use instead."""
