"""Random subset sums and strong lottery tickets, verified by experiment.

Names are loaded when they are first used, so that ``import rssp`` costs next to nothing; ``__init__.pyi`` lists them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
