"""The figures of the pages, drawn at build as inline SVG."""
