"""Functions of a user's own: found, digested with all that they import and read, and called as a real module."""
