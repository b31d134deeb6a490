"""Problem Navigation."""
