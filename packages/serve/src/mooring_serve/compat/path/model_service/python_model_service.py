"""Where XGBoost and scikit-learn packages import their base class from."""

from mooring_serve.compat.services import XgSklServingBaseService

__all__ = ["XgSklServingBaseService"]
