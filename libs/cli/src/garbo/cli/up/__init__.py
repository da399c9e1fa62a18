"""`garbo up`: one supervisor for everything on a developer's machine."""
