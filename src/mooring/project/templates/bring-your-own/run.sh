#!/bin/sh
# exec: the server takes the shell's place as the first process, and so is the one that gets SIGTERM.
exec python3 -u /home/app/server.py
