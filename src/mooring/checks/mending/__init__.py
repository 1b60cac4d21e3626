"""What a rule knows how to put right in a project folder."""
