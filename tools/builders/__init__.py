"""What builds: the site and all that it is made of."""
