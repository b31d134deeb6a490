"""What helps whoever writes a page: lay it out, check it alone, see how far a long command is."""
