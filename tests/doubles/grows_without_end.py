"""Takes memory until there is none left."""

print("loading", flush=True)
held = []
while True:
    held.append(b"x" * (16 << 20))
