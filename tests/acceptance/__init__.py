"""What the project promises as a whole, measured on living sandboxes: minutes to hours, and no part of the gate.

Nothing here runs unless ``LIFEBOAT_ACCEPTANCE`` is set to anything: without it pytest collects none of these modules
(see `conftest.py`). ``LIFEBOAT_ACCEPTANCE=1 pytest tests/acceptance/test_crashes.py`` runs one. What each measures, and
what it showed, is in docs/acceptance.md.
"""
