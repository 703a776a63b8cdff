"""Figures of the data, of the training, and of what was learned.

Every function returns a `matplotlib.figure.Figure` that belongs to nobody: no pyplot state, no change of the caller's
rcParams, no window. Show it in a notebook by naming it, or write it with `save_figure`. Colours are Okabe and Ito's,
which stay apart under every common form of colour blindness.

matplotlib is imported when a figure is drawn, not before; it comes with `pip install "agentsynth[pipeline]"`.
"""

from agentsynth.plots.comparison import data_comparison
from agentsynth.plots.lives import lives
from agentsynth.plots.policies import policy_comparison
from agentsynth.plots.qtables import q_tables
from agentsynth.plots.response import learned_response
from agentsynth.plots.scenario import scenario_report
from agentsynth.plots.style import save_figure
from agentsynth.plots.training import training_progress, training_progress_name

__all__ = [
    "data_comparison",
    "learned_response",
    "lives",
    "policy_comparison",
    "q_tables",
    "save_figure",
    "scenario_report",
    "training_progress",
    "training_progress_name",
]
