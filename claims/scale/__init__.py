"""Claims of a section, one file a page."""
