"""The snippets: each file stands alone, so that copying it is installing it."""
