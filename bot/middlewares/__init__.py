"""What happens around every handler: access, correlation, answers."""
