"""Time evolution of one system, or of a batch that shares a grid: the nonlinear half of the problem.

Three methods. ``splitting`` composes the two exactly solvable parts of the equations (kernels/splitting.py);
``reference`` is scipy's DOP853; ``averaged`` follows the slow motion at small coupling. ``auto`` takes the
cheapest that meets the tolerance, and every result records which it was.

``tolerance`` is the largest error of any component of any spin S_p = n p_hat + 2 Re kappa theta_hat +
2 Im kappa phi_hat over the whole run. It is measured, not assumed: a coarser run goes beside every run.
"""
