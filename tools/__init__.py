"""What refuses (`guards`), what builds (`builders`), and the commands of whoever writes a page (`loop`)."""
