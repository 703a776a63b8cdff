"""The page: a report for people to read in a browser, as one self-contained HTML file.

It shows a model, a table that it made, and how that table was judged: scores beside ceiling and floor, columns and
pairs worst first, privacy, training, best action, learned response, scenario, and how to get all that again. A page
needs no network and no script; what users' tables hold is escaped.

matplotlib and Jinja are imported when a page is made, not before; both come with
`pip install "agentsynth[pipeline]"`.
"""

from agentsynth.pages.page import page_html, write_page
from agentsynth.pages.subject import Commit, Judged, Origin, Source, Subject

__all__ = ["Commit", "Judged", "Origin", "Source", "Subject", "page_html", "write_page"]
