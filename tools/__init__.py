"""The guards: what makes sure that nothing is shown on the site without having run."""
