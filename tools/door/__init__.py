"""One door for input: the checks that snippets share, and the tool that copies them into each."""
