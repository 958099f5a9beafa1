"""Machine code of the kernels on disk: where it is kept, for which machine, for how long, and who makes it.

Nothing here says what a kernel computes, so an edit here makes no store and no machine code stale.
"""
