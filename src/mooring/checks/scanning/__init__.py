"""What files of an image hold that nobody should ship: malware, pickles that run code, secrets."""
