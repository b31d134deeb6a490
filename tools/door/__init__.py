"""One door for input: checks that snippets share, and what copies them into each."""
