"""What sqlfluff sees of the Python modules that dbt gives to macros."""

import datetime

__all__ = ["datetime"]
