"""What is legal, and surely or probably not meant."""
